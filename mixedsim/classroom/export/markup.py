"""Markdown of an exercise as HTML that a learning platform shows: tables, code, mathematics between \\( and \\)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from html import escape
from typing import Any, Final

from mixedsim.errors import MixedsimError

try:
    from markdown_it import MarkdownIt
    from mdit_py_plugins.dollarmath import dollarmath_plugin
except ModuleNotFoundError as missing:
    raise MixedsimError('an export needs jupytext and what it brings: pip install "mixedsim[classroom]".') from missing

_DIRECTIVE: Final = re.compile(r"(?m)^(`{3,}|:{3,})\{([\w-]+)\}")
_ROLE: Final = re.compile(r"\{(ref|numref|eq|doc|cite\S*)\}`[^`]*`")


def html(markdown: str) -> str:
    """Markdown as HTML; what stands in it as HTML is shown, not obeyed.

    Raises
    ------
    MixedsimError
        If it uses a directive or a cross-reference of MyST, which only the book can show.

    Examples
    --------
    >>> html("With $n$ rows, `a < b`.")
    '<p>With \\\\(n\\\\) rows, <code>a &lt; b</code>.</p>\\n'
    """
    _refuse_what_only_a_book_shows(markdown)
    return str(_reader().render(markdown))


def inline(markdown: str) -> str:
    """One or two sentences as HTML without a paragraph around them."""
    return str(_reader().renderInline(markdown))


def code(source: str) -> str:
    """A piece of code as HTML."""
    return f"<pre><code>{escape(source.strip())}</code></pre>\n"


def _refuse_what_only_a_book_shows(markdown: str) -> None:
    found = _DIRECTIVE.search(markdown) or _ROLE.search(markdown)
    if found:
        raise MixedsimError(f"{found[0]!r} cannot be exported, only the book can show it: write it as plain Markdown.")


@lru_cache(maxsize=1)
def _reader() -> MarkdownIt:
    reader = MarkdownIt("commonmark", {"html": False}).enable("table").use(dollarmath_plugin)
    reader.add_render_rule("math_inline", _math_inline)
    reader.add_render_rule("math_block", _math_block)
    return reader


def _math_inline(_renderer: Any, tokens: Sequence[Any], k: int, _options: Mapping[str, Any], _state: Any) -> str:
    return rf"\({escape(tokens[k].content.strip(), quote=False)}\)"


def _math_block(_renderer: Any, tokens: Sequence[Any], k: int, _options: Mapping[str, Any], _state: Any) -> str:
    return rf"<p>\[{escape(tokens[k].content.strip(), quote=False)}\]</p>" + "\n"
