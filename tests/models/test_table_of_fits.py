"""The table of fits: its numbers are those of the fits, its cells are rounded once, its texts are escaped."""

from __future__ import annotations

import html.parser
import re
from io import StringIO

import numpy as np
import pandas as pd
import pytest

import mixedsim as ms
from mixedsim.models.table_formats import escape_latex, escape_markdown, missing, tail
from mixedsim.models.table_rows import decimals_of, text_of
from tests.models.glmms import cbpp_fit, clinic


@pytest.fixture(scope="module")
def sleep():
    return ms.lmer("Reaction ~ Days + (Days | Subject)", ms.datasets.load("sleepstudy"))


@pytest.fixture(scope="module")
def plain(sleep):
    return sleep.update(". ~ . - (Days | Subject) + (1 | Subject)")


def cells(table):
    """The text of a table with one model: label to cells."""
    lines = [line for line in str(table).split("\n") if line.startswith("  ") and not line.startswith("   ")]
    return {m[1]: m[2].split() for line in lines if (m := re.match(r"  (.*?)\s{2,}(.*)", line))}


def test_numbers_are_those_of_the_fits(sleep, plain):
    frame = ms.table(sleep, plain, names=["slopes", "intercepts"]).to_frame()
    for name, fit in (("slopes", sleep), ("intercepts", plain)):
        fixed = frame[name].loc["Fixed effects"]
        expected = fit.coefficients()[["estimate", "se", "df", "p", "lower", "upper"]]
        np.testing.assert_array_equal(fixed.loc[expected.index], expected)
        facts = frame[name].loc["Model", "estimate"]
        assert facts[["rows", "levels of Subject", "AIC", "BIC"]].tolist() == [180, 18, fit.aic, fit.bic]
        assert facts["log-likelihood (REML: restricted)"] == fit.loglik
    random = frame["slopes"].loc["Random effects", "estimate"]
    assert random.tolist() == [*sleep.varcorr["sd_or_corr"], sleep.sigma]
    assert random.index.tolist() == [
        "Subject: sd of Intercept",
        "Subject: sd of Days",
        "Subject: correlation of Intercept and Days",
        "residual: sd",
    ]
    assert np.isnan(frame.loc[("Random effects", "Subject: sd of Days"), ("intercepts", "estimate")])


def test_variances_and_covariances(sleep):
    random = ms.table(sleep, spread="variance").to_frame()["(1)"].loc["Random effects", "estimate"]
    assert random.tolist() == [*sleep.varcorr["variance"], sleep.sigma**2]
    assert random.index[2] == "Subject: covariance of Intercept and Days"


def test_estimates_have_the_decimals_of_their_standard_errors(sleep):
    # lme4: 251.405 (6.825), 10.467 (1.546)
    assert cells(ms.table(sleep))["Intercept"] == ["251.41", "6.82"]
    assert cells(ms.table(sleep, digits=4))["Days"] == ["10.467", "1.546"]
    assert cells(ms.table(sleep, digits=2))["Days"] == ["10.5", "1.5"]


def test_intervals_degrees_of_freedom_and_p(sleep):
    table = ms.table(sleep, uncertainty="interval", df=True, p=True, ddf="kenward-roger", level=0.9)
    row = sleep.coefficients("kenward-roger", 0.9).loc["Days"]
    assert cells(table)["Days"] == [
        f"{row['estimate']:.2f}", f"[{row['lower']:.2f},", f"{row['upper']:.2f}]", f"{row['df']:.1f}", "<0.001"
    ]  # fmt: skip
    assert "90 % interval" in str(table)
    assert table.notes == ("Tests and intervals of linear models take Kenward and Roger’s degrees of freedom.",)


def test_stars_are_off_unless_asked_for(sleep):
    assert "*" not in str(ms.table(sleep, p=True))
    table = ms.table(sleep, stars=True)
    assert cells(table)["Days"][0] == "10.47***"
    assert "* p < 0.05, ** p < 0.01, *** p < 0.001." in table.notes


