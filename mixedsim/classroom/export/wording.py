"""The text of one question for one student: story, data, what was asked before, the question, how to answer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from html import escape
from urllib.parse import quote

from mixedsim.classroom.export.filed import Filed
from mixedsim.classroom.export.items import FILES
from mixedsim.classroom.export.sheet import Sheet
from mixedsim.classroom.marking import Choice, Number, Question


def whole_text(sheet: Sheet, question: Question, data: str) -> str:
    """Story, data, what was asked before, the question itself, and how to answer."""
    asked, before = sheet.asked[question.name], sheet.so_far(question.name)
    if before:
        before = f"<h3>Earlier in this exercise</h3>\n<p>Not to be answered here.</p>\n{before}"
    here = f"<h3>{asked.heading}</h3>\n{asked.body}<p><strong>{_how(question)}</strong></p>\n"
    return f"{sheet.story}{data}{before}{here}"


def _how(question: Question) -> str:
    named = f"The name <code>{question.variable}</code> is of no use here"
    if isinstance(question, Number):
        digits = "exactly" if question.digits is None else f"with {question.digits} significant digits or more"
        return f"{named}: type the number below, {digits}."
    return f"{named}: choose {'the answer' if isinstance(question, Choice) else 'one word for each'} below."


def data_paragraph(sheet: Sheet, files: Mapping[str | None, str], filed: Filed) -> str:
    """Links to the files, and how to read them."""
    lines = []
    for part, file in files.items():
        variable = sheet.tables.get(part, part or "data")
        types = ", ".join(f'"{name}": {_type(labels)}' for name, labels in filed.labels(part).items())
        reading = f'{variable} = pd.read_csv("{file}"{f", dtype={{{types}}}" if types else ""})'
        lines.append(f'<li><a href="{FILES}{quote(file)}">{file}</a>: <code>{escape(reading)}</code></li>\n')
    start = "<p><strong>The data of this question.</strong> Other questions and other people have other data.</p>"
    return f"{start}\n<ul>\n{''.join(lines)}</ul>\n"


def _type(labels: list[str]) -> str:
    return f"pd.CategoricalDtype({json.dumps(labels, ensure_ascii=False)})" if labels else "str"
