"""Values that nobody wrote down."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar

from mixedsim.simulate.contents import Contents
from mixedsim.simulate.expression import Parameter
from mixedsim.simulate.fields import FieldError, shown
from mixedsim.simulate.problems.problem import PROBABILITY, CellProblem
from mixedsim.simulate.problems.scene import Scene
from mixedsim.simulate.variables.variable import Interval


@dataclass(frozen=True)
class Missing(CellProblem):
    """Values of one column that are missing, each with a probability that may depend on anything.

    The three mechanisms of Rubin (1976, Biometrika 63:581–592) differ in what `share` reads: nothing, and values are
    missing completely at random; other variables that are observed, and they are missing at random; the column itself
    or a hidden variable, and they are missing not at random. An expression reads the *true* values.

    Numbers become floats with NaN (a column of whole numbers too, whether or not one is missing in this draw);
    categories become NaN.

    Parameters
    ----------
    column : an observed variable or the response.
    share : the probability of being missing: a number in [0, 1], or an expression such as
        ``"1 / (1 + exp(4 - depression))"``.
    level : cluster whose rows are missing together; None for the level of the column, so that what a therapist has
        once is missing in all of his rows or in none.
    grouping : True lets `column` be a cluster: rows that belong to nobody.

    Raises
    ------
    PopulationError
        If the column is not in the data, or a probability leaves [0, 1]; for an expression, when it is drawn.

    Examples
    --------
    >>> import mixedsim as ms
    >>> ms.Missing("depression", 0.2)
    Missing(column='depression', share=0.2, level=None, grouping=False)

    The most anxious do not answer: not at random, and the mean of the others is too small.

    >>> shy = ms.Missing("anxiety", "1 / (1 + exp((65 - anxiety) / 5))")
    >>> sample = ms.scenarios.therapist_plain().with_(problems=[shy]).draw(seed=1)
    >>> float(sample.truth.complete["anxiety"].mean() - sample.data["anxiety"].mean())
    6.8
    """

    column: str
    share: Parameter
    level: str | None = None
    grouping: bool = False

    limits: ClassVar[Mapping[str, Interval]] = {"share": PROBABILITY}
    numeric: ClassVar[bool] = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.grouping, bool):
            raise FieldError(self._path("grouping"), f"must be true or false, found {shown(self.grouping)}.")

    def strike(self, scene: Scene) -> None:
        scene.lose(self.column, scene.struck(self.share, scene.level_of(self.column, self.level)))

    def equation(self, write: Callable[[Parameter], str]) -> str:
        return f"missing, with probability {write(self.share)}"

    def _check_column(self, contents: Contents) -> None:
        if self.column not in contents.clusters:
            super()._check_column(contents)
        elif not self.grouping:
            raise FieldError(
                self._path("column"),
                f"is the cluster {self.column!r}, without which a row belongs to nobody: say grouping=True if it is "
                "meant.",
            )
