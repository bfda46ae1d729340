"""One question as an item of QTI 1.2, in the forms that Canvas reads.

Canvas marks a number right if it lies within the margin of *any* answer that the item lists: nothing but right answers
can be listed, so here a mistake has no feedback of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from html import escape
from typing import Final

from mixedsim.classroom.export.items import ChoiceItem, Item, MatchItem, NumberItem, Value

DECIMALS: Final = 4  # Canvas rounds to as many what is typed as a number
_TYPES: Final = {
    NumberItem: "numerical_question",
    ChoiceItem: "multiple_choice_question",
    MatchItem: "matching_question",
}
_FIRST: Final = 1000  # identifiers of options are whole numbers in Canvas


def survives_rounding(item: Item) -> bool:
    """Whether right answers stay right when Canvas rounds them to four decimals."""
    if not isinstance(item, NumberItem):
        return True
    return all(
        round(value.number, DECIMALS) == value.number or value.tolerance >= 0.5 * 10.0**-DECIMALS
        for value in item.right
    )


def item_xml(item: Item, ident: str, media: str) -> Iterator[str]:
    """The item; links to files begin with `media`."""
    yield f'<item ident="{ident}" title="{escape(item.name)}">\n<itemmetadata>\n<qtimetadata>\n'
    yield from _field("question_type", _TYPES[type(item)])
    yield from _field("points_possible", f"{item.points:g}")
    yield "</qtimetadata>\n</itemmetadata>\n<presentation>\n"
    yield _material(item.at(media))
    if isinstance(item, NumberItem):
        yield from _number(item)
    elif isinstance(item, ChoiceItem):
        yield from _choice(item)
    elif isinstance(item, MatchItem):
        yield from _match(item)
    yield "</item>\n"


def _number(item: NumberItem) -> Iterator[str]:
    yield '<response_str ident="response1" rcardinality="Single">\n<render_fib fibtype="Decimal">\n'
    yield '<response_label ident="answer1"/>\n</render_fib>\n</response_str>\n</presentation>\n'
    yield from _start()
    for value in item.right:
        yield _condition(_within(value), "No", "100", "")
    yield _condition("<other/>\n", "Yes", "", "general_incorrect_fb")
    yield "</resprocessing>\n"
    yield from _feedback({"general_incorrect_fb": item.otherwise})


def _within(value: Value) -> str:
    """Canvas reads the number, and as its margin what the upper bound lies above it."""
    number, tolerance = Decimal(f"{value.number:.12g}"), Decimal(f"{value.tolerance:.12g}")
    low, high = (f"{bound:f}" for bound in (number - tolerance, number + tolerance))
    return (
        f'<or>\n<varequal respident="response1">{number:f}</varequal>\n<and>\n'
        f'<vargte respident="response1">{low}</vargte>\n<varlte respident="response1">{high}</varlte>\n</and>\n</or>\n'
    )


def _choice(item: ChoiceItem) -> Iterator[str]:
    idents = [str(_FIRST + k) for k in range(len(item.options))]
    yield '<response_lid ident="response1" rcardinality="Single">\n'
    yield _labels(dict(zip(idents, (option.word for option in item.options), strict=True)))
    yield "</response_lid>\n</presentation>\n"
    yield from _start()
    wrong = {ident: option for ident, option in zip(idents, item.options, strict=True) if not option.right}
    right = next(ident for ident in idents if ident not in wrong)
    for ident in wrong:
        yield _condition(_equal(ident), "Yes", "", f"{ident}_fb")
    yield _condition(_equal(right), "No", "100", "")
    yield "</resprocessing>\n"
    yield from _feedback({f"{ident}_fb": option.feedback for ident, option in wrong.items()})


def _match(item: MatchItem) -> Iterator[str]:
    """Every thing is a response of its own, with all words to choose from."""
    idents = {word: str(_FIRST + k) for k, word in enumerate(item.words)}
    things = {f"response_{k}": pair for k, pair in enumerate(item.pairs, start=1)}
    for response, (thing, _) in things.items():
        yield f'<response_lid ident="{response}">\n{_material(thing, "text/plain")}'
        yield _labels({ident: word for word, ident in idents.items()})
        yield "</response_lid>\n"
    yield "</presentation>\n"
    yield from _start()
    for response, (_, word) in things.items():
        yield _condition(_equal(idents[word], response), "", f"{100 / len(things):.2f}", "", action="Add")
    yield "</resprocessing>\n"
    yield from _feedback({"general_incorrect_fb": item.otherwise})


def _labels(words: Mapping[str, str]) -> str:
    labels = (
        f'<response_label ident="{ident}">\n{_material(word, "text/plain")}</response_label>\n'
        for ident, word in words.items()
    )
    return f"<render_choice>\n{''.join(labels)}</render_choice>\n"


def _start() -> Sequence[str]:
    decvar = '<decvar maxvalue="100" minvalue="0" varname="SCORE" vartype="Decimal"/>'
    return [f"<resprocessing>\n<outcomes>\n{decvar}\n</outcomes>\n"]


def _condition(test: str, go_on: str, score: str, shown: str, action: str = "Set") -> str:
    """If the answer passes the test, it gets a score, and something is shown."""
    further = f' continue="{go_on}"' if go_on else ""
    scored = f'<setvar action="{action}" varname="SCORE">{score}</setvar>\n' if score else ""
    said = f'<displayfeedback feedbacktype="Response" linkrefid="{shown}"/>\n' if shown else ""
    return f"<respcondition{further}>\n<conditionvar>\n{test}</conditionvar>\n{scored}{said}</respcondition>\n"


def _equal(ident: str, response: str = "response1") -> str:
    return f'<varequal respident="{response}">{ident}</varequal>\n'


def _feedback(said: Mapping[str, str]) -> Iterator[str]:
    for ident, text in said.items():
        yield f'<itemfeedback ident="{ident}">\n<flow_mat>\n{_material(text)}</flow_mat>\n</itemfeedback>\n'


def _field(label: str, entry: str) -> Iterator[str]:
    yield f"<qtimetadatafield>\n<fieldlabel>{label}</fieldlabel>\n"
    yield f"<fieldentry>{entry}</fieldentry>\n</qtimetadatafield>\n"


def _material(content: str, form: str = "text/html") -> str:
    return f'<material>\n<mattext texttype="{form}">{escape(content, quote=False)}</mattext>\n</material>\n'