def test_icc_and_r2_are_shown_when_asked_for(sleep):
    facts = ms.table(sleep, icc=True, r2=True).to_frame()["(1)"].loc["Model", "estimate"]
    assert facts["ICC, adjusted"] == sleep.icc()["adjusted"]
    assert facts[["R², marginal", "R², conditional"]].tolist() == sleep.r2().tolist()
    assert "ICC" not in str(ms.table(sleep))


def test_criteria_of_reml_fits_with_other_fixed_effects_are_left_out_and_a_note_says_so(sleep):
    other = sleep.update(". ~ . - Days")
    table = ms.table(sleep, other)
    assert not {"AIC", "BIC"} & {row.label for row in table.layout.rows}
    assert table.notes == (
        "AIC and BIC are left out, for those of REML fits with different fixed effects cannot be compared (nor can "
        "their log-likelihoods); ms.compare refits by maximum likelihood.",
    )
    by_likelihood = ms.table(sleep.update(reml=False), other.update(reml=False))
    assert {"AIC", "BIC"} <= {row.label for row in by_likelihood.layout.rows}
    assert by_likelihood.notes == ()
    assert "those of REML and ML fits cannot be compared" in ms.table(sleep, other.update(reml=False)).notes[0]


def test_reml_fits_with_one_mean_keep_their_criteria(sleep, plain):
    table = ms.table(sleep, plain)
    assert {"AIC", "BIC"} <= {row.label for row in table.layout.rows}
    assert table.notes == ()


def test_a_linear_and_a_generalised_model_stand_side_by_side_with_what_each_is(sleep):
    fit = cbpp_fit()
    table = ms.table(sleep, fit, names=["sleep", "cows"])
    rows = {row.label: row.cells for row in table.layout.rows}
    assert rows["dependent variable"] == (("Reaction",), ("incidence / size",))
    assert rows["family (link)"] == (("gaussian (identity)",), ("binomial (logit)",))
    assert rows["fitted by"] == (("REML",), ("ML (Laplace)",))
    assert rows["residual: sd"][1] == ("", "")
    assert rows["Days"][1] == ("", "")
    assert rows["Intercept"] == (("251.41", "6.82"), ("-1.399", "0.232"))
    assert table.notes[0].startswith("Log-likelihood, AIC and BIC are not to be compared: Reaction ~ Days")
    assert table.notes[0].endswith("are a linear and a generalised model.")
    assert table.notes[1] == "Coefficients and random effects of generalised models are on the scale of the link."


def test_ratios_in_place_of_coefficients(sleep):
    table = ms.table(sleep, cbpp_fit(), names=["sleep", "cows"], exponentiate=True)
    frame = table.to_frame()
    expected = cbpp_fit().ratios()[["ratio", "se", "lower", "upper"]]
    fixed = frame["cows"].loc["Fixed effects"].loc[expected.index, ["estimate", "se", "lower", "upper"]]
    np.testing.assert_array_equal(fixed, expected)
    assert frame.loc[("Fixed effects", "Days"), ("sleep", "estimate")] == sleep.fixef["Days"]
    assert any("those of cows are odds ratios (the intercept what they multiply)" in note for note in table.notes)


def test_a_negative_binomial_has_its_tau():
    fit = ms.glmer("n ~ x + (1 | g)", clinic(), family="negative-binomial")
    random = ms.table(fit).to_frame()["(1)"].loc["Random effects", "estimate"]
    assert random["τ of the negative binomial"] == fit.tau
    assert r"$\tau$ of the negative binomial" in ms.table(fit).to_latex()


def test_different_rows_are_said(sleep):
    other = sleep.update(data=ms.datasets.load("sleepstudy").iloc[:170])
    assert ms.table(sleep, other).notes[0].endswith("were fitted to different rows (180 and 170).")


def test_a_singular_fit_has_a_zero_and_a_note():
    fit = ms.lmer("Yield ~ 1 + (1 | Batch)", ms.datasets.load("Dyestuff2"))
    table = ms.table(fit)
    assert cells(table)["Batch: sd of Intercept"] == ["0.00"]
    assert table.notes == ("(1) is singular: a combination of its random effects has no variance.",)


