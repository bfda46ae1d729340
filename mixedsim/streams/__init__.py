"""Data larger than memory: sources of chunks, and what must be learned of all of them before the first is used."""

from mixedsim.streams.arrow_source import ArrowSource
from mixedsim.streams.entry import as_source
from mixedsim.streams.frame_source import FrameSource
from mixedsim.streams.kept import Asked, Tally
from mixedsim.streams.learning import Learned, learn, predictors
from mixedsim.streams.source import Chunk, Source
from mixedsim.streams.sweep import sweep

__all__ = [
    "ArrowSource", "Asked", "Chunk", "FrameSource", "Learned", "Source", "Tally", "as_source", "learn", "predictors",
    "sweep",
]  # fmt: skip
