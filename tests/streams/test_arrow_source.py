"""Parquet and CSV files: the fit of the same rows in memory, and one sentence for every fault."""

import numpy as np
import pandas as pd
import pytest

import mixedsim as ms

arrow = pytest.importorskip("pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")

FORMULA = "y ~ x + arm + (x | site)"


@pytest.fixture
def data():
    rng = np.random.default_rng(5)
    n = 2400
    data = pd.DataFrame(
        {
            "x": rng.normal(size=n),
            "arm": rng.choice(["placebo", "drug", "both"], n),
            "site": rng.choice([f"site {i}" for i in range(30)], n),
            "id": rng.integers(0, 2**40, 60)[rng.integers(0, 60, n)],
            "unused": rng.choice(["p", "q"], n),
        }
    )
    site = pd.factorize(data["site"])[0]
    data["y"] = 2 + rng.normal(size=30)[site] + (1 + 0.5 * rng.normal(size=30)[site]) * data["x"] + rng.normal(size=n)
    data.loc[[4, 1700], "x"] = np.nan
    data.loc[[77], "arm"] = None
    return data


@pytest.fixture
def folder(data, tmp_path):
    place = tmp_path / "parts"
    place.mkdir()
    for k in range(6):
        data.iloc[400 * k : 400 * (k + 1)].to_parquet(place / f"part-{k}.parquet")
    return place


def same(a, b):
    assert a.messages == b.messages
    assert a.nobs == b.nobs
    np.testing.assert_allclose(a.fixef, b.fixef, rtol=1e-9)
    np.testing.assert_allclose(a.theta, b.theta, rtol=1e-8, atol=1e-10)
    assert a.deviance == pytest.approx(b.deviance, rel=1e-11)
    for group in b.ranef:
        assert list(a.ranef[group].index) == list(b.ranef[group].index)
        np.testing.assert_allclose(a.ranef[group], b.ranef[group], atol=1e-8)


def refused(data, formula=FORMULA):
    with pytest.raises(ms.MixedsimError) as caught:
        ms.lmer(formula, data)
    return str(caught.value)


@pytest.mark.parametrize("formula", [FORMULA, "y ~ scale(x) * arm + (1 | site) + (1 | id)", "y ~ x + (1 | arm:site)"])
@pytest.mark.parametrize("kind", ["parquet", "folder", "csv", "string path"])
def test_files_give_the_fit_of_memory(data, folder, tmp_path, formula, kind):
    if kind == "parquet":
        source = tmp_path / "all.parquet"
        data.to_parquet(source)
    elif kind == "csv":
        source = tmp_path / "all.csv"
        data.to_csv(source, index=False)
    else:
        source = str(folder) if kind == "string path" else folder
    same(ms.lmer(formula, source), ms.lmer(formula, data))


def test_a_small_chunk_and_a_large_one_are_the_same(data, folder):
    from mixedsim.streams import ArrowSource

    same(ms.lmer(FORMULA, ArrowSource(folder, chunk=100)), ms.lmer(FORMULA, ArrowSource(folder)))


def test_the_same_to_the_last_bit_however_many_work(folder, monkeypatch):
    from mixedsim.streams import ArrowSource

    found = []
    for threads in (1, 2, 4):
        monkeypatch.setattr("mixedsim.streams.arrow_source.cores", lambda threads=threads: threads)
        found.append(ms.lmer(FORMULA, ArrowSource(folder, chunk=150)))
    assert len({fit.deviance for fit in found}) == 1
    assert all(fit.fixef.equals(found[0].fixef) for fit in found)


def test_categories_keep_their_order_even_where_parts_differ_in_them(data, tmp_path):
    order = ["placebo", "drug", "both"]
    for k, some in enumerate((["placebo", "drug"], order)):
        part = data[data["arm"].isin(some)].iloc[k * 500 : (k + 1) * 500]
        part.assign(arm=pd.Categorical(part["arm"], categories=some)).to_parquet(tmp_path / f"{k}.parquet")
    fit = ms.lmer(FORMULA, tmp_path)
    assert list(fit.fixef.index) == ["Intercept", "x", "arm[T.drug]", "arm[T.both]"]


