"""The rows with what the model makes of them."""

import numpy as np
import pandas as pd
import pytest

import mixedsim as ms

FORMULA = "Reaction ~ Days + (Days | Subject)"


@pytest.fixture
def data():
    sleep = ms.datasets.load("sleepstudy").assign(id=lambda d: np.arange(len(d)) * 10)
    sleep.loc[3, "Days"] = np.nan
    sleep.loc[5, "Reaction"] = np.nan
    return sleep


def test_all_rows_come_back_with_fitted_values_and_residuals(data):
    fit = ms.lmer(FORMULA, data)
    out = fit.augment(keep=["id"])
    assert list(out) == ["Reaction", "Days", "Subject", "id", "fitted", "residual"]
    assert len(out) == 180
    own = out.dropna()
    np.testing.assert_allclose(own["fitted"], fit.predict(), rtol=1e-12)
    np.testing.assert_allclose(own["residual"], fit.residuals(), atol=1e-10)
    assert np.isnan(out.loc[3, "fitted"])
    assert np.isnan(out.loc[5, "residual"])
    assert out.loc[5, "fitted"] == pytest.approx(fit.predict(data.loc[[5]]).iloc[0])


def test_new_rows_need_no_response(data):
    fit = ms.lmer(FORMULA, data)
    new = pd.DataFrame({"Days": [1.0, 2.0], "Subject": ["308", "new"]})
    out = fit.augment(new, allow_new_levels=True)
    assert list(out) == ["Days", "Subject", "fitted"]
    np.testing.assert_allclose(out["fitted"], fit.predict(new, allow_new_levels=True))


def test_a_transformed_response_and_an_offset(data):
    fit = ms.lmer("log(Reaction) ~ Days + (1 | Subject)", data.assign(o=0.1), offset="o")
    out = fit.augment(data.assign(o=0.1)).dropna()
    np.testing.assert_allclose(out["residual"], fit.residuals(), atol=1e-12)


@pytest.mark.parametrize("target", ["fitted.parquet", "fitted/"])
def test_chunks_are_written_as_they_are_read(data, tmp_path, target):
    pytest.importorskip("pyarrow")
    frames = [data.iloc[start : start + 50] for start in range(0, 180, 50)]
    fit = ms.lmer(FORMULA, frames)
    to = str(tmp_path / target.rstrip("/")) + ("/" if target.endswith("/") else "")
    assert fit.augment(to=to, keep=["id"]) is None
    found = pd.read_parquet(to)
    expected = ms.lmer(FORMULA, data).augment(keep=["id"])
    assert list(found) == list(expected)
    np.testing.assert_allclose(found["fitted"], expected["fitted"], rtol=1e-9)
    np.testing.assert_allclose(found["residual"], expected["residual"], atol=1e-6)
    assert found["Subject"].tolist() == expected["Subject"].astype(str).tolist()
    with pytest.raises(ms.MixedsimError, match=r"exists|not empty"):
        fit.augment(to=to)


def test_nothing_is_left_of_a_file_whose_writing_failed(data, tmp_path):
    pytest.importorskip("pyarrow")
    fit = ms.lmer(FORMULA, data)
    good = data.iloc[:50]
    strange = data.iloc[50:].assign(Subject="unheard of")
    with pytest.raises(ms.MixedsimError, match="levels that the model was not fitted on"):
        fit.augment([good, strange], to=tmp_path / "out.parquet")
    assert list(tmp_path.iterdir()) == []


def test_bad_requests(data, tmp_path):
    fit = ms.lmer(FORMULA, [data])
    with pytest.raises(ms.MixedsimError, match=r"goes to a file: name one, as in augment\(to='fitted.parquet'\)"):
        fit.augment()
    fit = ms.lmer(FORMULA, data)
    with pytest.raises(ms.MixedsimError, match=r"rows are written to Parquet, found '.*out.csv'"):
        fit.augment(to=tmp_path / "out.csv")
    with pytest.raises(ms.MixedsimError, match="keep names a column 'idd', which the data do not have: did you mean"):
        fit.augment(keep=["idd"])
    with pytest.raises(ms.MixedsimError, match=r"keep must be a list of columns, found 'id': write \['id'\]"):
        fit.augment(keep="id")
    with pytest.raises(ms.MixedsimError, match="the data have a column 'fitted' already"):
        fit.augment(data.assign(fitted=1.0), keep=["fitted"])
