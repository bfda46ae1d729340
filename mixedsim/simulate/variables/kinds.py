"""Which variables there are, and how they are made from a specification."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Any

from mixedsim.errors import nearest
from mixedsim.simulate.fields import FieldError, Path, only, shown
from mixedsim.simulate.variables.assigned import Assigned
from mixedsim.simulate.variables.bernoulli import Bernoulli
from mixedsim.simulate.variables.beta import Beta
from mixedsim.simulate.variables.binomial import Binomial
from mixedsim.simulate.variables.categorical import Categorical
from mixedsim.simulate.variables.centered import Centered
from mixedsim.simulate.variables.cluster_mean import ClusterMean
from mixedsim.simulate.variables.custom import Custom
from mixedsim.simulate.variables.derived import Derived
from mixedsim.simulate.variables.integers import Integers
from mixedsim.simulate.variables.lag import Lag
from mixedsim.simulate.variables.lognormal import LogNormal
from mixedsim.simulate.variables.normal import Normal
from mixedsim.simulate.variables.poisson import Poisson
from mixedsim.simulate.variables.student_t import StudentT
from mixedsim.simulate.variables.uniform import Uniform
from mixedsim.simulate.variables.variable import Variable, addressed
from mixedsim.simulate.variables.within import Within

KINDS: dict[str, type[Variable]] = {
    kind.__name__: kind
    for kind in (
        *(Normal, LogNormal, Uniform, Integers, Bernoulli, Binomial, Poisson, Categorical, Beta, StudentT),
        *(Assigned, Derived, ClusterMean, Within, Centered, Lag, Custom),
    )
}

_EXAMPLE = "{kind: Normal, mean: 5, sd: 2}"


def variable_from(value: Any, field: Path) -> Variable:
    """Return `value` if it is a variable, or the variable that a mapping such as a YAML entry describes.

    Parameters
    ----------
    value : a `Variable`, or ``{"kind": "Normal", "mean": 5, "sd": 2}``.
    field : path of the entry, for the error.

    Raises
    ------
    FieldError
        With the full path: ``variables.depression.sd must not be negative, found -2.``
    """
    if isinstance(value, Variable):
        return value
    if not isinstance(value, Mapping):
        raise FieldError(field, f"must be a variable such as Normal(5, 2), in YAML {_EXAMPLE}, found {shown(value)}.")
    if "kind" not in value:
        raise FieldError((*field, "kind"), f"is missing: say which of {', '.join(KINDS)}.")
    kind = KINDS.get(str(value["kind"]))
    if kind is None:
        raise FieldError((*field, "kind"), f"cannot be {shown(value['kind'])}: {nearest(str(value['kind']), KINDS)}")
    made: Variable = instance_from(kind, value, field)
    return made


def instance_from(kind: type[Any], entry: Mapping[str, Any], field: Path) -> Any:
    """An instance of a dataclass made from the fields of a mapping; its ``kind`` is already known."""
    parameters = fields(kind)
    given = {key: value for key, value in entry.items() if key != "kind"}
    needed = [f.name for f in parameters if f.default is MISSING]
    only(given, [f.name for f in parameters], field, needed=needed)
    with addressed(*field):
        return kind(**given)
