"""What an export holds, question by question: how far right answers spread, which mistakes could not be told apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pandas as pd

from mixedsim.classroom.export.items import ChoiceItem, Item, MatchItem, NumberItem
from mixedsim.classroom.export.variants import Exam, Variant


def summary(exam: Exam, variants: Sequence[Variant]) -> pd.DataFrame:
    """A row a question of the assignment, exported or not.

    Returns
    -------
    DataFrame
        Index question; kind; variants; different (right answers); low, median, high (of right numbers); most (the
        largest share of variants with the same right answer); mistakes (known to the key); dropped (share of mistakes
        that have no value of their own, over all variants); note (why it is not exported).
    """
    rows = {}
    for question in exam.key.questions:
        row: dict[str, object] = {"kind": question.kind, "mistakes": len(question.misconceptions)}
        if question.name in exam.left_out:
            row.update(variants=0, note=exam.left_out[question.name])
        else:
            items = [variant.items[question.name] for variant in variants]
            row.update(variants=len(items), note="", **_spread(items), **_dropped(items))
        rows[question.name] = row
    columns = ["kind", "variants", "different", "low", "median", "high", "most", "mistakes", "dropped", "note"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns).rename_axis("question")


def _spread(items: Sequence[Item]) -> dict[str, object]:
    """Of the right answers; numbers are compared as they would be typed, to four digits."""
    right = [_right(item) for item in items]
    counts = Counter(f"{one:.4g}" if isinstance(one, float) else one for one in right)
    found: dict[str, object] = {"different": len(counts), "most": max(counts.values()) / len(items)}
    numbers = np.array([one for one in right if isinstance(one, float)])
    if numbers.size:
        found.update(low=numbers.min(), median=np.median(numbers), high=numbers.max())
    return found


def _right(item: Item) -> float | str:
    if isinstance(item, NumberItem):
        return item.right[0].number
    if isinstance(item, ChoiceItem):
        return next(option.word for option in item.options if option.right)
    assert isinstance(item, MatchItem)
    return repr(item.pairs)


def _dropped(items: Sequence[Item]) -> dict[str, object]:
    numbers = [item for item in items if isinstance(item, NumberItem)]
    known = sum(len(item.mistakes) + len(item.dropped) for item in numbers)
    return {"dropped": sum(len(item.dropped) for item in numbers) / known} if known else {}
