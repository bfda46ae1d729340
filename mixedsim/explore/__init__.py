"""Pictures that move: sliders over models that were fitted beforehand, for a page that needs no server and no network.

Every function fits the models of a whole grid of settings and returns an `Explorer`: a notebook shows it, ``to_html``
writes it into one file. They need plotly: ``pip install "mixedsim[book]"``.
"""

from mixedsim.explore.confounder_explorer import confounder
from mixedsim.explore.explorer import Explorer
from mixedsim.explore.p_value_explorer import p_values
from mixedsim.explore.shrinkage_explorer import shrinkage
from mixedsim.explore.slopes_explorer import random_slopes

__all__ = ["Explorer", "confounder", "p_values", "random_slopes", "shrinkage"]
