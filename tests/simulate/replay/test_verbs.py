"""Every verb against R's own output, which tests/simulate/data/r_draws.R wrote (R 4.2.2).

2,000 values a call and seed: the ends and a weighted sum of all of them, and the uniform number that follows.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import mixedsim as ms

CALLS = json.loads((Path(__file__).parents[1] / "data" / "verbs.json").read_text(encoding="utf-8"))["calls"]
DIGITS = 1e-14  # relative: jsonlite writes 15 digits, logarithms differ by a unit in the last place between machines


def named(one: dict) -> str:
    arguments = {k: v if not isinstance(v, list) else f"{len(v)} values" for k, v in one["arguments"].items()}
    return f"{one['verb']}({', '.join(f'{k}={v}' for k, v in arguments.items())})"


@pytest.mark.parametrize("one", CALLS, ids=map(named, CALLS))
def test_a_verb_gives_what_r_gives(one: dict) -> None:
    assert [answer["seed"] for answer in one["answers"]] == [0, 1, 123, -5, 2**31 - 1]
    for answer in one["answers"]:
        r = ms.RSeed(answer["seed"]).generator()
        x = getattr(r, one["verb"])(**one["arguments"])
        ends = x if len(x) <= 8 else np.concatenate([x[:4], x[-4:]])
        weights = np.arange(1, len(x) + 1) % 97 + 1
        np.testing.assert_allclose(ends, answer["ends"], rtol=DIGITS, atol=0)
        assert (x * weights).sum() == pytest.approx(answer["sum"], rel=DIGITS, abs=DIGITS * abs(x * weights).sum())
        assert r.runif(1)[0] == pytest.approx(answer["following"], rel=DIGITS)
        if x.dtype.kind == "i":
            assert ends.tolist() == answer["ends"]


def test_the_calls_go_through_every_method() -> None:
    # what the table must hold, so that nobody shortens it without noticing
    arguments = {
        verb: [one["arguments"] for one in CALLS if one["verb"] == verb] for verb in {c["verb"] for c in CALLS}
    }
    assert set(arguments) == {"rnorm", "rlnorm", "runif", "rexp", "rbinom", "rpois", "sample"}
    few = [a["size"] * min(a["prob"], 1 - a["prob"]) < 30 for a in arguments["rbinom"] if np.isscalar(a["size"])]
    assert sum(few) >= 5
    assert len(few) - sum(few) >= 5
    assert min(np.min(a["mean"]) for a in arguments["rpois"]) == 0
    assert max(np.max(a["mean"]) for a in arguments["rpois"]) == 1e8
    weighted = [len(a["prob"]) for a in arguments["sample"] if "prob" in a and a["replace"]]
    assert min(weighted) < 200 < max(weighted)


def test_the_famous_numbers() -> None:
    # set.seed(123); rnorm(3)      set.seed(42); sample(1:10)      set.seed(1); runif(3)
    assert ms.RSeed(123).generator().rnorm(3).round(7).tolist() == [-0.5604756, -0.2301775, 1.5587083]
    assert ms.RSeed(42).generator().sample(10).tolist() == [1, 5, 10, 8, 2, 4, 6, 9, 7, 3]
    assert ms.RSeed(1).generator().runif(3).round(7).tolist() == [0.2655087, 0.3721239, 0.5728534]


def test_a_word_of_zeros_is_not_a_zero() -> None:
    # R: s <- .Random.seed; s[2] <- 5L; s[8] <- 0L; .Random.seed <- s; runif(1)     1.1641532185403984e-10
    r = ms.RSeed(123).generator()
    state = r._words._bits.state
    state["state"]["key"][5], state["state"]["pos"] = 0, 5
    r._words._bits.state = state
    assert r.runif(1)[0] == 1.1641532185403984e-10


def test_calls_share_one_sequence_however_it_is_cut() -> None:
    whole, cut = ms.RSeed(5).generator(), ms.RSeed(5).generator()
    pieces = [cut.rnorm(n) for n in (0, 1, 2, 3000, 7)]
    np.testing.assert_array_equal(np.concatenate(pieces), whole.rnorm(3010))
    for verb, arguments in (("rbinom", (90, 0.45)), ("rpois", (25,)), ("rexp", (2,))):
        drawn = [getattr(cut, verb)(n, *arguments) for n in (1, 2, 500)]
        np.testing.assert_array_equal(np.concatenate(drawn), getattr(whole, verb)(503, *arguments))
    np.testing.assert_array_equal(
        np.concatenate([cut.sample(100, n, replace=True) for n in (1, 2, 500)]), whole.sample(100, 503, replace=True)
    )
    assert whole.runif(1) == cut.runif(1)


def test_values_can_be_sampled() -> None:
    one, other = ms.RSeed(3).generator(), ms.RSeed(3).generator()
    at = one.sample(3, 10, replace=True)
    assert other.sample(["a", "b", "c"], 10, replace=True).tolist() == ["abc"[i - 1] for i in at]
    assert ms.RSeed(3).generator().sample([7], 3, replace=True).tolist() == [7, 7, 7]
    assert one.sample(5, 0).tolist() == []


@pytest.mark.parametrize(
    ("verb", "arguments", "message"),
    [
        ("rnorm", (-1,), "rnorm.n must be at least 0, found -1."),
        ("rnorm", (2.5,), "rnorm.n must be a whole number, found 2.5."),
        ("rnorm", (2, 0, -1), "rnorm.sd must not be negative, found -1."),
        ("rnorm", (2, float("nan")), "rnorm.mean must be a finite number, found nan."),
        ("rnorm", (2, "0"), "rnorm.mean must be a number, or numbers, found '0'."),
        ("rnorm", (2, []), "rnorm.mean must be at least one number, found none."),
        ("runif", (2, 1, 0), "runif.high must be at least low."),
        ("rexp", (2, 0), "rexp.rate must be positive, found 0."),
        ("rbinom", (2, 1.5, 0.5), "rbinom.size must be whole numbers."),
        ("rbinom", (2, 1e9, 0.5), "rbinom.size must lie between 0 and 1e+08, found 1e+09."),
        ("rbinom", (2, 1, 1.5), "rbinom.prob must lie between 0 and 1, found 1.5."),
        ("rpois", (2, -1), "rpois.mean must lie between 0 and 1e+09, found -1."),
        ("sample", (0,), "sample.x must be at least 1, found 0."),
        ("sample", (2**31,), "sample.x must have at most 2147483647 values, found 2147483648."),
        ("sample", ([],), "sample.x must be values, or how many, found none."),
        ("sample", (3, 4), "sample.size must be at most 3 without replacement, found 4."),
        ("sample", (3, 1, False, [1, 2]), "sample.prob must hold one weight a value: 3 values, found 2 weights."),
        ("sample", (2, 1, True, [0, 0]), "sample.prob must be weights: not negative, finite, and not all 0."),
        ("sample", (2, 2, False, [0, 1]), "sample.size must be at most 1 without replacement, found 2."),
    ],
)
def test_wrong_arguments(verb: str, arguments: tuple, message: str) -> None:
    with pytest.raises(ms.PopulationError) as caught:
        getattr(ms.RSeed(1).generator(), verb)(*arguments)
    assert str(caught.value) == message
