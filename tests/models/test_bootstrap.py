"""Simulated responses have the moments of the model, and refitting them recovers its uncertainty."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import mixedsim as ms


@pytest.fixture(scope="module")
def data():
    frame = ms.datasets.load("sleepstudy")
    rng = np.random.default_rng(11)
    frame["w"] = rng.uniform(0.3, 3, len(frame))
    return frame


@pytest.fixture(scope="module")
def fit(data):
    return ms.lmer("Reaction ~ Days + (Days | Subject)", data)


@pytest.fixture(scope="module")
def replicates(fit):
    return fit.bootstrap(400, seed=1)


# ---- simulate

MODELS = {
    "slopes": ("Reaction ~ Days + (Days | Subject)", {}),
    "weights and offset": ("Reaction ~ Days + (1 | Subject)", {"weights": "w", "offset": "Days"}),
    "crossed": ("Reaction ~ 1 + (1 | Subject) + (1 | Days)", {}),
    "no intercept": ("Reaction ~ 0 + Days + (1 | Subject)", {}),
}


def dense(fit, data):
    """Mean and covariance of the response, row by row, from what the fit reports."""
    z_sigma_z = np.zeros((len(data), len(data)))
    for name, covariance in fit.covariances.items():
        z = pd.get_dummies(data[name]).to_numpy(dtype=float)
        columns = np.column_stack([np.ones(len(data)) if c == "Intercept" else data[c] for c in covariance.columns])
        both = np.einsum("ia,ab,jb->ij", columns, covariance.to_numpy(), columns)
        z_sigma_z += both * (z @ z.T)
    weights = np.ones(len(data)) if fit.design.weights is None else fit.design.weights
    return fit.predict(random=False).to_numpy(), z_sigma_z + np.diag(fit.sigma**2 / weights)


@pytest.mark.parametrize("name", MODELS)
def test_new_responses_have_the_mean_and_covariance_of_the_model(name, data):
    formula, extra = MODELS[name]
    fit = ms.lmer(formula, data, **extra)
    n = 4000
    drawn = fit.simulate(n, seed=3).to_numpy()
    mean, covariance = dense(fit, data)
    sd = np.sqrt(np.diag(covariance))
    assert np.abs((drawn.mean(axis=1) - mean) / (sd / np.sqrt(n))).max() < 5
    # entries of an empirical correlation matrix have sd of at most 1/√n, its diagonal √2 as much
    off = (np.cov(drawn) - covariance) / np.outer(sd, sd) * np.sqrt(n)
    assert np.abs(off).max() < 6.5
    assert 0.8 < off[np.triu_indices(len(sd), 1)].std() < 1.3


def test_conditional_responses_keep_the_random_effects(data):
    fit = ms.lmer("Reaction ~ Days + (Days | Subject)", data, weights="w")
    n = 4000
    drawn = fit.simulate(n, seed=3, random="conditional").to_numpy()
    sd = fit.sigma / np.sqrt(data["w"].to_numpy())
    assert np.abs((drawn.mean(axis=1) - fit.predict()) / (sd / np.sqrt(n))).max() < 5
    assert np.abs(drawn.std(axis=1) / sd - 1).max() < 5 / np.sqrt(2 * n)


def test_a_response_is_a_column_with_the_rows_of_the_data(data):
    gap = data.assign(Days=data["Days"].where(data.index != 7)).set_axis([f"r{i}" for i in range(180)])
    fit = ms.lmer("Reaction ~ Days + (1 | Subject)", gap)
    drawn = fit.simulate(3, seed=1)
    assert drawn.shape == (179, 3)
    assert drawn.index.equals(fit.design.index)
    assert drawn.columns.tolist() == [0, 1, 2]


def test_a_seed_gives_the_same_numbers_and_more_of_them_begin_alike(fit):
    three = fit.simulate(3, seed=5)
    pd.testing.assert_frame_equal(three, fit.simulate(3, seed=5))
    pd.testing.assert_frame_equal(three, fit.simulate(8, seed=5).iloc[:, :3])
    assert not np.allclose(three, fit.simulate(3, seed=6))
    rng = np.random.default_rng(5)
    assert not np.allclose(fit.simulate(1, seed=rng), fit.simulate(1, seed=rng))


def test_blocks_do_not_show(fit, monkeypatch):
    from mixedsim.inference import responses

    whole = fit.simulate(7, seed=5)
    monkeypatch.setattr(responses, "_CHUNK", 2 * 180)
    np.testing.assert_allclose(fit.simulate(7, seed=5), whole, rtol=1e-13)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"n": 0}, "n must be a whole number of at least 1, found 0."),
        ({"n": 2.5}, "n must be a whole number of at least 1, found 2.5."),
        ({"n": 2, "seed": "one"}, "seed must be an integer or a numpy Generator, found 'one'."),
        ({"n": 2, "seed": -1}, "seed must not be negative, found -1."),
    ],
)
@pytest.mark.parametrize("verb", ["simulate", "bootstrap"])
def test_what_cannot_be_drawn_is_refused(fit, verb, arguments, sentence):
    with pytest.raises(ms.MixedsimError) as error:
        getattr(fit, verb)(**arguments)
    assert str(error.value) == sentence


def test_random_is_new_or_conditional(fit):
    with pytest.raises(ms.MixedsimError, match=r"^random must be 'new' or 'conditional', found True\.$"):
        fit.simulate(1, random=True)


# ---- bootstrap


def test_a_replicate_is_the_fit_to_the_response_of_its_number(fit, replicates):
    drawn = fit.simulate(400, seed=1)
    singular = replicates.index[replicates["singular"]][0]
    for k in (0, 7, singular):
        again = fit.refit(drawn[k])
        row = replicates.loc[k]
        np.testing.assert_allclose(row[["Intercept", "Days"]].astype(float), again.fixef, rtol=1e-6)
        # θ where the likelihood is flat to 1e-10: its square root
        np.testing.assert_allclose(row[["theta1", "theta2", "theta3"]].astype(float), again.theta, atol=2e-5)
        assert row["sigma"] == pytest.approx(again.sigma, rel=1e-6)
        assert row["singular"] == again.singular
        assert row["converged"]
        assert again.converged


@pytest.mark.parametrize("name", MODELS)
def test_other_models_too(name, data):
    formula, extra = MODELS[name]
    fit = ms.lmer(formula, data, **extra)
    found = fit.bootstrap(3, seed=4)
    again = fit.refit(fit.simulate(3, seed=4)[2])
    thetas = [c for c in found.columns if c.startswith("theta")]
    np.testing.assert_allclose(found.loc[2, thetas].astype(float), again.theta, atol=1e-5)
    np.testing.assert_allclose(found.loc[2, list(fit.fixef.index)].astype(float), again.fixef, rtol=1e-6)


def test_the_spread_of_the_estimates_is_their_standard_error(fit, replicates):
    se = np.sqrt(np.diag(fit.vcov))
    n = len(replicates)
    estimates = replicates[["Intercept", "Days"]]
    assert (np.abs(estimates.std() / se - 1) < 4 / np.sqrt(2 * n)).all()
    assert (np.abs((estimates.mean() - fit.fixef) / (se / np.sqrt(n))) < 4).all()
    correlation = fit.vcov.iloc[0, 1] / se.prod()
    assert estimates.corr().iloc[0, 1] == pytest.approx(correlation, abs=4 / np.sqrt(n))


def test_reml_leaves_the_residual_variance_unbiased(fit, replicates):
    variance = replicates["sigma"] ** 2
    assert abs(variance.mean() - fit.sigma**2) < 4 * variance.std() / np.sqrt(len(variance))


def test_what_happened_is_told(replicates):
    assert replicates["converged"].all()
    assert 0 < replicates["singular"].mean() < 0.1
    assert replicates.attrs["failed"] == 0
    assert replicates.attrs["failures"] == {}
    assert replicates.attrs["seed"] == 1
    assert replicates["converged"].dtype.kind == "b"


def test_a_replicate_that_does_not_arrive_is_counted(data):
    fit = ms.lmer("Reaction ~ Days + (Days | Subject)", data, control=ms.Control(max_iterations=1))
    found = fit.bootstrap(5, seed=1)
    assert not found["converged"].any()
    assert found["Days"].notna().all()
    assert found.attrs["failed"] == 5


def test_a_replicate_that_fails_has_no_numbers_and_says_why(monkeypatch):
    from mixedsim.inference import bootstrap

    fit = ms.lmer("Reaction ~ 1 + (1 | Subject) + (1 | Days)", ms.datasets.load("sleepstudy"))
    real, calls = bootstrap.minimise, []

    def sometimes(*args, **kwargs):
        calls.append(1)
        if len(calls) == 3:
            raise np.linalg.LinAlgError("Matrix is not positive definite")
        return real(*args, **kwargs)

    monkeypatch.setattr(bootstrap, "takes", lambda *_: False)  # one by one
    monkeypatch.setattr(bootstrap, "minimise", sometimes)
    found = fit.bootstrap(4, seed=1)
    assert found["converged"].tolist() == [True, True, False, True]
    assert found.loc[2, ["Intercept", "theta1", "sigma"]].isna().all()
    assert found.attrs["failures"] == {2: "the cross-products could not be factorised: Matrix is not positive definite"}
    assert found.attrs["failed"] == 1


def test_a_singular_fit_can_be_bootstrapped():
    fit = ms.lmer("Yield ~ 1 + (1 | Batch)", ms.datasets.load("Dyestuff2"))
    assert fit.singular
    found = fit.bootstrap(200, seed=2)
    assert found["converged"].all()
    assert 0.4 < found["singular"].mean() < 0.8
    assert (found.loc[found["singular"], "theta1"] == 0).all()
    # no replicate has been left on the saddle at zero
    drawn = fit.simulate(200, seed=2)
    for k in found.index[found["singular"]][:5]:
        assert fit.refit(drawn[k]).theta[0] == 0
