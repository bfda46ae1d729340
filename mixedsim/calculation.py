"""What a call inside a formula may compute: columns, numbers and the functions named here, and nothing else.

Formulaic evaluates calls as Python, so that everything is read here first. It is why a formula from a stranger's file
can do no harm, and why a slip inside a call gets a sentence in the words of the person who typed it.
"""

from __future__ import annotations

import ast
import difflib
import keyword
import re
import unicodedata
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

import numpy as np
from formulaic.transforms import TRANSFORMS

FUNCTIONS: dict[str, Callable[..., Any]] = {"sqrt": np.sqrt, "abs": np.abs}  # beside formulaic's own
CALLABLE = frozenset(TRANSFORMS) - {"np", "contr", "Q", "hashed", "lag"} | frozenset(FUNCTIONS)

QUOTED = re.compile(r"`[^`]*`|'[^']*'|\"[^\"]*\"")
DOTTED = re.compile(r"(?<![\w.])(?!np\.|contr\.)[^\W\d]\w*(?:\.\w+)+(?![\w.]|\s*\()")
CALLED = re.compile(r"(?<![\w.])([^\W\d][\w.]*)\s*\(")

_MOST_OPERATIONS = 100  # in one calculation: its text is taken apart recursively
_ALLOWED = (
    ast.Expression, ast.Call, ast.keyword, ast.Name, ast.Constant, ast.BinOp, ast.UnaryOp, ast.Compare, ast.Attribute,
    ast.List, ast.Tuple, ast.Dict, ast.expr_context, ast.operator, ast.unaryop, ast.cmpop,
)  # fmt: skip
_NUMPY = frozenset({"where", "clip", "round", "isin"})  # beside its element-by-element functions
_CONTRASTS = frozenset({"Sum", "Helmert", "Diff", "Poly"})
_OPERATORS = frozenset({"and", "or", "not", "in", "is", "if", "else", "for", "lambda", "True", "False", "None"})
_WORDS = {"TRUE": "True", "FALSE": "False", "NULL": "None", "NA": "None"}
_COMPUTE = "compute it as a column of the data first, then name the column"
_CANNOT = f"a formula cannot do this calculation: {_COMPUTE}"
_CATEGORY = "write C(...) for a category"
_SHIFT = "shift it within its groups, data.groupby(...)[...].shift(), and name that column"
_SMOOTH = "splines are written bs(x, df=4) or cr(x, df=4)"
_CENTRE = "write center(x) or scale(x), which remember the mean for new data"
_INSTEAD = {
    "factor": _CATEGORY, "as.factor": _CATEGORY, "ordered": _CATEGORY, "as.character": _CATEGORY,
    "offset": "give the offset as offset=\"column\" beside the formula",
    "weights": "give the weights as weights=\"column\" beside the formula",
    "s": _SMOOTH, "ns": _SMOOTH, "te": _SMOOTH, "mean": _CENTRE, "np.mean": _CENTRE, "np.std": _CENTRE, "sd": _CENTRE,
    "lag": _SHIFT,
    "cbind": "write successes / trials, for glmer", "c": "write Python's list [...]",
    "Q": "put backticks around the name: `my column`",
}  # fmt: skip
_KEYWORD = "a calculation cannot read {!r}, which is a word of Python's: rename the column"
_BASE = "another base is written I(log(x) / log(2))"
_NODES: dict[type[ast.AST], str] = {
    ast.BitXor: "inside a call a power is written '**', as in I(x**2)",
    ast.Not: "'not' is written '~' here, as in I(~(x > 0))",
    ast.In: "membership is written np.isin(x, ['a', 'b'])",
    ast.NotIn: "membership is written ~np.isin(x, ['a', 'b'])",
    ast.Is: "equality is written '==' here",
    ast.IsNot: "inequality is written '!=' here",
}


