"""`ms.study` is a room and can be called; what it gives back reads well."""

from __future__ import annotations

import inspect
import subprocess
import sys

import mixedsim as ms
from mixedsim.listing import unbroken
from tests.study.clinics import MIXED, redrawn


def test_the_room_can_be_called_however_it_is_entered():
    import mixedsim.study
    from mixedsim.study.studying import study

    assert mixedsim.study is ms.study is sys.modules["mixedsim.study"]
    assert inspect.ismodule(ms.study)
    own, called = (inspect.signature(one).parameters.values() for one in (study, ms.study))
    assert [str(one) for one in own] == [str(one) for one in called]
    assert ms.study.__call__.__doc__ == study.__doc__
    assert inspect.getdoc(study) in ms.study.__doc__, "help(ms.study) shows that of the module"


def test_a_call_passes_everything_on(tmp_path):
    """One option after the other makes itself felt."""
    seen = []
    study = ms.study(redrawn(), "y ~ x", 3, 5, redraw="response", alpha=0.1, chunk=1, resume=True,
                     progress=lambda *args: seen.append(args))  # fmt: skip
    assert (len(study.draws), study.draws.seed, study.draws.redraw, study.alpha) == (3, 5, "response", 0.1)
    assert seen


def test_importing_the_room_first_is_no_different():
    code = (
        "import mixedsim.study as s, mixedsim as ms; assert callable(s) and s is ms.study and s.draw is ms.study.draw"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_study_reads_as_a_table_with_sentences():
    given = {"ols": "y ~ x + w", "mixed": MIXED}
    study = ms.study(redrawn(name="a clinic"), given, 40, 1, progress=False)
    text = str(study)
    title, _, rest = text.partition("\n\n")
    assert title == f"Study of a clinic: 40 replicates from seed 1; {MIXED}"
    header, *_ = rest.splitlines()
    assert header.split() == [
        "truth",
        "mean",
        "bias",
        "coverage",
        "power",
        "type",
        "I",
        "error",
    ]
    row = study.summary().loc[("mixed", "w")]
    shown = f"{100 * row['power']:.1f} ± {100 * row['power_mcse']:.1f} %"
    mixed = rest[rest.index("mixed") :]
    line = next(line for line in mixed.splitlines() if line.split()[0] == "w")
    assert shown in line
    assert line.split()[1] == "0"
    assert "± is one Monte-Carlo standard error; four times as many replicates halve it." in text
    assert "Tests reject where p < 0.05; where the truth is 0, that is the type I error." in text
    absent = "; an sd at zero has none, and does not count" if study.summary()["singular"].any() else ""
    assert f"Coverage is that of 95 % intervals{absent}." in text
    assert "failed in" not in text
    singular = study.summary()["singular"]["mixed"].iloc[0]
    assert (f"mixed is singular in {singular} of 40 replicates." in text) == (singular > 0)
    assert "ols is singular" not in text
    page = study._repr_html_()
    assert page.startswith('<div class="mixedsim-study">')
    assert "<table" in page
    assert unbroken(shown) in page


def test_new_responses_and_another_level_are_named():
    study = ms.study(redrawn(), ms.Analysis("y ~ x", level=0.9), 5, 1, redraw="response", progress=False)
    assert "5 replicates from seed 1, new responses on one design" in str(study)
    assert "Coverage is that of 90 % intervals." in str(study)


def test_indicators_without_truth_do_not_fill_the_page():
    text = str(ms.study(redrawn(clusters={"g": 30}), "y ~ x + g", 5, 1, progress=False))
    assert "g[T.2]" not in text
    assert "30 parameters without a truth are left out here; study.summary() has them." in text


def test_what_linear_models_ignore_is_noted():
    text = str(ms.study(redrawn(residual={"ar1": 0.5}), MIXED, 5, 1, progress=False))
    assert "Note: the population has AR(1) residuals, which lmer does not model" in text


def test_a_replicate_comes_back_with_its_truth():
    study = ms.study(redrawn(), MIXED, 5, 1, progress=False)
    seed = study.replicates.query("replicate == 3")["seed"].iloc[0]
    assert study.sample(3).truth.seed == seed
    assert study.sample(3).data.equals(redrawn().draw(int(seed)).data)
