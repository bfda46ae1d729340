"""The equations of a formula in scalar, varying-coefficient and matrix notation (levels: `mixedsim.words.levels`).

scalar    yᵢ = β₀ + β₁·xᵢ + u₀ⱼ₍ᵢ₎ + εᵢ             every row one line; j[i] is the group of row i
varying   yᵢ = β₀ⱼ₍ᵢ₎ + β₁·xᵢ + εᵢ                  coefficients that differ between groups
matrix    y = Xβ + Zb + ε                           all rows at once

Sources: Gelman & Hill (2007), Data Analysis Using Regression and Multilevel/Hierarchical Models, chapters 11–13, for
j[i] and varying coefficients; Bates et al. (2015), J. Stat. Softw. 67(1), equations 2–4, for the matrices.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from mixedsim.equation import Equation, Matrix, Part, indexed, named
from mixedsim.listing import listed
from mixedsim.words.anatomy import Anatomy, Block, Column, Group, marked

Place = Callable[[str], str]


def scalar(model: Anatomy) -> list[list[Equation]]:
    """One line for the response, one for each random term."""
    place = by_row(model)
    addends = [product(coefficient(model, column), column, model, place) for column in model.fixed]
    for group in model.groups:
        for block in group.blocks:
            addends += [product(effect(model, group, one, "[i]"), one, model, place) for one in block.columns]
    varies = [_drawn(model, group, block) for group in model.groups for block in group.blocks]
    return [outcome(model, "i", place, addends), [*varies, *_residual(model)], _legend(model)]


def varying(model: Anatomy) -> list[list[Equation]]:
    """Coefficients with the letters of the groups by which they vary, and what those are drawn from."""
    place = by_row(model)
    by = _groups_of(model)
    columns = {column.name: column for column in (*model.fixed, *(one for one, _ in by.values()))}
    ordered = sorted(columns.values(), key=lambda column: model.numbers[column.name])
    addends = [product(_coefficient_of(model, column, by, "[i]"), column, model, place) for column in ordered]
    lines: list[Equation] = []
    if len(model.groups) == 1:
        lines = [_around_means(model, model.groups[0], block) for block in model.groups[0].blocks]
    else:
        for column, groups in by.values():
            own = [effect(model, group, column) for group in groups]
            mean = [coefficient(model, column)] if column in model.fixed else []
            lines.append(Equation(_coefficient_of(model, column, by), "=", summed([*mean, *own])))
        lines += [_together(model, group, block) for group in model.groups for block in group.blocks]
    return [outcome(model, "i", place, addends), [*lines, *_residual(model)], _legend(model)]


def matrix(model: Anatomy) -> list[list[Equation]]:
    """All rows at once, a row of each design matrix, and the covariance matrix of every group's effects."""
    place = by_row(model)
    gaussian = model.family == "gaussian"
    predictor = [*(["𝐗𝛃"] if model.fixed else []), *(["𝐙𝐛"] if model.groups else [])]
    known = "" if model.rows is None else f"{model.rows:,} rows"
    if gaussian:
        first = [Equation("𝐲", "=", summed([*predictor, "𝛆"]), known)]
    else:
        link, symbol = _LINKS[model.family]
        drawn = Equation(_subject(model, "i", place), "~", (_distribution(model, indexed(symbol, "i"), place),))
        first = [drawn, Equation(f"{link}({symbol})", "=", summed(predictor), known)]
    rows = []
    if model.fixed:
        entries = tuple(_entry(column, model, place) for column in model.fixed)
        rows.append(Equation("row i of 𝐗", "=", (Matrix((entries,)),)))
        betas = tuple(coefficient(model, column) for column in model.fixed)
        rows.append(Equation("𝛃ᵀ", "=", (Matrix((betas,)),)))
    for group in model.groups:
        columns = _all_columns(group)
        entries = tuple(_entry(column, model, place) for column in columns)
        where = f"in the columns of its {named(group.name)}"
        rows.append(Equation(f"row i of {_z(model, group)}", "=", (Matrix((entries,)),), where))
    varies = [_vector(model, group) for group in model.groups]
    residual = [Equation("𝛆", "~", ("Normal(𝟎, σ²𝐈)",))] if gaussian else []
    legend = [Equation(group.letters, ":", (group_words(model, group),)) for group in model.groups]
    return [block for block in (first, rows, [*varies, *residual], legend) if block]


