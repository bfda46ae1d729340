"""The figure itself: shown once, on white paper, without touching the reader's settings."""

from __future__ import annotations

import subprocess
import sys

import matplotlib as mpl
import matplotlib.pyplot as plt
import pytest

import mixedsim as ms
from mixedsim import plot
from mixedsim.plot.style import FAINT, INK, LINES, PAPER, SEVERAL, TRUTH, dress
from tests.plot.studies import made_up


@pytest.fixture(scope="module")
def recovery():
    return ms.recover(ms.scenarios.therapist_plain(therapists=10, patients=5), seed=1)


def luminance(colour):
    """Relative luminance as the web's accessibility guidelines define it (WCAG 2.2)."""
    channels = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in mpl.colors.to_rgb(colour)]
    return 0.2126 * channels[0] + 0.7152 * channels[1] + 0.0722 * channels[2]


def contrast(one, other):
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("colour", [INK, FAINT])
def test_text_can_be_read_on_the_paper(colour):
    assert contrast(colour, PAPER) >= 4.5


@pytest.mark.parametrize("colour", [look.colour for look in (*LINES.values(), TRUTH)])
def test_lines_stand_out_from_the_paper(colour):
    assert contrast(colour, PAPER) >= 3.0


def test_kinds_of_pooling_have_their_colours():
    names = {kind: look.colour for kind, look in LINES.items()}
    red, green, blue = (mpl.colors.to_rgb(names[kind]) for kind in ("slopes", "none", "intercepts"))
    assert names["complete"] == "#000000"
    assert (max(red), max(green), max(blue)) == (red[0], green[1], blue[2])
    assert len({*names.values(), TRUTH.colour}) == 5
    assert len(set(SEVERAL)) == len(SEVERAL)


def test_the_paper_is_white_whatever_the_reader_has_set(recovery):
    with plt.style.context("dark_background"):
        figure = plot.recovery(recovery)
        assert mpl.colors.to_hex(figure.get_facecolor()) == PAPER
        assert mpl.colors.to_hex(figure.axes[0].get_facecolor()) == PAPER
        labels = figure.axes[0].get_xticklabels()
        assert {mpl.colors.to_hex(label.get_color()) for label in labels} == {INK}


def test_the_readers_settings_stay_as_they_were(recovery):
    before = dict(mpl.rcParams)
    plot.recovery(recovery)
    assert dict(mpl.rcParams) == before


def test_a_figure_belongs_to_pyplot_and_can_be_closed(recovery):
    figure = plot.recovery(recovery)
    assert plt.gcf() is figure
    plt.close(figure)
    assert not plt.get_fignums()


def test_a_notebook_that_shows_the_figure_takes_it_from_pyplots_list(recovery, monkeypatch):
    figure = plot.recovery(recovery)
    monkeypatch.setattr(mpl, "get_backend", lambda: "module://matplotlib_inline.backend_inline")
    data, metadata = figure._repr_mimebundle_(include=None, exclude=None)
    assert data == {"text/plain": figure.alt}
    assert metadata["image/png"]["alt"] == figure.alt
    assert not plt.get_fignums()


def test_a_window_stays_open_when_the_figure_is_printed(recovery):
    figure = plot.recovery(recovery)
    figure._repr_mimebundle_()
    assert plt.gcf() is figure


def test_dressed_axes_are_the_same_whoever_made_them():
    _, ax = plt.subplots()
    ax.grid(visible=True)
    dress(ax)
    assert not ax.spines["top"].get_visible()
    assert ax.spines["left"].get_visible()
    assert mpl.colors.to_hex(ax.xaxis.label.get_color()) == INK


NOTEBOOK = [
    "import mixedsim as ms\nrecovery = ms.recover(ms.scenarios.therapist_plain(therapists=10, patients=5), seed=1)",
    "ms.plot.recovery(recovery)",
    "ms.plot.recovery(recovery);",
    "figure = ms.plot.recovery(recovery)",
    "figure",
    "import matplotlib.pyplot as plt\nfig, ax = plt.subplots()\nms.plot.recovery(recovery, ax=ax);",
]


@pytest.mark.filterwarnings("ignore")  # of the kernel's own machinery
def test_a_notebook_shows_every_figure_once():
    nbclient = pytest.importorskip("nbclient")
    nbformat = pytest.importorskip("nbformat")
    pytest.importorskip("ipykernel")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in NOTEBOOK])
    nbclient.NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    images = [sum("image/png" in output.get("data", {}) for output in cell.outputs) for cell in notebook.cells]
    assert images == [0, 1, 1, 1, 1, 1]


def test_importing_the_package_or_its_studies_does_not_import_matplotlib():
    code = "import sys, mixedsim, mixedsim.study; sys.exit(any(m in sys.modules for m in ('matplotlib', 'seaborn')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("picture", ["estimates", "sampling_distribution", "coverage", "p_values"])
def test_pictures_of_studies_are_on_white_paper_and_leave_settings_alone(picture):
    before = dict(mpl.rcParams)
    with plt.style.context("dark_background"):
        figure = getattr(plot, picture)(made_up())
        for ax in figure.axes:
            assert mpl.colors.to_hex(ax.get_facecolor()) == PAPER
            assert mpl.colors.to_hex(ax.xaxis.label.get_color()) == INK
            texts = [*ax.texts, ax.title, *ax.get_xticklabels(), *ax.get_yticklabels()]
            assert {mpl.colors.to_hex(text.get_color()) for text in texts if text.get_text()} <= {INK, FAINT, *SEVERAL}
    assert dict(mpl.rcParams) == before
    assert figure.alt
    assert plt.get_fignums() == [figure.number]
