"""The papers that an instructor hands out or keeps: equations, codebook, causal diagram, answer key, schema."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

from mixedsim.simulate.answer_key import AnswerKey, key_to
from mixedsim.simulate.codebook import Codebook, codebook_of
from mixedsim.simulate.equations import Format, Notation, as_html, as_text, written

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.figure import Figure

    from mixedsim.simulate.population import Population
    from mixedsim.simulate.rseed import RSeed


class Papers:
    """What a `Population` can say about itself on paper."""

    @property
    def _population(self) -> Population:
        return cast("Population", self)

    def __str__(self) -> str:
        return as_text(self._population)

    def _repr_html_(self) -> str:
        return as_html(self._population)

    def equations(self, notation: Notation = "scalar", format: Format = "latex") -> str:
        """The equations with their numbers, for a notebook, which shows LaTeX typeset, and for a paper.

        Parameters
        ----------
        notation : ``"scalar"`` has everything in one line, ``"varying"`` a line for each coefficient that varies.
        format : ``"latex"``, an ``aligned`` environment that needs the package amsmath; or ``"text"``, Unicode.

        Raises
        ------
        PopulationError
            For another notation or format.

        Examples
        --------
        >>> import mixedsim as ms
        >>> print(ms.scenarios.packed_cell_volume().equations().splitlines()[1])
        \\text{pcv}_{ij} &= 34.64 - 0.345 \\cdot \\text{day}_{ij} + u_{j} \\cdot \\text{day}_{ij} + e_{ij} \\\\[1ex]
        """
        return written(self._population, notation, format)

    def codebook(self, *, hidden: bool = True) -> Codebook:
        """What every column is: a table that prints as paragraphs, one row a cluster, variable and response.

        Columns: ``name``; ``role`` (``cluster``, ``predictor``, ``derived``, ``hidden``, ``response``, ``trials`` or
        ``exposure``); ``level``, where it lives (``row``, or the cluster whose rows share it); ``kind`` (``id``,
        ``number``, ``whole number``, ``categorical``); ``about``, the population's words; ``values``, its levels or
        its range in theory; ``arises``, how it comes about; ``problems``, what goes wrong with it.

        Parameters
        ----------
        hidden : False is the student's version: without hidden variables, and without the columns ``arises`` and
            ``problems``, which would give away what the data are meant to be asked.

        Examples
        --------
        >>> import mixedsim as ms
        >>> book = ms.scenarios.therapist_confounder().codebook()
        >>> book.set_index("name")[["role", "level", "values"]]
                           role      level      values
        name
        therapist       cluster          —         100
        ses              hidden  therapist  any number
        price         predictor  therapist  any number
        depression    predictor        row  any number
        sex           predictor        row      0 or 1
        anxiety        response        row  any number
        >>> "ses" in ms.scenarios.therapist_confounder().codebook(hidden=False)["name"].tolist()
        False
        """
        return codebook_of(self._population, hidden=hidden)

    def answer_key(self, seed: int | np.random.Generator | RSeed | None = None, *, lesson: bool = False) -> AnswerKey:
        """The truth of one draw, for whoever grades: parameters, what was realised, what went wrong and where.

        Parameters
        ----------
        seed, lesson : as in `Population.draw`, of which this is the key.

        Examples
        --------
        >>> import mixedsim as ms
        >>> key = ms.scenarios.therapist_plain().answer_key(seed=1)
        >>> key.fixef["depression"], key.sigma, key.rows, round(key.icc["therapist"], 3)
        (3.0, 8.0, 5000, 0.015)
        """
        return key_to(self._population.draw(seed, lesson=lesson))

    def dag(self, *, random: bool = True) -> Figure:
        """The causal diagram: who reads whom, hidden variables dashed, a lane for every level; see `ms.plot.dag`.

        Parameters
        ----------
        random : False leaves out the random effects.
        """
        # Pictures lie floors above this one and cost a second to load: they are fetched when one is asked for.
        figure: Figure = import_module("mixedsim.plot").dag(self, random=random)
        return figure

    @staticmethod
    def schema() -> dict[str, Any]:
        """The JSON schema (draft 2020-12) of populations as YAML files, by which editors complete and check them.

        Examples
        --------
        >>> import mixedsim as ms
        >>> list(ms.Population.schema()["required"])
        ['formula', 'clusters', 'size']
        """
        # It looks at the fields of `Population`, which stands on this class.
        schema: dict[str, Any] = import_module("mixedsim.simulate.schema").population_schema()
        return schema