def test_names_come_from_a_mapping_and_labels_replace_words(sleep, plain):
    table = ms.table({"both": sleep, "one": plain}, labels={"Days": "days without sleep"})
    assert table.layout.names == ("both", "one")
    assert cells(ms.table(sleep, labels={"Days": "nights"}))["nights"] == ["10.47", "1.55"]


def test_numbers_stand_with_their_decimal_points_above_each_other(sleep):
    lines = str(ms.table(sleep)).split("\n")
    places = {line.index(".", 40) for line in lines if re.match(r"  (Intercept|Days|Subject|residual|AIC)", line)}
    assert len(places) == 1


@pytest.mark.parametrize(
    ("cell", "own", "lacks"),
    [
        ("12.5", ".5", "00"), ("12", "", ".000"), ("-1.250", ".250", ""), ("1.2**", ".2**", ""),
        ("REML", "", ""), ("", "", ""), ("<0.001", ".001", ""), ("[1.00, 2.00]", "", ""),
    ],
)  # fmt: skip
def test_what_a_cell_lacks_to_be_aligned(cell, own, lacks):
    assert tail(cell) == own
    assert missing(cell, 4) == lacks


def test_decimals_and_numbers():
    assert decimals_of([6.8, 1.5], 3) == 2
    assert decimals_of([0.0], 3) == decimals_of([np.nan], 3) == 2
    assert decimals_of([1234.0], 3) == 0
    assert [text_of(v, 2) for v in (-0.001, np.nan, np.inf, -1.234)] == ["0.00", "–", "∞", "-1.23"]


class Cells(html.parser.HTMLParser):
    """Opening tags, and text within cells."""

    def __init__(self):
        super().__init__()
        self.open, self.text = [], []

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)

    def handle_endtag(self, tag):
        while self.open and self.open[-1] != tag:
            raise AssertionError(f"{self.open[-1]} is not closed before {tag}")
        self.open.pop()

    def handle_data(self, data):
        self.text.append(data)


def test_html_is_balanced_and_escaped(sleep, plain):
    table = ms.table(sleep, plain, names=["<b>a & b</b>", "c"], stars=True)
    reader = Cells()
    reader.feed(table.to_html())
    assert reader.open == []
    assert "<b>a & b</b>" in reader.text
    assert table._repr_html_() == table.to_html()
    read = pd.read_html(StringIO(table.to_html()))[0] if _has_lxml() else None
    if read is not None:
        assert read.shape[1] == 5


def _has_lxml():
    try:
        import lxml  # noqa: F401
    except ImportError:
        return False
    return True


def test_latex_has_as_many_columns_in_every_row_and_no_bare_signs(sleep):
    table = ms.table(sleep, cbpp_fit(), names=["50 % & more_1", r"\x{}"], p=True, df=True, uncertainty="interval")
    text = table.to_latex()
    begin, *rows, end = text.split("\n")
    assert begin == r"\begin{tabular}{lrrrrrrrr}"
    assert end == r"\end{tabular}"
    assert [row for row in rows if row.startswith(r"\toprule")] == [r"\toprule"]
    assert rows[-1].startswith(r"\multicolumn{9}{p{")
    for row in rows:
        if not row.endswith(r"\\"):
            assert re.fullmatch(r"\\(toprule|midrule|bottomrule|cmidrule\(lr\)\{\d-\d\})", row)
            continue
        spans = [int(n) for n in re.findall(r"\\multicolumn\{(\d+)\}", row)]
        assert len(re.findall(r"(?<!\\)&", row)) + 1 - len(spans) + sum(spans) == 9
        assert row.count("{") - row.count(r"\{") == row.count("}") - row.count(r"\}")
        assert row.count("$") % 2 == 0
        assert not re.search(r"(?<!\\)[%#_]", row)
    assert r"50 \% \& more\_1" in text
    assert r"\textbackslash{}x\{\}" in text
    assert "period{[}T.2{]}" in text
    assert "$-$1.399" in text
    assert r"\phantom{.00}" in text