_LINKS = {"gaussian": ("", "μ"), "binomial": ("logit", "p"), "poisson": ("log", "μ")}


def outcome(model: Anatomy, index: str, place: Place, addends: Sequence[str], residual: str = "ε") -> list[Equation]:
    """How the response arises from the addends of its linear predictor."""
    subject = _subject(model, index, place)
    if model.family == "gaussian":
        return [Equation(subject, "=", summed([*addends, indexed(residual, index)]))]
    link, symbol = _LINKS[model.family]
    mean = indexed(symbol, index)
    drawn = Equation(subject, "~", (_distribution(model, mean, place),))
    return [drawn, Equation(f"{link}({mean})", "=", summed(addends))]


def _subject(model: Anatomy, index: str, place: Place) -> str:
    return marked(model.response, model.variables, lambda name: place(name) if name in model.places else index)


def _distribution(model: Anatomy, mean: str, place: Place) -> str:
    if model.family == "poisson":
        return f"Poisson({mean})"
    if model.trials is None:
        return f"Bernoulli({mean})"
    return f"Binomial({indexed(named(model.trials), place(model.trials))}, {mean})"


def by_row(model: Anatomy) -> Place:
    """Indices in which i alone counts rows: ``i``, ``j[i]``."""
    return lambda name: f"{model.group(model.places[name]).letters}[i]" if name in model.places else "i"


def coefficient(model: Anatomy, column: Column) -> str:
    """The fixed coefficient of a column: β₁."""
    return indexed("β", str(model.numbers[column.name]))


def effect(model: Anatomy, group: Group, column: Column, of: str = "") -> str:
    """The effect of a level of a group: u₁ⱼ; with ``[i]``, of the level that row i is in."""
    return indexed(group.symbol, number_and(model.numbers[column.name], group.letters + of))


def number_and(number: int, letters: str) -> str:
    """An index of a number and letters; a comma where one could misread them."""
    return f"{number}{',' if number > 9 else ''}{letters}"


def product(symbol: str, column: Column, model: Anatomy, place: Place) -> str:
    """A symbol times the column's value; the symbol alone for the intercept."""
    return "·".join([symbol, *(marked(factor, model.variables, place) for factor in column.factors)])


def summed(addends: Sequence[str]) -> tuple[str, ...]:
    """Addends, each but the first with its plus; ``0`` if there are none."""
    return (*addends[:1], *(f"+ {one}" for one in addends[1:])) or ("0",)


def deviation(model: Anatomy, group: Group, column: Column) -> str:
    """The standard deviation of an effect: σ_u₁."""
    return indexed("σ", f"{group.symbol}{model.numbers[column.name]}")


def correlation(model: Anatomy, group: Group, one: Column, two: Column) -> str:
    """The correlation of two effects of a group: ρ_u₀₁."""
    numbers = [str(model.numbers[column.name]) for column in (one, two)]
    return indexed("ρ", group.symbol + (",".join(numbers) if max(map(len, numbers)) > 1 else "".join(numbers)))


def covariance(model: Anatomy, group: Group, blocks: Sequence[Block]) -> Matrix:
    """Covariance matrix of the effects of these random terms: zero between effects of different terms."""
    where = {column.name: block for block in blocks for column in block.columns}
    columns = [column for block in blocks for column in block.columns]

    def cell(one: Column, two: Column) -> str:
        if one == two:
            return indexed("σ²", f"{group.symbol}{model.numbers[one.name]}")
        if where[one.name] is not where[two.name]:
            return "0"
        first, second = sorted((one, two), key=columns.index)
        sds = "·".join(deviation(model, group, column) for column in (first, second))
        return f"{correlation(model, group, first, second)}·{sds}"

    return Matrix(tuple(tuple(cell(one, two) for two in columns) for one in columns))


def vector(cells: Sequence[str]) -> Part:
    """Cells one below the other; a single one stands alone."""
    return cells[0] if len(cells) == 1 else Matrix(tuple((cell,) for cell in cells))


