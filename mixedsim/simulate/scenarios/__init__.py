"""Populations with a story: ``ms.scenarios.therapist_plain()`` is a `Population`, ready to draw.

``ms.scenarios.list()`` shows them all, ``ms.scenarios.info("ferns")`` tells one of them. Every scenario's docstring
holds the story, typical questions, the equations, the true effect, what a naive model will show (in closed form, with
its number), the model to recommend, and an example that runs; units stand in the population's field `about`.
"""

from mixedsim.simulate.scenarios.catalogue import info, load, names
from mixedsim.simulate.scenarios.catalogue import table as list
from mixedsim.simulate.scenarios.clinics import blood_cells, gp_visits, growth_curves
from mixedsim.simulate.scenarios.laboratory import lab_batches, null, shop_prices
from mixedsim.simulate.scenarios.nature import ferns, split_plot, wolves
from mixedsim.simulate.scenarios.paradox import simpson
from mixedsim.simulate.scenarios.people import daily_diary, reading_times, satisfaction, sleep_like
from mixedsim.simulate.scenarios.published import leg_press, packed_cell_volume, training_volume
from mixedsim.simulate.scenarios.schools import essay_ratings, primary_schools, school
from mixedsim.simulate.scenarios.sports import baseball, training_trial, two_legs
from mixedsim.simulate.scenarios.therapists import (
    therapist_confounder,
    therapist_context,
    therapist_intervention,
    therapist_plain,
    therapist_price,
)
from mixedsim.simulate.scenarios.trials import cluster_trial, dropout_trial, multisite_trial, stepped_wedge

__all__ = [
    "baseball",
    "blood_cells",
    "cluster_trial",
    "daily_diary",
    "dropout_trial",
    "essay_ratings",
    "ferns",
    "gp_visits",
    "growth_curves",
    "info",
    "lab_batches",
    "leg_press",
    "list",
    "load",
    "multisite_trial",
    "names",
    "null",
    "packed_cell_volume",
    "primary_schools",
    "reading_times",
    "satisfaction",
    "school",
    "shop_prices",
    "simpson",
    "sleep_like",
    "split_plot",
    "stepped_wedge",
    "therapist_confounder",
    "therapist_context",
    "therapist_intervention",
    "therapist_plain",
    "therapist_price",
    "training_trial",
    "training_volume",
    "two_legs",
    "wolves",
]
