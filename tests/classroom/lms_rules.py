"""How Moodle and Canvas mark, written again from what their own code does, on the files that were exported.

Moodle: ``question/type/numerical/question.php`` (``get_tolerance_interval``, ``get_matching_answer``). Canvas: what its
``qti_exporter`` reads from an item, and ``Quizzes::QuizQuestion::NumericalQuestion``, which takes the answer for right
if it lies within the margin of any that is listed, after the page has rounded it to four decimals.
"""

import xml.etree.ElementTree as ET
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

QTI = "{http://www.imsglobal.org/xsd/ims_qtiasiv1p2}"
PRECISION = 1e-14  # PHP's default of 14 digits


@dataclass(frozen=True)
class Mark:
    share: float
    feedback: str


def moodle_number(question: ET.Element, typed: str) -> Mark:
    """The first answer whose interval holds what was typed."""
    value = float(typed)
    for answer in question.iterfind("answer"):
        said = answer.findtext("feedback/text")
        text = answer.findtext("text")
        if text == "*":
            return Mark(float(answer.get("fraction")) / 100, said)
        tolerance = float(answer.findtext("tolerance")) + PRECISION * max(1, abs(float(text)))
        if float(text) - tolerance <= value <= float(text) + tolerance:
            return Mark(float(answer.get("fraction")) / 100, said)
    return Mark(0.0, "")


def moodle_choice(question: ET.Element, word: str) -> Mark:
    answer = next(one for one in question.iterfind("answer") if one.findtext("text") == word)
    return Mark(float(answer.get("fraction")) / 100, answer.findtext("feedback/text"))


def moodle_match(question: ET.Element, given: dict[str, str]) -> float:
    """A thing counts if its word is right; a subquestion without a thing is only one more word."""
    pairs = {one.findtext("text"): one.findtext("answer/text") for one in question.iterfind("subquestion")}
    pairs.pop("", None)
    return sum(given[thing] == word for thing, word in pairs.items()) / len(pairs)


def canvas_number(item: ET.Element, typed: str) -> bool:
    rounded = Decimal(typed).quantize(Decimal("0.0001"), ROUND_HALF_UP)
    for either in item.iter(f"{QTI}or"):
        exact = float(either.findtext(f"{QTI}varequal"))
        margin = float(Decimal(either.findtext(f"{QTI}and/{QTI}varlte")) - Decimal(either.findtext(f"{QTI}varequal")))
        low, high = Decimal(repr(exact)) - Decimal(repr(margin)), Decimal(repr(exact)) + Decimal(repr(margin))
        if low <= rounded <= high:
            return True
    return False


def canvas_labels(item: ET.Element) -> dict[str, str]:
    """Identifier of each option -> its word."""
    return {one.get("ident"): one.findtext(f".//{QTI}mattext") for one in item.iter(f"{QTI}response_label")}


def canvas_feedback(item: ET.Element) -> dict[str, str]:
    return {one.get("ident"): one.findtext(f".//{QTI}mattext") for one in item.iter(f"{QTI}itemfeedback")}


def canvas_choice(item: ET.Element, word: str) -> Mark:
    score, said = 0.0, ""
    for condition in item.iter(f"{QTI}respcondition"):
        asked = condition.findtext(f"{QTI}conditionvar/{QTI}varequal")
        if asked is not None and canvas_labels(item)[asked] == word:
            score = float(condition.findtext(f"{QTI}setvar", "0")) or score
            shown = condition.find(f"{QTI}displayfeedback")
            said = said if shown is None else canvas_feedback(item)[shown.get("linkrefid")]
    return Mark(score / 100, said)


def canvas_match(item: ET.Element, given: dict[str, str]) -> float:
    responses = {
        one.get("ident"): one.findtext(f"{QTI}material/{QTI}mattext") for one in item.iter(f"{QTI}response_lid")
    }
    score = 0.0
    for condition in item.iter(f"{QTI}respcondition"):
        equal = condition.find(f"{QTI}conditionvar/{QTI}varequal")
        if given[responses[equal.get("respident")]] == canvas_labels(item)[equal.text]:
            score += float(condition.findtext(f"{QTI}setvar"))
    return score / 100


# What may stand in what, of the elements that are used: IMS QTI 1.2.1, its DTD, with the extension that Canvas reads.
CONTENT = {
    "questestinterop": "assessment",
    "assessment": "qtimetadata (section )+",
    "qtimetadata": "(qtimetadatafield )+",
    "qtimetadatafield": "fieldlabel fieldentry",
    "section": "(selection_ordering )?((item )|(section ))*",
    "selection_ordering": "selection",
    "selection": "selection_number selection_extension",
    "selection_extension": "points_per_item",
    "item": "itemmetadata presentation resprocessing (itemfeedback )*",
    "itemmetadata": "qtimetadata",
    "presentation": "((material )|(response_lid )|(response_str ))+",
    "material": "(mattext )+",
    "response_str": "render_fib",
    "response_lid": "(material )?render_choice",
    "render_fib": "(response_label )+",
    "render_choice": "(response_label )+",
    "response_label": "(material )*",
    "resprocessing": "outcomes (respcondition )+",
    "outcomes": "decvar",
    "respcondition": "conditionvar (setvar )*(displayfeedback )*",
    "conditionvar": "((varequal )|(or )|(other ))+",
    "or": "varequal and",
    "and": "vargte varlte",
    "itemfeedback": "flow_mat",
    "flow_mat": "material",
}
TEXT = {
    *("fieldlabel", "fieldentry", "mattext", "varequal", "vargte", "varlte", "other", "decvar", "setvar"),
    *("displayfeedback", "selection_number", "points_per_item"),
}
NEEDED = {
    "assessment": {"ident", "title"},
    "section": {"ident"},
    "item": {"ident", "title"},
    "response_str": {"ident"},
    "response_lid": {"ident"},
    "response_label": {"ident"},
    "varequal": {"respident"},
    "vargte": {"respident"},
    "varlte": {"respident"},
    "displayfeedback": {"linkrefid"},
    "itemfeedback": {"ident"},
}
