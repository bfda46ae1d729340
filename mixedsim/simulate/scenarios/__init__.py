"""Populations with a story: ``ms.scenarios.therapist_plain()`` is a `Population`, ready to draw.

Every scenario's docstring holds the story, the units, the equations, the true effect, the bias that a naive model will
show (in closed form, with its number), the model to recommend, and an example that runs.
"""

from mixedsim.simulate.scenarios.therapists import (
    therapist_confounder,
    therapist_context,
    therapist_intervention,
    therapist_plain,
    therapist_price,
)

__all__ = [
    "names",
    "therapist_confounder",
    "therapist_context",
    "therapist_intervention",
    "therapist_plain",
    "therapist_price",
]

_SCENARIOS = (therapist_plain, therapist_price, therapist_confounder, therapist_context, therapist_intervention)


def names() -> list[str]:
    """Names of all scenarios, in the order in which the book tells them.

    Examples
    --------
    >>> import mixedsim as ms
    >>> ms.scenarios.names()[:2]
    ['therapist_plain', 'therapist_price']
    """
    return [scenario.__name__ for scenario in _SCENARIOS]
