"""An explorer as a page of its own, and as a frame in a notebook that holds such a page."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Final

from mixedsim.explore.fragment import asset, fragment
from mixedsim.explore.library import plotly_script

if TYPE_CHECKING:
    from mixedsim.explore.explorer import Explorer

_STYLE: Final = """
:root { color-scheme: light dark; }
body { margin: 0 auto; padding: 0.6rem; max-width: 64rem; font-family: system-ui, "Segoe UI", Arial, sans-serif; }
"""
_FRAME_HEIGHT: Final = 760  # until the page in it has said how high it is


def page(explorer: Explorer) -> str:
    """A whole page that loads nothing: plotly.js is in it."""
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f"<title>{html.escape(explorer.title)}</title>"
        '<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,">'
        f"<style>{_STYLE}</style></head><body><main>{fragment(explorer)}</main>"
        f"<script>{plotly_script()}</script>\n<script>{asset('explorer.js')}</script></body></html>\n"
    )


def framed(explorer: Explorer) -> str:
    """A frame for a notebook: its page touches nothing of the notebook's, and needs no trust in other cells."""
    inside, title = html.escape(page(explorer)), html.escape(explorer.title)
    style = f"width: 100%; height: {_FRAME_HEIGHT}px; border: 0"
    return f'<iframe title="{title}" style="{style}" srcdoc="{inside}"></iframe>'
