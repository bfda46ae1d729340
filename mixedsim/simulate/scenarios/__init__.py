"""Populations with a story: ``ms.scenarios.therapist_plain()`` is a `Population`, ready to draw.

Every scenario's docstring holds the story, the units, the equations, the true effect, the bias that a naive model will
show (in closed form, with its number), the model to recommend, and an example that runs.
"""

from mixedsim.simulate.scenarios.published import leg_press, packed_cell_volume, training_volume
from mixedsim.simulate.scenarios.therapists import (
    therapist_confounder,
    therapist_context,
    therapist_intervention,
    therapist_plain,
    therapist_price,
)

__all__ = [
    "leg_press",
    "names",
    "packed_cell_volume",
    "therapist_confounder",
    "therapist_context",
    "therapist_intervention",
    "therapist_plain",
    "therapist_price",
    "training_volume",
]

_SCENARIOS = (
    *(therapist_plain, therapist_price, therapist_confounder, therapist_context, therapist_intervention),
    *(leg_press, training_volume, packed_cell_volume),
)


def names() -> list[str]:
    """Names of all scenarios, in the order in which the book tells them.

    Examples
    --------
    >>> import mixedsim as ms
    >>> ms.scenarios.names()[:2]
    ['therapist_plain', 'therapist_price']
    """
    return [scenario.__name__ for scenario in _SCENARIOS]
