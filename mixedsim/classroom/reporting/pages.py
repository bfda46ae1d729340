"""The frame of the pages that the classroom writes: one HTML file each, which loads nothing and runs no script.

Whatever is put into a page is escaped, unless it is `Html` already: students' answers stand in these pages.
"""

from __future__ import annotations

import base64
import html
import io
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Final

import matplotlib as mpl
import matplotlib.pyplot as plt

from mixedsim.plot.style import Picture

# What would not be seen, turn the text around, or cannot be written in UTF-8.
_UNSEEN: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")
_OPEN: Final = 10  # bars
_VOID: Final = frozenset(("meta", "link", "img", "br"))


class Html(str):
    """Text that is HTML already."""

    __slots__ = ()


def escaped(text: object) -> Html:
    """Any text as HTML that shows it, characters included that one could not see.

    Examples
    --------
    >>> escaped("<b>0.3</b> & \\u202e")
    '&lt;b&gt;0.3&lt;/b&gt; &amp; \\\\u202e'
    """
    if isinstance(text, Html):
        return text
    seen = _UNSEEN.sub(lambda found: f"\\u{ord(found.group()):04x}", str(text))
    return Html(html.escape(seen))


def together(*parts: object) -> Html:
    """The parts, escaped where they are no `Html`, one after the other."""
    return Html("".join(map(escaped, parts)))


def tag(element: str, /, *inside: object, **attributes: str | int | bool | None) -> Html:
    """An element: what is inside and the attributes' values are escaped.

    A line below at an attribute's end vanishes (``class_``), within it becomes a hyphen; False and None leave it out.

    Examples
    --------
    >>> tag("p", "1 < 2", class_="note", hidden=False)
    '<p class="note">1 &lt; 2</p>'
    """
    known = {key.rstrip("_").replace("_", "-"): value for key, value in attributes.items()}
    kept = {key: value for key, value in known.items() if value is not None and value is not False}
    head = "".join(f" {key}" if value is True else f' {key}="{escaped(value)}"' for key, value in kept.items())
    return Html(f"<{element}{head}>") if element in _VOID else Html(f"<{element}{head}>{together(*inside)}</{element}>")


def prose(text: str) -> Html:
    """A sentence in which `names` stand between backticks, as feedback has them.

    Examples
    --------
    >>> prose("`icc` is < 0.")
    '<code>icc</code> is &lt; 0.'
    """
    pieces = re.split(r"`([^`]+)`", text)
    return together(*(tag("code", piece) if k % 2 else piece for k, piece in enumerate(pieces)))


def table(
    head: Sequence[object],
    rows: Iterable[Sequence[object]],
    *,
    caption: str,
    text: Iterable[int] = (0,),
    tall: bool = False,
) -> Html:
    """A table in a box of its own that scrolls where the page is narrower; keyboards can scroll it too.

    Parameters
    ----------
    head : the names of the columns.
    rows : the cells; the first of a row is its name.
    caption : what the table holds.
    text : numbers of the columns that hold words; the others are numbers and stand at the right.
    tall : whether the table may be so long that it scrolls up and down too.
    """
    words = set(text)

    def kind(k: int) -> str | None:
        return "words" if k in words else None

    top = tag("tr", *(tag("th", cell, scope="col", class_=kind(k)) for k, cell in enumerate(head)))
    body = [
        tag(
            "tr",
            tag("th", row[0], scope="row", class_=kind(0)),
            *(tag("td", cell, class_=kind(k)) for k, cell in enumerate(row[1:], 1)),
        )
        for row in rows
    ]
    inside = tag("table", tag("thead", top), tag("tbody", *body), aria_label=caption)
    box = tag(
        "div", inside, class_="scrolls tall" if tall else "scrolls", tabindex="0", role="region", aria_label=caption
    )
    return together(tag("p", caption, class_="above"), box)


def bars(counted: Sequence[tuple[int, int, str]], *, label: str) -> Html:
    """A list of bars: so many, of so many, and what they did; what comes after the first ten is folded."""
    first, rest = counted[:_OPEN], counted[_OPEN:]
    shown = tag("ul", *(_bar(*one) for one in first), class_="bars", aria_label=label)
    if not rest:
        return shown
    more = tag("ul", *(_bar(*one) for one in rest), class_="bars", aria_label=f"{label}, continued")
    return together(shown, tag("details", tag("summary", f"{len(rest)} more"), more))


def _bar(count: int, of: int, said: str) -> Html:
    width = 100 * count / of if of else 0.0
    filled = tag("span", tag("span", style=f"width: {width:.1f}%"), class_="bar", aria_hidden="true")
    return tag("li", tag("span", tag("strong", f"{count} of {of}"), f" {said}"), filled)


def figure(picture: Picture, *, caption: object) -> Html:
    """A picture as SVG in the page, with its alt text; the picture is closed."""
    file = io.StringIO()
    with mpl.rc_context({"svg.fonttype": "path", "svg.hashsalt": "mixedsim"}):
        picture.savefig(file, format="svg", metadata={"Date": None})
    plt.close(picture)
    data = base64.b64encode(file.getvalue().encode()).decode()
    width = round(picture.get_figwidth() * 96)
    shown = tag("img", src=f"data:image/svg+xml;base64,{data}", alt=picture.alt, width=width)
    return tag("figure", shown, tag("figcaption", caption))


def page(title: str, *inside: object, note: str = "") -> str:
    """A whole page.

    Parameters
    ----------
    title : in the window's bar; the heading is for `inside` to say.
    note : the last line.
    """
    head = together(
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        # Whatever slips through: the page may load nothing and run nothing.
        tag(
            "meta",
            http_equiv="Content-Security-Policy",
            content="default-src 'none'; img-src data:; style-src 'unsafe-inline'",
        ),
        tag("title", title),
        tag("link", rel="icon", href="data:,"),
        tag("style", Html(_style())),
    )
    foot = tag("footer", tag("p", note)) if note else ""
    body = tag("body", tag("main", *inside), foot)
    return "<!DOCTYPE html>\n" + tag("html", tag("head", head), body, lang="en") + "\n"


@lru_cache(maxsize=1)
def _style() -> str:
    return Path(__file__).with_name("pages.css").read_text(encoding="utf-8")
