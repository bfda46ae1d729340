"""What a notebook needs of the cells that a page hides.

Hidden cells check the text, put numbers into it, and now and then prepare something that a later cell uses. A reader
who changes a number does not want to be stopped by a check of the old text, so checks go, and with them everything
that only they needed. The rest stays, as it is written.
"""

from __future__ import annotations

import ast
import symtable
from dataclasses import dataclass

GLUE = "glue"
STAND_IN = f'def {GLUE}(name, value, display=False):\n    """In the book: puts a number into the text."""\n'


@dataclass(frozen=True)
class Cell:
    source: str
    hidden: bool


def pruned(cells: list[Cell]) -> list[str]:
    """The source of each cell as the notebook has it, empty where nothing is left of a hidden one."""
    checks = _checks(cells)
    needed: set[str] = set()  # names that what follows reads
    told = []
    for cell in reversed(cells):
        lines, kept = cell.source.splitlines(), []
        for statement in reversed(ast.parse(cell.source).body):
            made = _names(statement, made=True)
            if cell.hidden and (_only_checks(statement, checks) or not (made & needed or _acts(statement))):
                continue
            if not isinstance(statement, (ast.For, ast.While, ast.If, ast.Try)):
                needed -= made  # made here for certain, so not needed from before
            needed |= _names(statement, made=False)
            start = min([statement.lineno, *(one.lineno for one in getattr(statement, "decorator_list", []))])
            kept.append("\n".join(lines[start - 1 : statement.end_lineno]))
        told.append("\n".join(reversed(kept)) if cell.hidden else cell.source)
    told.reverse()
    first = next((place for place, source in enumerate(told) if _calls_glue(ast.parse(source))), None)
    if first is not None:
        told[first] = f"{STAND_IN}\n\n{told[first]}"
    return told


def _checks(cells: list[Cell]) -> set[str]:
    """``glue``, and the functions of hidden cells that do nothing but check."""
    found = {GLUE}
    for cell in (cell for cell in cells if cell.hidden):
        for statement in ast.parse(cell.source).body:
            match statement:
                case ast.FunctionDef(name=name, body=[ast.Expr(value=ast.Constant()), *body]) if body:
                    found |= {name} if all(_only_checks(one, found) for one in body) else set()
                case ast.FunctionDef(name=name, body=body):
                    found |= {name} if all(_only_checks(one, found) for one in body) else set()
    return found


def _only_checks(statement: ast.stmt, checks: set[str]) -> bool:
    match statement:
        case ast.Assert():
            return True
        case ast.Expr(value=ast.Call(func=ast.Name(id=name))):
            return name in checks
        case ast.ImportFrom(module=str(module)):
            return module.startswith("myst_nb")
        case ast.For(body=body) | ast.With(body=body):
            return all(_only_checks(one, checks) for one in body)
        case ast.If(body=body, orelse=orelse):
            return all(_only_checks(one, checks) for one in [*body, *orelse])
    return False


def _acts(statement: ast.stmt) -> bool:
    """Does it do something besides making names: set an option, fill a column, call for the sake of it?"""
    if isinstance(statement, ast.Expr):
        return not isinstance(statement.value, ast.Constant)
    stored = (node for node in ast.walk(statement) if isinstance(getattr(node, "ctx", None), ast.Store))
    return any(isinstance(node, (ast.Attribute, ast.Subscript)) for node in stored) and not isinstance(
        statement, (ast.FunctionDef, ast.ClassDef)
    )


def _names(statement: ast.stmt, *, made: bool) -> set[str]:
    """The cell's names that a statement makes, or those that it reads: also from inside of a function it defines."""
    table = symtable.symtable(ast.unparse(statement), "cell", "exec")
    if made:
        return {one.get_name() for one in table.get_symbols() if one.is_assigned() or one.is_imported()}
    augmented = {
        node.target.id
        for node in ast.walk(statement)
        if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name)
    }
    return augmented | {one.get_name() for one in table.get_symbols() if one.is_referenced()} | _read_inside(table)


def _read_inside(table: symtable.SymbolTable) -> set[str]:
    read = set()
    for inner in table.get_children():
        read |= {one.get_name() for one in inner.get_symbols() if one.is_global() and one.is_referenced()}
        read |= _read_inside(inner)
    return read


def _calls_glue(tree: ast.AST) -> bool:
    return any(
        isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == GLUE
        for node in ast.walk(tree)
    )
