"""The annotated summary: its text is the printed one, its notes are computed from the fit, nothing overlaps."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest

import mixedsim as ms
from mixedsim import plot
from tests.models.glmms import cbpp_fit


@pytest.fixture(scope="module")
def sleep():
    return ms.lmer("Reaction ~ Days + (Days | Subject)", ms.datasets.load("sleepstudy"))


def printed(figure):
    """Lines of the summary, and of the notes, with their places."""
    texts = figure.axes[0].texts
    mono = [text for text in texts if "DejaVu Sans Mono" in text.get_fontfamily()]
    return mono, [text for text in texts if text not in mono]


def test_the_text_is_what_the_fit_prints(sleep):
    mono, _ = printed(plot.summary(sleep))
    expected = [line for line in str(sleep).split("\n") if line]
    assert [text.get_text() for text in mono] == expected


def test_long_tables_are_cut_and_say_so():
    fit = ms.lmer("angle ~ recipe * temperature + (1 | recipe:replicate)", ms.datasets.load("cake"))
    mono, _ = printed(plot.summary(fit))
    assert " ... 7 more lines" in [text.get_text() for text in mono]


def test_no_text_overlaps_or_leaves_the_picture(sleep):
    for fit in (sleep, cbpp_fit()):
        figure = plot.summary(fit)
        figure.canvas.draw()
        texts = figure.axes[0].texts
        boxes = [text.get_window_extent() for text in texts]
        outline = figure.bbox
        for k, box in enumerate(boxes):
            assert outline.x0 <= box.x0 < box.x1 <= outline.x1, texts[k].get_text()
            assert outline.y0 <= box.y0 < box.y1 <= outline.y1
            for other in boxes[:k]:
                across = min(box.x1, other.x1) - max(box.x0, other.x0)
                up = min(box.y1, other.y1) - max(box.y0, other.y0)
                assert across <= 0 or up <= 2.5, "lines of one paragraph may touch by their descenders"


def test_notes_have_the_numbers_of_the_fit(sleep):
    said = plot.summary(sleep).alt
    days = sleep.coefficients().loc["Days"]
    sds = sleep.varcorr["sd_or_corr"]
    assert f"slopes of Days scatter about 10.5 with sd {sds[1]:.3g}: two in three lie between 4.55 and 16.4" in said
    assert f"{days['t']:.2f} on {days['df']:.3g} degrees of freedom: p = {days['p']:.2g}" in said
    assert f"the 95 % interval is {days['lower']:.3g} to {days['upper']:.3g}" in said
    far = int((np.abs(sleep.residuals("scaled")) > 3).sum())
    assert f"Beyond ±3: {far} of 180 rows" in said
    assert "REML counts that 2 fixed effects had to be estimated" in said
    correlation = sleep.vcov.loc["Intercept", "Days"] / np.sqrt(np.prod(np.diag(sleep.vcov)))
    assert f"−{abs(correlation):.2f}: had Intercept come out too high, Days would tend to be too low" in said
    assert "hardly tend to have a higher effect of Days" in said


def test_a_generalised_model_is_read_on_its_link():
    said = plot.summary(cbpp_fit()).alt
    assert "The logit of the expected incidence / size is what the predictors add up to." in said
    assert "z is their ratio, −3.24: p = 0.0012" in said
    assert "degrees of freedom" not in said


def test_a_singular_fit_says_so():
    fit = ms.lmer("Yield ~ 1 + (1 | Batch)", ms.datasets.load("Dyestuff2"), reml=False)
    said = plot.summary(fit).alt
    assert "no differences in intercepts were found" in said
    assert "fit.check() says what to do about it" in said
    assert "Fitted by maximum likelihood" in said


def test_a_main_effect_beside_its_interaction_is_one_at_zero():
    fit = ms.lmer("angle ~ recipe * temperature + (1 | recipe:replicate)", ms.datasets.load("cake"))
    assert "where what it interacts with is 0 or at its first level" in plot.summary(fit).alt


def test_a_model_without_fixed_effects():
    fit = ms.lmer("Reaction ~ 0 + (Days | Subject)", ms.datasets.load("sleepstudy"))
    figure = plot.summary(fit)
    assert "REML counts" not in figure.alt
    assert "intercepts scatter about 0 with sd" in figure.alt


def test_it_draws_on_given_axes(sleep):
    figure, ax = plt.subplots(figsize=(9, 6))
    assert plot.summary(sleep, ax=ax) is figure


def test_what_is_no_fit_is_refused():
    with pytest.raises(ms.MixedsimError, match=r"plot\.summary draws the summary of a fitted mixed model, found str"):
        plot.summary("fit")
