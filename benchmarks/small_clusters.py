"""Where Laplace's approximation is biased and quadrature is not: yes or no in small clusters.

Run ``python benchmarks/small_clusters.py [--datasets 1000] [--clusters 200] [--nodes 11] [--seed 1]``; the tables are
printed and written to ``benchmarks/results/small_clusters.md``, the picture to ``small_clusters.png`` beside it. Each
dataset has 200 clusters of 2, 4, 10 or 30 rows, half of them with x = 0 and half with x = 1, and a treatment given to
every other cluster:

    logit P(y = 1) = −½ + treatment + x + b,   b ~ N(0, tau²)

Rows of a cluster that share x are counted together, ``successes / trials``: the likelihood is that of the single rows
but for a constant, and the work no longer grows with the cluster.

Bias is the mean estimate less the truth, over the fits that converged; the others are counted. A profile interval
holds the truth where the deviance with the parameter held there exceeds the least one by no more than the quantile of
χ²: one point of the profile tells, and its ends need not be found. Of a standard deviation there is no Wald interval.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy.special import chdtri, expit, ndtri

import mixedsim as ms
from mixedsim.errors import ConvergenceError
from mixedsim.inference.glm_coordinates import GlmChart
from mixedsim.inference.glm_profile import glm_parameters
from mixedsim.inference.profile_curve import Curve
from mixedsim.plot.style import PAPER, SEVERAL, TRUTH, dress, look

Floats = NDArray[np.float64]
SIZES, TAUS = (2, 4, 10, 30), (0.5, 1.0, 2.0)
FIXEF = {"Intercept": -0.5, "treatment": 1.0, "x": 1.0}
PARAMETERS = ("sd(Intercept | cluster)", "treatment", "x")
TITLES = ("tau", "A treatment of whole clusters, effect 1", "x within clusters, effect 1")
FORMULA = "successes / trials ~ treatment + x + (1 | cluster)"
Z, CHI2 = float(ndtri(0.975)), float(chdtri(1, 0.05))


def design(clusters: int, size: int) -> pd.DataFrame:
    """Two rows a cluster: its trials with x = 0, and those with x = 1."""
    cluster = np.repeat(np.arange(clusters), 2)
    x = np.tile([0, 1], clusters)
    return pd.DataFrame({"cluster": cluster.astype(str), "treatment": cluster % 2, "x": x, "trials": size // 2})


def draw(data: pd.DataFrame, tau: float, rng: np.random.Generator) -> NDArray[np.int64]:
    """Numbers of successes, one a row."""
    b = np.repeat(rng.normal(0.0, tau, len(data) // 2), 2)
    x = data[["treatment", "x"]].to_numpy(dtype=np.float64)
    eta = FIXEF["Intercept"] + x @ np.array([FIXEF["treatment"], FIXEF["x"]]) + b
    return rng.binomial(data["trials"], expit(eta))


def one(fit: ms.GeneralizedLinearMixedModel, truth: Floats) -> Floats:
    """Estimate, and whether the Wald and the profile interval hold the truth, of each of `PARAMETERS`: 3 × 3."""
    parameters = {parameter.name: parameter for parameter in glm_parameters(fit.design, fit.problem)}
    known = dict(zip(fit.coefficient_names, zip(fit.fixef, np.sqrt(np.diag(fit.vcov)), strict=True), strict=True))
    out = np.full((len(PARAMETERS), 3), np.nan)
    for k, name in enumerate(PARAMETERS):
        if name in known:
            estimate, se = known[name]
            out[k, :2] = estimate, abs(estimate - truth[k]) <= Z * se
        else:
            out[k, 0] = fit.theta[0]
        chart = GlmChart(parameters[name], fit.problem, fit.objective, fit.optimum)
        try:
            curve = Curve(chart, chart.best)
            out[k, 2] = curve.zeta(curve.at(truth[k] / chart.scale, curve.top)) ** 2 <= CHI2
        except ConvergenceError:
            continue  # NaN, which is counted
    return out


def cell(size: int, tau: float, given: argparse.Namespace) -> dict[int, pd.DataFrame]:
    """What each number of nodes finds in the same datasets: index parameter."""
    rng = np.random.default_rng([given.seed, size, round(100 * tau)])
    data = design(given.clusters, size)
    truth = np.array([tau, FIXEF["treatment"], FIXEF["x"]])
    templates = {n: ms.glmer(FORMULA, data.assign(successes=draw(data, tau, rng)), nagq=n) for n in (1, given.nodes)}
    found: dict[int, list[Floats]] = {n: [] for n in templates}
    singular = dict.fromkeys(templates, 0)
    for _ in range(given.datasets):
        y = draw(data, tau, rng)
        for n, template in templates.items():
            try:
                fit = template.refit(y)
            except ConvergenceError:
                continue
            if fit.converged:
                found[n].append(one(fit, truth))
                singular[n] += fit.singular
    return {n: summary(np.array(found[n]), truth, given.datasets, singular[n]) for n in templates}


def summary(found: Floats, truth: Floats, datasets: int, singular: int) -> pd.DataFrame:
    """Bias, rmse, coverage and their Monte-Carlo errors from datasets × parameters × 3."""
    estimate = found[:, :, 0]
    kept = len(found)
    table = pd.DataFrame(index=pd.Index(PARAMETERS))
    table["bias"] = estimate.mean(axis=0) - truth
    table["bias_mcse"] = estimate.std(axis=0, ddof=1) / np.sqrt(kept)
    table["rmse"] = np.sqrt(((estimate - truth) ** 2).mean(axis=0))
    for column, name in ((1, "wald"), (2, "profile")):
        known = np.isfinite(found[:, :, column]).sum(axis=0)
        with np.errstate(invalid="ignore"):  # no Wald interval of a standard deviation
            share = np.nansum(found[:, :, column], axis=0) / known
            table[name], table[f"{name}_mcse"] = share, np.sqrt(share * (1 - share) / known)
    table["failed"], table["no_profile"] = datasets - kept, np.isnan(found[:, :, 2]).sum(axis=0)
    table["singular"] = singular / kept
    return table


def rows(found: dict[tuple[int, float, int], pd.DataFrame], parameter: str) -> list[list[str]]:
    """One line a cell and method."""
    out = []
    for (size, tau, nodes), table in found.items():
        at = table.loc[parameter]
        covered = [
            "–" if np.isnan(at[name]) else f"{100 * at[name]:.1f} ± {100 * at[f'{name}_mcse']:.1f}"
            for name in ("wald", "profile")
        ]
        out.append([
            str(size), f"{tau:g}", str(nodes), f"{at['bias']:+.3f} ± {at['bias_mcse']:.3f}", f"{at['rmse']:.3f}",
            *covered, f"{100 * at['singular']:.1f}", f"{at['failed']:.0f}, {at['no_profile']:.0f}",
        ])  # fmt: skip
    return out


def markdown(head: list[str], lines: list[list[str]]) -> str:
    """A table."""
    return "\n".join("| " + " | ".join(line) + " |" for line in [head, ["---"] * len(head), *lines]) + "\n"


def picture(found: dict[tuple[int, float, int], pd.DataFrame], nodes: int) -> Figure:
    """Bias of tau and of the treatment effect over the size of the clusters, one panel a tau."""
    with look():
        figure = Figure(figsize=(7.5, 4.6), layout="constrained", facecolor=PAPER)
        axes = figure.subplots(2, len(TAUS), sharex=True, sharey="row")
        for line, parameter in zip(axes, PARAMETERS, strict=False):
            for ax, tau in zip(line, TAUS, strict=True):
                dress(ax)
                ax.axhline(0.0, color=TRUTH.colour, linewidth=TRUTH.width, linestyle=TRUTH.dashes, zorder=0)
                for n, colour, mark in ((1, SEVERAL[0], "o"), (nodes, SEVERAL[1], "s")):
                    at = [found[size, tau, n].loc[parameter] for size in SIZES]
                    label = "Laplace" if n == 1 else f"{n} nodes"
                    error = [Z * a["bias_mcse"] for a in at]
                    ax.errorbar(SIZES, [a["bias"] for a in at], error, color=colour, marker=mark, markersize=4,
                                capsize=2, label=label)  # fmt: skip
                ax.set(xscale="log", xticks=SIZES, xticklabels=map(str, SIZES))
                ax.minorticks_off()
        for ax, tau in zip(axes[0], TAUS, strict=True):
            ax.set_title(f"tau = {tau:g}", fontsize=9.5)
        axes[0][0].set_ylabel("bias of tau")
        axes[1][0].set_ylabel("bias of the treatment")
        axes[1][1].set_xlabel("rows a cluster")
        axes[0][0].legend()
    return figure


def main() -> None:
    """Print the tables and keep them."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    for option, value in {"datasets": 1000, "clusters": 200, "nodes": 11, "seed": 1}.items():
        parser.add_argument(f"--{option}", type=int, default=value)
    given = parser.parse_args()
    began = time.process_time()
    found = {(size, tau, n): table for tau in TAUS for size in SIZES for n, table in cell(size, tau, given).items()}
    minutes = (time.process_time() - began) / 60
    head = ["rows", "tau", "nodes", "bias", "rmse", "Wald, %", "profile, %", "singular, %", "failed"]
    text = (
        f"# Small clusters\n\n`python benchmarks/small_clusters.py`: {given.datasets:,} datasets a cell, "
        f"{given.clusters} clusters, yes or no with a logit;\n{len(found)} lines in {minutes:.1f} minutes on one core. "
        f"Seed {given.seed}, mixedsim {ms.__version__}, NumPy {np.__version__}.\n"
        "One node is Laplace's approximation. ± is the Monte-Carlo standard error; bias of the fits that converged.\n"
        "Coverage of 95 % intervals; failed: fits that did not converge, profiles that could not be followed.\n\n"
        "![bias over the size of the clusters](small_clusters.png)\n\n"
        + "\n".join(
            f"## {title}\n\n{markdown(head, rows(found, parameter))}"
            for parameter, title in zip(PARAMETERS, TITLES, strict=True)
        )
    )
    sys.stdout.write(text)
    folder = Path(__file__).parent / "results"
    (folder / "small_clusters.md").write_text(text, encoding="utf-8")
    picture(found, given.nodes).savefig(folder / "small_clusters.png", dpi=125, metadata={"Software": None})


if __name__ == "__main__":
    main()
