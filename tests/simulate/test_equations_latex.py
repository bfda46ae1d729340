"""A population's equations in LaTeX and with varying coefficients."""

import re

import pytest

import mixedsim as ms
from mixedsim.equation import in_latex, indexed, named

NAMES = list(ms.scenarios.names())


@pytest.mark.parametrize("notation", ["scalar", "varying"])
@pytest.mark.parametrize("name", NAMES)
def test_every_scenario_has_latex_that_closes_what_it_opens(name, notation):
    latex = getattr(ms.scenarios, name)().equations(notation)
    assert latex.startswith("\\begin{aligned}\n")
    assert latex.endswith("\n\\end{aligned}")
    assert len(re.findall(r"(?<!\\){", latex)) == len(re.findall(r"(?<!\\)}", latex))
    assert set(re.findall("[^ -~\n]", latex)) <= {"–", "′"}
    assert all(line.count("&") == 1 for line in latex.splitlines()[1:-1])


def test_the_text_is_what_the_population_prints():
    population = ms.scenarios.therapist_intervention()
    assert population.equations(format="text") == str(population)


def test_the_first_line_in_latex():
    left, right = ms.scenarios.therapist_plain().equations().splitlines()[1].split(" &= ")
    assert left == r"\text{anxiety}_{ij}"
    assert right == r"45 + 3 \cdot \text{depression}_{ij} + 10 \cdot \text{sex}_{ij} + u_{j} + e_{ij} \\[1ex]"


def test_coefficients_that_vary_stand_on_lines_of_their_own():
    lines = ms.scenarios.therapist_intervention().equations("varying", "text").splitlines()
    said = [re.sub(" +", " ", line.strip()) for line in lines]
    assert "β₀ⱼ = 45 + u₀ⱼ" in said
    assert "β₁ⱼ = 3 + u₁ⱼ" in said


@pytest.mark.parametrize(
    ("text", "latex"),
    [
        (indexed("depression_mean", "j"), r"\text{depression$\_$mean}_{j}"),
        (indexed(named("my x"), "ij"), r"\text{my x}_{ij}"),
        (indexed("x", "i"), "x_{i}"),
        (indexed("σ²", "u0"), r"\sigma_{u0}^{2}"),
        (f"2^({indexed('x', 'i')} + 1)", "2^{x_{i} + 1}"),
        (f"{indexed('x', 'i')}^2", "x_{i}^{2}"),
        (f"[{indexed('arm', 'j')} = 10% new_drug]", r"[\text{arm}_{j} =\text{10$\%$ new$\_$drug}]"),
        ("1e−05", r"1 \times 10^{-5}"),
        ("5,000", "5{,}000"),
        ("Normal(0, sd 2)", r"\operatorname{Normal}(0,\text{ sd }2)"),
        ("50% & #1", r"50\% \& \#1"),
    ],
)
def test_text_in_latex(text, latex):
    assert in_latex(text) == latex


def test_unknown_notation_and_format():
    population = ms.scenarios.therapist_plain()
    with pytest.raises(ms.PopulationError, match="notation must be 'scalar' or 'varying', found 'hlm'"):
        population.equations("hlm")
    with pytest.raises(ms.PopulationError, match="format must be 'latex' or 'text', found 'html'"):
        population.equations(format="html")


def test_a_notebook_typesets_what_equations_gives():
    assert ms.scenarios.therapist_plain().equations()._repr_latex_().startswith("$$\n\\begin{aligned}")
