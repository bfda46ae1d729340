"""How hard each question was, and whether who knows more answers it better; how reliable the sum is.

Sources: R. L. Ebel & D. A. Frisbie (1991), Essentials of Educational Measurement, 5th edition, chapter 13; L. Crocker &
J. Algina (1986), Introduction to Classical and Modern Test Theory, chapters 7 and 14.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import fdtri

Floats = NDArray[np.float64]
SMALL: Final = 30  # students: with fewer, all of this is little more than a guess
TAIL: Final = 0.27  # of the students: the upper and the lower group (Kelley 1939, J. Educ. Psychol. 30:17–24)


class Reliability(NamedTuple):
    """Cronbach's alpha with its interval; NaN where it cannot be told."""

    alpha: float
    lower: float
    upper: float


def item_statistics(points: pd.DataFrame, maximum: pd.Series[float]) -> pd.DataFrame:
    """A row for each question: how hard it was, and how well it tells the stronger students from the weaker.

    Parameters
    ----------
    points : one row a student, one column a question; no answer counts 0.
    maximum : what each question is worth; index: question.

    Returns
    -------
    DataFrame
        - ``n``: students.
        - ``difficulty``: the mean share of the points, for a question without partial points the proportion correct
          (so the easy ones have the high values); ``difficulty_se`` is sd / √n.
        - ``item_rest``: correlation of the question's points with the sum of all *other* questions (Crocker & Algina,
          chapter 14); ``item_rest_se`` by the jackknife (Efron & Tibshirani 1993, eq. 11.5), because points are
          far from normal.
        - ``index``: mean share in the upper group minus that in the lower one, D = p_U − p_L (Ebel & Frisbie, chapter
          13), the groups being the 27 % with the most and the least points; students who are equal at the border share
          the places that are left. ``index_se`` is √(v_U / k + v_L / k), where k = 0.27 n and v are the variances of
          the shares in the groups, p (1 − p) for right and wrong.

        NaN where it cannot be told: everybody has the same points, or there are too few.

    Examples
    --------
    >>> import pandas as pd
    >>> points = pd.DataFrame({"q1": [1, 1, 1, 0], "q2": [2, 2, 0, 0]})
    >>> item_statistics(points, pd.Series({"q1": 1.0, "q2": 2.0}))[["difficulty", "item_rest", "index"]].round(2)
        difficulty  item_rest  index
    q1        0.75       0.58    1.0
    q2        0.50       0.58    1.0
    """
    x = points.to_numpy(dtype=np.float64)
    worth = maximum.reindex(points.columns).to_numpy(dtype=np.float64)
    share, n = x / worth, len(x)
    total = x.sum(axis=1)
    item_rest, item_rest_se = _correlations(x, total[:, None] - x)
    index, index_se = _upper_lower(share, total)
    difficulty = share.mean(axis=0) if n else np.full(len(worth), np.nan)
    spread = share.std(axis=0, ddof=1) / np.sqrt(n) if n > 1 else np.full(len(worth), np.nan)
    columns = {
        "n": n, "difficulty": difficulty, "difficulty_se": spread, "item_rest": item_rest,
        "item_rest_se": item_rest_se, "index": index, "index_se": index_se,
    }  # fmt: skip
    return pd.DataFrame(columns, index=points.columns)


def reliability(points: pd.DataFrame) -> Reliability:
    """Cronbach's alpha of the sum of all questions, with a 95 % interval.

    α = k / (k − 1) · (1 − Σ s²_q / s²_total) (Cronbach 1951, Psychometrika 16:297–334, eq. 2). The interval uses that
    (1 − α) / (1 − α̂) has the distribution F(n − 1, (n − 1)(k − 1)) (Feldt 1965, Psychometrika 30:357–370); it supposes
    normal scores and questions with equal variances, and is a guide where they have not.

    Parameters
    ----------
    points : one row a student, one column a question.

    Examples
    --------
    >>> import pandas as pd
    >>> reliability(pd.DataFrame({"q1": [1, 1, 0, 0], "q2": [1, 1, 1, 0]})).alpha
    0.727...
    """
    n, k = points.shape
    if n < 2 or k < 2:
        return Reliability(np.nan, np.nan, np.nan)
    x = points.to_numpy(dtype=np.float64)
    whole = x.sum(axis=1).var(ddof=1)
    if not whole > 0:
        return Reliability(np.nan, np.nan, np.nan)
    alpha = k / (k - 1) * (1 - x.var(axis=0, ddof=1).sum() / whole)
    high, low = fdtri(n - 1, (n - 1) * (k - 1), [0.975, 0.025])
    return Reliability(float(alpha), float(1 - (1 - alpha) * high), float(1 - (1 - alpha) * low))


def _correlations(x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Column by column, with jackknife standard errors."""
    n, columns = x.shape
    if n < 3:
        return np.full(columns, np.nan), np.full(columns, np.nan)
    x, y = x - x.mean(axis=0), y - y.mean(axis=0)
    sums = [(a * b).sum(axis=0) for a, b in ((x, x), (y, y), (x, y))]
    whole = _correlation(n, np.zeros(columns), np.zeros(columns), *sums)
    without = _correlation(n - 1, -x, -y, sums[0] - x * x, sums[1] - y * y, sums[2] - x * y)
    off = without - without.mean(axis=0)
    return whole, np.sqrt((n - 1) / n * (off * off).sum(axis=0))


def _correlation(n: int, sx: Floats, sy: Floats, xx: Floats, yy: Floats, xy: Floats) -> Floats:
    """From sums of values, squares and products of centred columns; NaN where one is constant."""
    vx, vy = xx - sx * sx / n, yy - sy * sy / n
    flat = (vx <= 1e-12 * n) | (vy <= 1e-12 * n)
    found: Floats = (xy - sx * sy / n) / np.sqrt(np.where(flat, np.nan, vx * vy))
    return found


def _upper_lower(share: Floats, total: Floats) -> tuple[Floats, Floats]:
    size = TAIL * len(total)
    if size < 1 or np.ptp(total) == 0:
        return np.full(share.shape[1], np.nan), np.full(share.shape[1], np.nan)
    (high, high_var), (low, low_var) = (_group(share, sign * total, size) for sign in (1, -1))
    return high - low, np.sqrt((high_var + low_var) / size)


def _group(share: Floats, total: Floats, size: float) -> tuple[Floats, Floats]:
    """Mean and variance of the shares of the `size` students with the largest totals."""
    at = np.sort(total)[::-1][int(np.ceil(size)) - 1]
    above, tied = total > at, total == at
    weight = above + tied * (size - above.sum()) / tied.sum()
    mean = weight @ share / size
    variance = weight @ (share - mean) ** 2 / size
    return mean, variance
