"""Words: one of a few, or one for each of several things."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from mixedsim.classroom import answers
from mixedsim.classroom.marking.own import Own
from mixedsim.classroom.marking.question import Question, settled
from mixedsim.classroom.marking.verdict import Verdict

Pair = tuple[str, str]


@dataclass(frozen=True, kw_only=True)
class Choice(Question):
    """A question whose answer is one of a few words.

    Parameters
    ----------
    among : the words.
    answer : the right one, or a function of the student's `Own`.
    wrong : words that are the mark of a misconception: misconception -> word (or function), or several words.
    """

    among: Sequence[str]
    answer: str | Callable[[Own], str]
    wrong: Mapping[str, str | Sequence[str] | Callable[[Own], str]] = field(default_factory=dict)

    kind = "choice"

    @property
    def misconceptions(self) -> frozenset[str]:
        """The mistakes that it knows."""
        return frozenset(self.wrong)

    def visible(self) -> str:
        """Source of the visible check."""
        return f"answers.choice({self.variable!r}, {self.variable}, among={list(self.among)!r})"

    def read(self, value: Any) -> str:
        """The word as it stands in `among`."""
        return answers.choice(self.variable, value, among=self.among)

    def right_answer(self, own: Own) -> str:
        """The right word."""
        return str(settled(self.answer, own))

    def wrong_answers(self, own: Own) -> dict[str, str]:
        """The words that mistakes lead to, where that is not the right one for this student."""
        return {name: words[0] for name, words in self._mistaken(own).items()}

    def judge(self, answer: str, own: Own) -> Verdict:
        """Compare."""
        right = self.right_answer(own)
        if answer == right:
            return self.verdict("right", share=1.0, given=answer, right=right)
        mistake = next((name for name, words in self._mistaken(own).items() if answer in words), "")
        return self.verdict("wrong", mistake=mistake, given=answer, right=right)

    def _mistaken(self, own: Own) -> dict[str, list[str]]:
        right = self.right_answer(own)
        found = {name: settled(words, own) for name, words in self.wrong.items()}
        words = {name: [one] if isinstance(one, str) else list(one) for name, one in found.items()}
        kept = {name: [word for word in several if word != right] for name, several in words.items()}
        return {name: several for name, several in kept.items() if several}


@dataclass(frozen=True, kw_only=True)
class Sorting(Question):
    """A question that gives each of several things one of a few words: ``{"tray": "random", "light": "fixed"}``.

    Every thing in its place gets its share of the points.

    Parameters
    ----------
    among : the words.
    answer : thing -> right word (a tuple of words where more than one is right), or a function of the student's `Own`.
    wrong : misconception -> (thing, word), or several such pairs.
    """

    among: Sequence[str]
    answer: Mapping[str, str | tuple[str, ...]] | Callable[[Own], Mapping[str, str | tuple[str, ...]]]
    items: Sequence[str] = ()
    wrong: Mapping[str, Pair | Sequence[Pair]] = field(default_factory=dict)

    kind = "sorting"

    @property
    def things(self) -> list[str]:
        """What is sorted."""
        return list(self.items) if callable(self.answer) else list(self.answer)

    @property
    def misconceptions(self) -> frozenset[str]:
        """The mistakes that it knows."""
        return frozenset(self.wrong)

    def visible(self) -> str:
        """Source of the visible check."""
        among, things = list(self.among), self.things
        return f"answers.sorting({self.variable!r}, {self.variable}, items={things!r}, among={among!r})"

    def read(self, value: Any) -> dict[str, str]:
        """A word for each thing."""
        return answers.sorting(self.variable, value, items=self.things, among=self.among)

    def right_answer(self, own: Own) -> dict[str, str]:
        """The right word for each."""
        return {thing: words[0] for thing, words in self._right(own).items()}

    def wrong_answers(self, own: Own) -> dict[str, dict[str, str]]:
        """All right but for the mistake."""
        right = self.right_answer(own)
        return {name: {**right, **dict(_pairs(pairs)[:1])} for name, pairs in self.wrong.items()}

    def judge(self, answer: dict[str, str], own: Own) -> Verdict:
        """Compare thing by thing."""
        right = self._right(own)
        misplaced = [thing for thing, word in answer.items() if word not in right[thing]]
        told: dict[str, Any] = {"given": answer, "right": self.right_answer(own)}
        if not misplaced:
            return self.verdict("right", share=1.0, **told)
        slips = {(thing, answer[thing]) for thing in misplaced}
        found = (name for name, pairs in self.wrong.items() if slips & set(_pairs(pairs)))
        placed = len(right) - len(misplaced)
        said = f"{placed} of {len(right)} are in their place."
        outcome, mistake = "partly" if placed else "wrong", next(found, "")
        feedback = said if mistake or not self.look else f"{said} {self.look}"
        share = placed / len(right)
        return self.verdict(outcome, share=share, mistake=mistake, feedback=feedback, **told)  # type: ignore[arg-type]

    def _right(self, own: Own) -> dict[str, tuple[str, ...]]:
        right: Mapping[str, str | tuple[str, ...]] = settled(self.answer, own)
        return {thing: (words,) if isinstance(words, str) else words for thing, words in right.items()}


def _pairs(pairs: Pair | Sequence[Pair]) -> list[Pair]:
    return [cast(Pair, pairs)] if isinstance(pairs[0], str) else cast(list[Pair], list(pairs))
