"""An explorer as a piece of a page: sliders, picture, sentence, table, and the numbers that the script reads.

The sentence and the table of the start are in the page itself, for those whose browser runs no script.
"""

from __future__ import annotations

import html
import json
import math
from collections.abc import Sequence
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any, Final

from mixedsim.explore.layout import layout
from mixedsim.explore.parts import Column, Control, Layer, Numbers, State

if TYPE_CHECKING:
    from mixedsim.explore.explorer import Explorer

_DIGITS: Final = 6  # significant ones, of what a page keeps: less than a pixel is rounded away
_NO_SCRIPT: Final = (
    "This picture is drawn by JavaScript, which this browser does not run; the sentence and the table below say what "
    "it shows at the start."
)


def fragment(explorer: Explorer) -> str:
    """The explorer for a page that has plotly.js and explorer.js."""
    return (
        f'<section class="mixedsim-explorer" aria-label="{html.escape(explorer.title)}">'
        f"<style>{asset('explorer.css')}</style>"
        f"<p class='explorer-title'>{html.escape(explorer.title)}</p>"
        f"<p class='explorer-lead'>{html.escape(explorer.lead)}</p>"
        f"<div class='explorer-controls'>{''.join(map(_control, explorer.controls))}"
        "<button type='button' class='explorer-back' disabled>Back to the start</button></div>"
        f"<noscript><p>{_NO_SCRIPT}</p></noscript>"
        f"<ul class='explorer-legend'>{''.join(map(_legend, explorer.layers))}</ul>"
        f'<div class="explorer-picture" role="img" aria-label="{html.escape(explorer.alt)}"></div>'
        f"<p class='explorer-said' role='status'>{html.escape(explorer.alt)}</p>"
        f"<details class='explorer-numbers'><summary>The numbers of the picture</summary>"
        f"<div>{_table(explorer)}</div></details>"
        f'<script type="application/json" class="explorer-data">{_data(explorer)}</script>'
        "</section>"
    )


@cache
def asset(name: str) -> str:
    """The text of a file beside this one."""
    return resources.files("mixedsim.explore").joinpath(name).read_text(encoding="utf-8").strip()


def _control(control: Control) -> str:
    text = html.escape(control.texts[control.start])
    return (
        f'<label><span>{html.escape(control.label)}: <output>{text}</output></span><input type="range" min="0" '
        f'max="{len(control.stops) - 1}" step="1" value="{control.start}" name="{html.escape(control.name)}" '
        f'aria-label="{html.escape(control.label)}" aria-valuetext="{text}" autocomplete="off" disabled></label>'
    )


_SHAPES: Final = {
    "line": '<path d="M1 7H23" stroke-width="2.5"/>',
    "dashes": '<path d="M1 7H23" stroke-width="2.5" stroke-dasharray="5 3"/>',
    "bar": '<path d="M2 12V4M7 12V8M12 12V2M17 12V9M22 12V5" stroke-width="4"/>',
    "ring": '<circle cx="12" cy="7" r="4" stroke-width="2"/>',
    "dot": '<circle cx="12" cy="7" r="5" class="full"/>',
    "diamond": '<path d="M12 1.5L17 7L12 12.5L7 7Z" class="full"/>',
    "square": '<path d="M8 3H16V11H8Z" class="full"/>',
    "triangle": '<path d="M12 2L17 11.5H7Z" class="full"/>',
    "cross": '<path d="M8 3L16 11M16 3L8 11" stroke-width="2.5"/>',
}


def _legend(layer: Layer) -> str:
    if not layer.label:
        return ""
    shape = _SHAPES[layer.mark].replace('class="full"', f'fill="{layer.colour}" stroke="none"')
    return (
        f'<li><svg width="24" height="14" aria-hidden="true" fill="none" stroke="{layer.colour}" '
        f'opacity="{layer.trace.get("opacity", 1)}">{shape}</svg>'
        f"{html.escape(layer.label)}</li>"
    )


def _table(explorer: Explorer) -> str:
    numbers = explorer.states[tuple(control.start for control in explorer.controls)].numbers
    head = "".join(f'<th scope="col">{html.escape(column.heading)}</th>' for column in explorer.columns)
    rows = zip(*(_cells(column, numbers) for column in explorer.columns), strict=True)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _cells(column: Column, numbers: Numbers) -> list[str]:
    return [_cell(value, column.digits) for value in numbers[column.numbers]]


def _cell(value: Any, digits: int) -> str:
    if isinstance(value, str):
        return html.escape(value)
    return "–" if value is None or not math.isfinite(value) else f"{value:.{digits}f}".replace("-", "−")


def _data(explorer: Explorer) -> str:
    """What explorer.js reads; states in the order of the array, the last control's positions side by side.

    Many settings share numbers: every list stands in the pool once, and a state names its place there.
    """
    states: Sequence[State] = list(explorer.states.ravel())
    pool: dict[str, int] = {}
    places = [
        {name: pool.setdefault(_json(_plain(some)), len(pool)) for name, some in state.numbers.items()}
        for state in states
    ]
    used = [name for layer in explorer.layers for name in layer.bound.values()]
    names = list(dict.fromkeys(used + [column.numbers for column in explorer.columns]))
    empty: Numbers = {name: [] for name in used}
    data = {
        "names": names,
        "controls": [{"start": one.start, "texts": one.texts} for one in explorer.controls],
        "traces": [layer.filled(empty) for layer in explorer.layers],
        "bound": [dict(layer.bound) for layer in explorer.layers],
        "wide": layout(explorer.panels, narrow=False),
        "narrow": layout(explorer.panels, narrow=True),
        "columns": [{"numbers": one.numbers, "digits": one.digits} for one in explorer.columns],
        "states": [
            {"alt": state.alt, "numbers": [place[name] for name in names]}
            for state, place in zip(states, places, strict=True)
        ],
    }
    text = f'{_json(data)[:-1]},"pool":[{",".join(pool)}]}}'
    return text.replace("<", "\\u003c")  # so that nothing in it can end the script


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def _plain(values: Sequence[Any]) -> list[Any]:
    return [value if isinstance(value, str) else _rounded(value) for value in values]


def _rounded(value: Any) -> float | int | None:
    """JSON has no NaN: null breaks plotly's lines too."""
    if value is None or not math.isfinite(value):
        return None
    short = float(f"{float(value):.{_DIGITS}g}")
    return int(short) if short.is_integer() else short
