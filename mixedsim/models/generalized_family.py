"""What kind of response a generalised model has: its family and link by the names that people type."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from mixedsim.engine.glm_ordinal import Cumulative
from mixedsim.engine.glm_problem import FAMILIES
from mixedsim.errors import MixedsimError, nearest, shown

_OTHER_NAMES: Mapping[str, str] = {
    "bernoulli": "binomial",
    "logistic": "binomial",
    "count": "poisson",
    "nbinom": "negative-binomial",
    "nbinom2": "negative-binomial",
    "negbin": "negative-binomial",
    "nb": "negative-binomial",
    "inversegaussian": "inverse-gaussian",
}
_OTHER_LINKS: Mapping[str, str] = {
    "1/mu^2": "inverse-square",
    "1/mu**2": "inverse-square",
    "logistic": "logit",
    "sqrt": "sqrt",
    "square-root": "sqrt",
    "ln": "log",
    "complementary-log-log": "cloglog",
    "log-log": "loglog",
}
_NORMAL = frozenset(("gaussian", "normal"))
_ORDERED = frozenset(("ordinal", "cumulative", "ordered"))


@dataclass(frozen=True)
class Kind:
    """What is fitted beside the formula.

    Attributes
    ----------
    family, link : such as ``"binomial"`` and ``"logit"``.
    nagq : nodes of the quadrature; 1 for Laplace's approximation.
    """

    family: str
    link: str
    nagq: int = 1

    @property
    def scaled(self) -> bool:
        """Whether the family has a dispersion."""
        return self.family in FAMILIES and FAMILIES[self.family].scaled


def settle_kind(family: Any, nagq: Any) -> Kind:
    """Family, link and nodes as they were asked for.

    Parameters
    ----------
    family : a name, or a pair of a name and a link.
    nagq : a whole number of at least 0.

    Raises
    ------
    MixedsimError
        For a family or link that does not exist (the sentence says the nearest), and for another kind of nagq.
    """
    name, link = (family, None) if isinstance(family, str) else _pair(family)
    found = _family_named(name)
    links = FAMILIES[found].links
    if link is not None:
        link = _plain(link)
        link = _OTHER_LINKS.get(link, link)
        if link not in links:
            known = ", ".join(links)
            raise MixedsimError(f"the family {found!r} has the links {known}, not {link!r}: {nearest(link, links)}")
    return Kind(found, link or links[0], settle_nodes(nagq))


def settle_ordinal(link: Any, nagq: Any) -> Kind:
    """Link and nodes of a model of ordered categories, as they were asked for; raises as `settle_kind` does."""
    links = Cumulative.links
    plain = _plain(link) if isinstance(link, str) else shown(link)
    plain = _OTHER_LINKS.get(plain, plain)
    if plain not in links:
        raise MixedsimError(f"ms.clmm has the links {', '.join(links)}, not {link!r}: {nearest(plain, links)}")
    return Kind(Cumulative.kind, plain, settle_nodes(nagq, least=1))


def settle_nodes(nagq: Any, least: int = 0) -> int:
    """A number of nodes as it was asked for."""
    if isinstance(nagq, bool | np.bool_) or not isinstance(nagq, int | np.integer) or nagq < least:
        raise MixedsimError(
            f"nagq must be a whole number from 1 (Laplace's approximation) to 25 (nodes of the quadrature), found "
            f"{shown(nagq)}."
        )
    return int(nagq)


def _pair(family: Any) -> tuple[str, str | None]:
    if isinstance(family, tuple | list) and len(family) == 2 and all(isinstance(part, str) for part in family):
        return family[0], family[1]
    raise MixedsimError(
        f"family must be a name such as 'binomial', or a pair of a name and a link such as ('binomial', 'probit'), "
        f"found {shown(family)}."
    )


def _family_named(name: str) -> str:
    plain = _plain(name)
    plain = _OTHER_NAMES.get(plain, plain)
    if plain in _NORMAL:
        raise MixedsimError(
            f"the family {name!r} with an identity link is a linear mixed model, which ms.lmer fits exactly: use "
            "ms.lmer(formula, data), and log or another function of the response for another link."
        )
    if plain in _ORDERED:
        raise MixedsimError(f"the family {name!r} has a model of its own: use ms.clmm(formula, data, link='logit').")
    if plain not in FAMILIES:
        raise MixedsimError(f"there is no family {name!r}: {nearest(plain, [*FAMILIES, 'bernoulli', 'nbinom'])}")
    return plain


def _plain(name: str) -> str:
    """A name without differences of spelling: ``Negative Binomial``, ``inverse.gaussian``."""
    return "-".join(name.strip().lower().replace("_", "-").replace(".", "-").split())