def test_only_the_needed_columns_are_read(data, folder):
    """A column that nobody needs may be damaged, or hold what no model could read."""
    for file in folder.iterdir():
        frame = pd.read_parquet(file).assign(unused=[[1, 2]] * 400)
        frame.to_parquet(file)
    same(ms.lmer(FORMULA, folder), ms.lmer(FORMULA, data))


def test_hidden_files_are_no_parts(data, folder):
    (folder / "_metadata.parquet").write_bytes(b"nothing")
    (folder / ".draft.parquet").write_bytes(b"nothing")
    same(ms.lmer(FORMULA, folder), ms.lmer(FORMULA, data))


# ---- faults


@pytest.mark.parametrize("damage", ["cut", "noise", "empty"])
def test_a_corrupt_part_is_named(folder, damage):
    file = folder / "part-3.parquet"
    whole = file.read_bytes()
    file.write_bytes({"cut": whole[: len(whole) // 2], "noise": b"no Parquet at all", "empty": b""}[damage])
    said = refused(folder)
    assert said.startswith(f"{str(file)!r} cannot be read (")
    assert said.endswith("): write it again, or take it out of the folder.")


def test_a_damaged_page_is_never_a_silent_partial_fit(folder):
    file = folder / "part-3.parquet"
    table = parquet.read_table(file)
    parquet.write_table(table, file, compression="zstd", write_page_checksum=True)
    whole = bytearray(file.read_bytes())
    where = len(whole) // 4
    whole[where : where + 400] = bytes(400)
    file.write_bytes(bytes(whole))
    assert str(file) in refused(folder)


def test_a_column_missing_in_one_part_is_named(data, folder):
    file = folder / "part-4.parquet"
    pd.read_parquet(file).drop(columns="x").to_parquet(file)
    assert refused(folder) == (
        f"{str(file)!r} has no column 'x', which the files before it have: write it again, or take it out of the "
        "folder."
    )


def test_a_column_of_another_kind_in_one_part_is_named(folder):
    file = folder / "part-4.parquet"
    frame = pd.read_parquet(file)
    frame.assign(x=frame["x"].astype(str)).to_parquet(file)
    assert refused(folder) == (
        "column 'x' holds categories in part-4.parquet, where it held numbers in part-0.parquet: write it alike "
        "everywhere."
    )


def test_an_infinite_value_is_named_with_its_file_and_row(folder):
    file = folder / "part-2.parquet"
    frame = pd.read_parquet(file).reset_index(drop=True)
    frame.loc[17, "x"] = np.inf
    frame.to_parquet(file)
    assert refused(folder) == (
        "column 'x' holds infinite values: row 17 of part-2.parquet holds inf (1 such row in part-2.parquet); replace "
        "or remove them."
    )


def test_paths_that_are_none(tmp_path, data):
    assert refused(tmp_path / "no.parquet").startswith("there is no file or folder ")
    assert "holds no file that ends in .parquet, .pq, .csv" in refused(tmp_path)
    (tmp_path / "data.xlsx").write_bytes(b"")
    assert "ends in none of .parquet, .pq, .csv" in refused(tmp_path / "data.xlsx")
    data.to_csv(tmp_path / "a.csv")
    data.to_parquet(tmp_path / "b.parquet")
    assert "holds both Parquet and CSV files" in refused(tmp_path)


def test_a_file_without_rows(data, tmp_path):
    data.iloc[:0].to_parquet(tmp_path / "none.parquet")
    assert refused(tmp_path / "none.parquet") == "the data have no rows: check how they were read or filtered."


def test_a_missing_column_names_the_nearest(folder):
    assert refused(folder, "y ~ xx + (1 | site)").endswith("did you mean 'x'?")