def test_latex_in_a_table_has_a_caption_and_a_label(sleep):
    text = ms.table(sleep).to_latex(caption="Sleep & time", label="tab:sleep")
    assert text.startswith(
        "\\begin{table}\n\\centering\n\\caption{Sleep \\& time}\n\\label{tab:sleep}\n\\begin{tabular}"
    )
    with pytest.raises(ms.MixedsimError, match="a label needs a caption"):
        ms.table(sleep).to_latex(label="tab:sleep")


def test_escapes():
    assert escape_latex("a_b & 5 % ~ x^2 < y [1] *") == (
        r"a\_b \& 5 \% \textasciitilde{} x\textasciicircum{}2 \textless{} y {[}1{]} {*}"
    )
    assert escape_markdown("a_b|c*[d]") == r"a\_b\|c\*\[d\]"


def test_markdown_is_a_pipe_table_with_equal_columns(sleep, plain):
    table = ms.table(sleep, plain, names=["a|b", "c"], format="markdown")
    lines = str(table).split("\n")
    assert str(table) == table.to_markdown()
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in lines if line.startswith("|")} == {6}
    assert re.fullmatch(r"\|:-+(\|-+:){4}\|", lines[1])
    assert r"a\|b" in lines[0]


@pytest.mark.parametrize("suffix", ["html", "tex", "md", "txt", "csv"])
def test_files_by_their_ending_and_never_over_another(sleep, tmp_path, suffix):
    table, path = ms.table(sleep), tmp_path / f"fits.{suffix}"
    assert table.save(path) == path
    text = path.read_text(encoding="utf-8")
    expected = {"html": table.to_html(), "tex": table.to_latex(), "md": table.to_markdown(), "txt": str(table)}
    assert expected.get(suffix, table.to_frame().to_csv()) in text
    path.write_text("mine")
    with pytest.raises(ms.MixedsimError, match=r"exists: choose another name, or set force=True to replace it\.$"):
        table.save(path)
    assert path.read_text() == "mine"
    table.save(str(path), force=True)
    assert path.read_text(encoding="utf-8") == text
    assert [one.name for one in tmp_path.iterdir()] == [path.name]


def test_a_file_of_another_kind_or_place_is_refused(sleep, tmp_path):
    table = ms.table(sleep)
    with pytest.raises(ms.MixedsimError, match=r"cannot tell the format of .*fits\.docx'"):
        table.save(tmp_path / "fits.docx")
    with pytest.raises(ms.MixedsimError, match="there is no folder"):
        table.save(tmp_path / "nowhere" / "fits.md")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"names": ["a", "b"]}, "names must be one for each of the 1 models"),
        ({"names": "a"}, "names must be one for each of the 1 models"),
        ({"uncertainty": "sd"}, "uncertainty must be one of 'se', 'interval', found 'sd'"),
        ({"spread": "se"}, "spread must be one of 'sd', 'variance'"),
        ({"format": "word"}, "format must be one of 'text', 'markdown', 'html', 'latex', None"),
        ({"digits": 0}, "digits must be a whole number from 1 to 8"),
        ({"level": 95}, "level must lie between 0 and 1"),
        ({"labels": {"Day": "d"}}, r"labels names 'Day', which is no row of the table: did you mean 'Days'\?"),
    ],
)
def test_mistakes_are_named(sleep, options, says):
    with pytest.raises(ms.MixedsimError, match=says):
        ms.table(sleep, **options)


def test_what_is_no_fit_is_refused(sleep):
    with pytest.raises(ms.MixedsimError, match=r"ms.table takes fits of ms.lmer and ms.glmer, found str\."):
        ms.table(sleep, "sleep")
    with pytest.raises(ms.MixedsimError, match="found none"):
        ms.table()
    with pytest.raises(ms.MixedsimError, match="names must differ"):
        ms.table(sleep, sleep, names=["a", "a"])
    with pytest.raises(ms.MixedsimError, match="have names already"):
        ms.table({"a": sleep}, names=["b"])