class Calculation:
    """A piece of a formula that is evaluated: a call, or a response.

    Parameters
    ----------
    text : the whole formula.
    start, end : where the calculation stands in it.
    fail : raises the error: position in `text`, sentence.
    """

    def __init__(self, text: str, start: int, end: int, fail: Callable[[int, str], NoReturn]) -> None:
        self.text, self.start, self.end, self.fail = text, start, end, fail
        code = re.sub(r"\s", " ", QUOTED.sub(_mask, text[start:end]))
        self.code = DOTTED.sub(lambda m: m.group().replace(".", "_"), code)

    def check(self) -> bool:
        """Whether it reads a column; whatever it may not do raises."""
        for match in CALLED.finditer(self.code):
            self._check_function(match.group(1), self.start + match.start())
        self._check_names()
        nodes = self._nodes()
        for node in nodes:
            self._check_node(node)
        called = {id(node.func) for node in nodes if isinstance(node, ast.Call)}
        called |= {id(node.value) for node in nodes if isinstance(node, ast.Attribute)}
        return any(isinstance(node, ast.Name) and id(node) not in called for node in nodes)

    def _check_function(self, name: str, at: int) -> None:
        if _known(name) or keyword.iskeyword(name):
            return
        close = difflib.get_close_matches(name, CALLABLE, n=1, cutoff=0.7)
        instead = _INSTEAD.get(name, f"perhaps {close[0]!r} is meant" if close else _COMPUTE)
        self.fail(at, f"the function {name!r} is not known here: {instead}")

    def _check_names(self) -> None:
        """Python reads names its own way: a keyword is none, and µ becomes μ, another letter."""
        for name, at in self._names():
            if keyword.iskeyword(name):
                self.fail(at, _KEYWORD.format(name))
            python = unicodedata.normalize("NFKC", name)
            if python != name:
                self.fail(at, f"a calculation reads {name!r} as {python!r}: rename the column so")

    def _names(self) -> Iterator[tuple[str, int]]:
        """Names with their positions: those in backticks, and other runs of letters that are not plain ASCII."""
        piece = self.text[self.start : self.end]
        for match in re.finditer(r"`([^`]*)`|'[^']*'|\"[^\"]*\"|([^\s\x00-\x7f]|\w)+", piece):
            name = match.group(1) or match.group()
            if match.group(1) or (match.group()[0] not in "'\"`" and not name.isascii()):
                yield name, self.start + match.start()

    def _nodes(self) -> list[ast.AST]:
        """The calculation taken apart."""
        tree, offset = None, -1
        try:
            tree = ast.parse(f"({self.code})", mode="eval")
        except (SyntaxError, ValueError) as error:
            offset = (getattr(error, "offset", None) or 2) - 2
        except (RecursionError, MemoryError):
            pass
        if offset >= 0:
            self._fail_to_read(offset)
        nodes = [] if tree is None else list(ast.walk(tree))
        if tree is None or sum(isinstance(node, ast.BinOp | ast.UnaryOp) for node in nodes) > _MOST_OPERATIONS:
            self.fail(self.start, f"this calculation has more than {_MOST_OPERATIONS} operations: {_COMPUTE}")
        return nodes

    def _fail_to_read(self, offset: int) -> NoReturn:
        if gap := re.search(r"(?<=[\w)]) +(?=\w)", self.code):
            what = "an operator such as '+' is missing here, or backticks around a name with a space"
            self.fail(self.start + gap.end(), what)
        at = min(self.start + offset, self.end)
        if self.text[at : self.end].startswith("$"):
            self.fail(at, "'$' is not needed: write the name of the column alone")
        for word in re.finditer(r"[^\W\d]\w*", self.code):
            if keyword.iskeyword(word.group()) and word.group() not in _OPERATORS:
                self.fail(self.start + word.start(), _KEYWORD.format(word.group()))
        self.fail(at, "this cannot be read as a calculation with columns")

    def _check_node(self, node: ast.AST) -> None:
        at = self.start + len(f"({self.code})".encode()[: getattr(node, "col_offset", 1)].decode()) - 1
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitXor):
            self.fail(self.start + self.code.index("^"), _NODES[ast.BitXor])
        if type(node) is ast.UnaryOp and isinstance(node.op, ast.Not):
            self.fail(at, _NODES[ast.Not])
        if isinstance(node, ast.Compare):
            self._check_comparison(node, at)
        if isinstance(node, ast.Name) and node.id in _WORDS:
            self.fail(at, f"{node.id} is written {_WORDS[node.id]} here")
        of_module = isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
        forbidden = not isinstance(node, _ALLOWED) or isinstance(node, ast.MatMult)
        if forbidden or (isinstance(node, ast.Attribute) and not of_module):
            self.fail(at, _CANNOT)
        if isinstance(node, ast.List | ast.Tuple) and any(isinstance(e, ast.Name) for e in node.elts):
            self.fail(at, "columns cannot be listed inside a calculation: name one, and join terms by '+'")
        if isinstance(node, ast.Call):
            self._check_call(node, at)

    def _check_comparison(self, node: ast.Compare, at: int) -> None:
        if len(node.ops) > 1:
            self.fail(at, "a comparison has two sides: write I((0 < x) & (x < 5)) for both")
        kind = type(node.ops[0])
        if kind in _NODES:
            self.fail(at, _NODES[kind])

    def _check_call(self, node: ast.Call, at: int) -> None:
        """Element-by-element functions take columns and nothing else: numpy would write into a second one."""
        name = ast.unparse(node.func)
        function = FUNCTIONS.get(name, TRANSFORMS.get(name, getattr(np, name.removeprefix("np."), None)))
        wanted = function.nin if isinstance(function, np.ufunc) else 1 if name in ("I", "center") else 0
        given = len(node.args) + len(node.keywords)
        if not node.args and not node.keywords and name in CALLABLE - _CONTRASTS - {"Treatment"}:
            self.fail(at, f"{name!r} needs a column: name it between the brackets")
        if wanted and (given != wanted or node.keywords):
            takes = f"{name!r} takes {'one column' if wanted == 1 else 'two columns'}"
            found = f"{given} arguments" if given != wanted else "a keyword"
            self.fail(at, f"{takes}, found {found}: {_BASE if name == 'log' and given == 2 else 'leave the rest out'}")
        if any(word.arg is None for word in node.keywords):
            self.fail(at, _CANNOT)
        if name == "C":
            self._check_contrast(node, at)

    def _check_contrast(self, node: ast.Call, at: int) -> None:
        given = [*node.args[1:2], *(word.value for word in node.keywords if word.arg == "contrasts")]
        for contrast in given:
            named = isinstance(contrast, ast.Name) and contrast.id in _CONTRASTS
            if not named and not isinstance(contrast, ast.Call | ast.Attribute | ast.List | ast.Dict):
                what = "contrasts are Sum, Helmert, Diff, Poly or Treatment('level'), as in C(x, Sum)"
                self.fail(at, f"this is no coding that C(...) knows: {what}")


def _known(name: str) -> bool:
    """Whether a function may be called."""
    module, _, member = name.rpartition(".")
    if module == "contr":
        return not member.startswith("_") and hasattr(TRANSFORMS["contr"], member)
    if module == "np":
        return member in _NUMPY or isinstance(getattr(np, member, None), np.ufunc)
    return name in CALLABLE


def _mask(quoted: re.Match[str]) -> str:
    """Text of the same length that Python can read, whatever stands inside the quotes."""
    inside = "_" * (len(quoted.group()) - 2)
    return f"_{inside}_" if quoted.group()[0] == "`" else f"'{inside}'"
