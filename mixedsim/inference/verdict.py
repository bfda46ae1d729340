"""What a look at one assumption comes to: a few words that rest on a number."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Verdict:
    """One assumption, judged.

    Attributes
    ----------
    check : which: ``"mean"``, ``"spread"``, ``"groups"``, ``"shape of residuals"`` …
    fine : whether it looks as in responses drawn from the model; None where there is nothing to look at.
    p : of the test behind it; NaN where there is none.
    words : ``"looks fine"`` or ``"departs: …"``, or why there is nothing to look at.
    """

    check: str
    fine: bool | None
    p: float
    words: str

    @property
    def sentence(self) -> str:
        """The words with their p-value."""
        return self.words if self.p != self.p else f"{self.words} ({p_text(self.p)})"


def judged(check: str, departs: bool, p: float, how: str) -> Verdict:
    """A verdict that a test gives; `how` says what departs."""
    return Verdict(check, not departs, p, f"departs: {how}" if departs else "looks fine")


def nothing(check: str, why: str) -> Verdict:
    """No verdict, and why."""
    return Verdict(check, None, float("nan"), why)


def p_text(p: float) -> str:
    """``p = 0.03``, or ``p < 0.001``."""
    return "p < 0.001" if p < 0.001 else f"p = {p:.2g}"