def group_words(model: Anatomy, group: Group) -> str:
    """What the letters of a group count: ``class in its school``."""
    inner = [factor for factor in group.factors if not any(factor in model.group(w).factors for w in group.within)]
    around = [name for name in group.within if not any(name in model.group(w).within for w in group.within)]
    if len(group.letters) == 1 or not inner or not around:
        return " and ".join(map(named, group.factors))
    return f"{' and '.join(map(named, inner))} in its {' and '.join(map(named, sorted(around)))}"


def _drawn(model: Anatomy, group: Group, block: Block) -> Equation:
    """``u₀ⱼ, u₁ⱼ ~ Normal(0, sd σᵤ₀ and σᵤ₁, correlation ρᵤ₀₁)``."""
    left = ", ".join(effect(model, group, column) for column in block.columns)
    sds = [deviation(model, group, column) for column in block.columns]
    parts = ["Normal(0,", f"sd {listed(sds, most=len(sds))}"]
    pairs = [
        correlation(model, group, one, two)
        for at, one in enumerate(block.columns)
        for two in block.columns[at + 1 :]
    ]
    if pairs:
        parts = [*parts[:-1], f"{parts[-1]},", f"correlation{'s' * (len(pairs) > 1)} {', '.join(pairs)}"]
    return Equation(left, "~", (*parts[:-1], f"{parts[-1]})"))


def _residual(model: Anatomy) -> list[Equation]:
    return [Equation(indexed("ε", "i"), "~", ("Normal(0, sd σ)",))] if model.family == "gaussian" else []


def _legend(model: Anatomy) -> list[Equation]:
    """What every letter counts."""
    lines = [Equation("i", ":", ("row" if model.rows is None else f"row, {model.rows:,}",))]
    for group in model.groups:
        many = "" if group.levels is None else f", {group.levels:,}"
        lines.append(Equation(f"{group.letters}[i]", ":", (f"{group_words(model, group)} of row i{many}",)))
    return lines


def _groups_of(model: Anatomy) -> dict[str, tuple[Column, list[Group]]]:
    """For every column that varies, the groups by which it does."""
    found: dict[str, tuple[Column, list[Group]]] = {}
    for group in model.groups:
        for column in _all_columns(group):
            found.setdefault(column.name, (column, []))[1].append(group)
    return found


def _coefficient_of(model: Anatomy, column: Column, by: dict[str, tuple[Column, list[Group]]], of: str = "") -> str:
    if column.name not in by:
        return coefficient(model, column)
    own = "".join(group.letters for group in by[column.name][1])
    letters = "".join(letter for letter in model.letters if letter in own)
    return indexed("β", number_and(model.numbers[column.name], letters + of))


def _around_means(model: Anatomy, group: Group, block: Block) -> Equation:
    """Coefficients of one group, drawn around their means; around 0 without a fixed effect."""
    left = [indexed("β", number_and(model.numbers[column.name], group.letters)) for column in block.columns]
    means = [coefficient(model, column) if column in model.fixed else "0" for column in block.columns]
    return Equation(vector(left), "~", _normal(vector(means), covariance(model, group, [block])))


def _together(model: Anatomy, group: Group, block: Block) -> Equation:
    left = [effect(model, group, column) for column in block.columns]
    return Equation(vector(left), "~", _normal("0", covariance(model, group, [block])))


def _normal(mean: Part, spread: Matrix) -> tuple[Part, ...]:
    if len(spread.rows) == 1:
        return (f"Normal({mean}, variance {spread.rows[0][0]})",)
    return ("Normal(", "𝟎" if mean == "0" else mean, ", ", spread, ")")


def _vector(model: Anatomy, group: Group) -> Equation:
    """The effects of one level of a group in matrix notation."""
    own = [effect(model, group, column) for column in _all_columns(group)]
    spread = _normal("0", covariance(model, group, group.blocks))
    left = indexed("𝐛" if len(model.groups) == 1 else group.symbol, group.letters)
    return Equation(left, "=", (vector(own), " ~ ", *spread)) if len(own) > 1 else Equation(own[0], "~", spread)


def _z(model: Anatomy, group: Group) -> str:
    return "𝐙" if len(model.groups) == 1 else f"𝐙 for {group.symbol}"


def _entry(column: Column, model: Anatomy, place: Place) -> str:
    return "·".join(marked(factor, model.variables, place) for factor in column.factors) or "1"


def _all_columns(group: Group) -> list[Column]:
    return [column for block in group.blocks for column in block.columns]
