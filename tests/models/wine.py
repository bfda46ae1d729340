"""Bitterness of wine: 9 judges, 8 bottles, and fits that several tests share.

Data: Randall (1989), Biometrical Journal 31:781, table 1, in the categories of Tutz & Hennevogl (1996), Comput. Stat.
Data Anal. 22:537, table 1; R: ``ordinal::wine``.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
from scipy import stats

import mixedsim as ms
from mixedsim.models import CumulativeLinkMixedModel

FORMULA = "rating ~ temp + contact + (1 | judge)"
_RATINGS = (  # a row a judge, a column a bottle: two cold ones without contact, two with, then four warm ones
    "23344455",
    "12132354",
    "23325544",
    "32323253",
    "23433333",
    "32322454",
    "11222323",
    "22233334",
    "12323244",
)


@cache
def wine() -> pd.DataFrame:
    codes = [int(one) - 1 for row in _RATINGS for one in row]
    return pd.DataFrame(
        {
            "rating": pd.Categorical.from_codes(codes, categories=list("12345"), ordered=True),
            "temp": np.tile(["cold", "warm"], 9).repeat(4),
            "contact": np.tile(["no", "yes"], 18).repeat(2),
            "bottle": np.tile(np.arange(1, 9), 9),
            "judge": np.arange(1, 10).repeat(8),
        }
    )


@cache
def wine_fit(link: str = "logit", nagq: int = 1) -> CumulativeLinkMixedModel:
    return ms.clmm(FORMULA, wine(), link=link, nagq=nagq)


@cache
def answers(homes: int = 60) -> pd.DataFrame:
    """Answers of residents in homes; five categories."""
    return ms.scenarios.satisfaction(homes=homes).draw(seed=2).data


NODES = np.linspace(-10, 10, 801)  # the trapezoidal rule is exact to all digits on functions like these
DENSITY = stats.norm.pdf(NODES) * (NODES[1] - NODES[0])


def marginal(parameters: np.ndarray, link: str) -> float:
    """−2 log of the product of one integral a judge, taken of the probabilities themselves."""
    latent = {"logit": stats.logistic, "cloglog": stats.gumbel_l}[link]
    data = wine()
    ends = np.concatenate([[-np.inf], parameters[:4], [np.inf]])
    eta = (data[["temp", "contact"]] == ["warm", "yes"]).to_numpy(dtype=float) @ parameters[4:6]
    codes = data["rating"].cat.codes.to_numpy()
    place = eta[:, None] + parameters[6] * NODES
    shares = latent.cdf(ends[codes + 1][:, None] - place) - latent.cdf(ends[codes][:, None] - place)
    return float(-2.0 * np.log(shares.reshape(9, 8, -1).prod(axis=1) @ DENSITY).sum())
