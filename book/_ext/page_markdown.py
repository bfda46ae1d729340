"""A page as Markdown that any notebook shows: what Sphinx has resolved, without Sphinx's own words.

Numbers that the build computed, numbers of figures and formulas, citations and titles of other pages stand in the text
as the reader of the built page sees them. Boxes become quotes, folded solutions ``<details>``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from docutils import nodes

Numbers = Callable[[str, str], str]  # (kind, id) -> "1.2", or "" where nothing is numbered


def block(node: nodes.Node, numbers: Numbers) -> str:
    """A block of the page, with one empty line between its paragraphs."""
    name = type(node).__name__
    writer = BLOCKS.get(name)
    if writer is not None:
        return writer(node, numbers)
    if isinstance(node, nodes.Admonition):
        return _box(node, numbers)
    if isinstance(node, nodes.TextElement) and not isinstance(node, nodes.FixedTextElement):
        return inline(node)
    return blocks(node, numbers)


def blocks(node: nodes.Node, numbers: Numbers) -> str:
    return "\n\n".join(filter(None, (block(child, numbers) for child in node.children)))


def inline(node: nodes.Node) -> str:
    """What stands in a line."""
    return "".join(map(_span, node.children)).strip()


def _span(node: nodes.Node) -> str:
    if isinstance(node, nodes.Text):
        return str(node.astext()).replace("\n", " ")
    told = "".join(map(_span, node.children))
    match type(node).__name__:
        case "literal":
            return f"`{node.astext()}`"
        case "math":
            return f"${node.astext().strip()}$"
        case "strong":
            return f"**{told}**"
        case "emphasis":
            return f"*{told}*"
        case "reference" if str(node.get("refuri", "")).startswith("http"):
            return f"[{told}]({node['refuri']})"
        case "image":
            return f"*({node.get('alt', 'a picture')})*"
        case "raw" | "target":
            return ""
    return told


def _title(node: nodes.Element, numbers: Numbers) -> str:
    depth, above = 0, node.parent
    while above is not None:
        depth, above = depth + isinstance(above, nodes.section), above.parent
    return f"{'#' * max(depth, 1)} {inline(node)}"


def _box(node: nodes.Element, numbers: Numbers) -> str:
    title = node.next_node(nodes.title)
    own = title if title is not None and title.parent is node else None
    heading = inline(own) if own is not None else type(node).__name__.capitalize()
    told = "\n\n".join(filter(None, (block(child, numbers) for child in node.children if child is not own)))
    if "dropdown" in node.get("classes", []):
        return _folded(heading, told)
    return quoted(f"**{heading}**\n\n{told}")


def _exercise(node: nodes.Element, numbers: Numbers) -> str:
    title = node.next_node(nodes.title)
    number = numbers("exercise", node["label"])
    heading = f"Exercise {number} {inline(title)}".replace("  ", " ")
    body = "\n\n".join(filter(None, (block(child, numbers) for child in node.children if child is not title)))
    return f"**{heading}**\n\n{body}"


def _quiz_question(node: nodes.Element, numbers: Numbers) -> str:
    asked, *others = node.children
    lines = [f"**{asked['place']}.** {inline(asked)}"]
    answers = [f"- {inline(one)}" for one in others if type(one).__name__ == "quiz_answer"]
    key = [f"- {inline(verdict)}" for verdict in others[-1].children]
    return "\n\n".join([*lines, *(["\n".join(answers)] if answers else []), _folded("Answers", "\n".join(key))])


def _folded(heading: str, told: str) -> str:
    return f"<details><summary>{re.sub(r'[*`]', '', heading)}</summary>\n\n{told}\n\n</details>"


def _dropdown(node: nodes.Element, numbers: Numbers) -> str:
    title, *rest = node.children
    return _folded(inline(title), "\n\n".join(filter(None, (block(child, numbers) for child in rest))))


def quoted(text: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in text.splitlines())


def _code(node: nodes.Element, numbers: Numbers) -> str:
    language = str(node.get("language", ""))
    return f"```{'' if language in ('default', 'none') else language}\n{node.astext()}\n```"


def _math(node: nodes.Element, numbers: Numbers) -> str:
    number = next(filter(None, (numbers("displaymath", one) for one in node.get("ids", []))), "")
    tag = f" \\tag{{{number}}}" if number else ""
    return f"$$\n{node.astext().strip()}{tag}\n$$"


def _figure(node: nodes.Element, numbers: Numbers) -> str:
    """Only the caption: the notebook draws the picture itself."""
    caption = node.next_node(nodes.caption)
    number = next(filter(None, (numbers("figure", one) for one in node.get("ids", []))), "")
    return f"*Fig. {number}:* {inline(caption)}" if caption is not None else ""


def _list(node: nodes.Element, numbers: Numbers) -> str:
    enumerated = isinstance(node, nodes.enumerated_list)
    return "\n".join(
        _hung(f"{position}. " if enumerated else "- ", blocks(item, numbers))
        for position, item in enumerate(node.children, start=1)
    )


def _hung(bullet: str, text: str) -> str:
    first, *rest = text.splitlines() or [""]
    return "\n".join([bullet + first, *((" " * len(bullet) + line).rstrip() for line in rest)])


def _definitions(node: nodes.Element, numbers: Numbers) -> str:
    told = []
    for item in node.children:
        terms = ", ".join(inline(term) for term in item.children if isinstance(term, nodes.term))
        body = "\n\n".join(block(part, numbers) for part in item.children if isinstance(part, nodes.definition))
        told.append(f"**{terms}**: {body}")
    return "\n\n".join(told)


def _table(node: nodes.Element, numbers: Numbers) -> str:
    rows = [[_cell(entry, numbers) for entry in row.children] for row in node.findall(nodes.row)]
    if not rows:
        return ""
    title = next((inline(part) for part in node.children if isinstance(part, nodes.title)), "")
    lines = [rows[0], ["---"] * len(rows[0]), *rows[1:]]
    told = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    return f"*{title}*\n\n{told}" if title else told


def _cell(entry: nodes.Node, numbers: Numbers) -> str:
    return blocks(entry, numbers).replace("\n", " ").replace("|", "\\|")


def _nothing(node: nodes.Node, numbers: Numbers) -> str:
    return ""


def pieces(node: nodes.Node, numbers: Numbers) -> Iterator[str | nodes.container]:
    """Markdown and code cells of a page in their order; cells stand in sections, and in solutions of several blocks."""
    for child in node.children:
        if isinstance(child, nodes.container) and child.get("nb_element") == "cell_code":
            yield child
        elif next(cells_in(child), None) is not None:
            yield from pieces(child, numbers)
        elif isinstance(child, nodes.title) and isinstance(node, nodes.Admonition):
            yield f"**{inline(child)}**"
        elif told := block(child, numbers):
            yield told


def cells_in(node: nodes.Node) -> Iterator[nodes.container]:
    return (part for part in node.findall(nodes.container) if part.get("nb_element") == "cell_code")


def is_solution(cell: nodes.container) -> bool:
    """Does the cell belong to a solution, which the page folds?"""
    above = cell.parent
    while above is not None and type(above).__name__ != "solution_node":
        above = above.parent
    return above is not None


def captions_in(cell: nodes.container, numbers: Numbers) -> list[str]:
    return [told for figure in cell.findall(nodes.figure) if (told := _figure(figure, numbers))]


BLOCKS: dict[str, Callable[[nodes.Element, Numbers], str]] = {
    "title": _title,
    "rubric": lambda node, numbers: f"#### {inline(node)}",
    "exercise_node": _exercise,
    "exercise_enumerable_node": _exercise,
    "solution_node": _box,
    "quiz_question": _quiz_question,
    "dropdown_main": _dropdown,
    "literal_block": _code,
    "math_block": _math,
    "figure": _figure,
    "image": lambda node, numbers: _span(node),
    "bullet_list": _list,
    "enumerated_list": _list,
    "definition_list": _definitions,
    "glossary": blocks,
    "table": _table,
    "block_quote": lambda node, numbers: quoted(blocks(node, numbers)),
    "toctree": _nothing,
    "raw": _nothing,
    "comment": _nothing,
    "target": _nothing,
    "index": _nothing,
    "transition": lambda node, numbers: "---",
}
