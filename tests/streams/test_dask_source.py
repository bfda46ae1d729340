"""A Dask DataFrame: the fit of memory from sums made on the workers, whatever happens to one of them."""

import os
import signal
import threading
import time

import numpy as np
import pandas as pd
import pytest

import mixedsim as ms

dd = pytest.importorskip("dask.dataframe")
distributed = pytest.importorskip("distributed")

FORMULA = "y ~ scale(x) + arm + (x | site)"
pytestmark = pytest.mark.filterwarnings("ignore")  # the cluster's own, at its end


@pytest.fixture(scope="module")
def client():
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(5)
    n = 3000
    data = pd.DataFrame({"x": rng.normal(size=n), "arm": rng.choice(["a", "b"], n), "site": rng.integers(0, 40, n)})
    effects = rng.normal(size=(40, 2))[data["site"]]
    data["y"] = effects[:, 0] + (1 + effects[:, 1]) * data["x"] + rng.normal(size=n)
    data.loc[[3, 2000], "x"] = np.nan
    return data


def same(a, b):
    assert a.messages == b.messages
    np.testing.assert_allclose(a.fixef, b.fixef, rtol=1e-9)
    np.testing.assert_allclose(a.theta, b.theta, rtol=1e-8, atol=1e-10)
    assert a.deviance == pytest.approx(b.deviance, rel=1e-11)


@pytest.mark.parametrize("partitions", [1, 7, 20])
def test_the_fit_of_memory(client, data, partitions):
    same(ms.lmer(FORMULA, dd.from_pandas(data, npartitions=partitions)), ms.lmer(FORMULA, data))


def test_without_a_cluster(data):
    same(ms.lmer(FORMULA, dd.from_pandas(data, npartitions=3)), ms.lmer(FORMULA, data))


def test_a_category_that_the_metadata_do_not_know(data):
    def as_they_come(frame):
        return frame.assign(arm=pd.Categorical(frame["arm"]))

    data = data.sort_values("arm", kind="stable", ignore_index=True)
    meta = data.iloc[:0].assign(arm=pd.Categorical([], categories=["a"]))
    frame = dd.from_pandas(data, npartitions=5).map_partitions(as_they_come, meta=meta)
    same(ms.lmer(FORMULA, frame), ms.lmer(FORMULA, data))


def slow(frame, seconds):
    time.sleep(seconds)
    return frame


def test_a_worker_that_is_killed_costs_nothing_but_time(client, data):
    frame = dd.from_pandas(data, npartitions=12).map_partitions(slow, 0.2, meta=data)
    victim = next(iter(client.run(os.getpid).values()))
    killer = threading.Timer(1.0, os.kill, (victim, signal.SIGKILL))
    killer.start()
    fit = ms.lmer(FORMULA, frame)
    killer.join()
    again = ms.lmer(FORMULA, dd.from_pandas(data, npartitions=12))
    assert fit.deviance == again.deviance  # to the last bit: sums are added up in one order
    assert fit.fixef.equals(again.fixef)


def test_our_sentences_come_through(client, data):
    bad = data.copy()
    bad.loc[1700, "x"] = np.inf
    with pytest.raises(ms.MixedsimError, match=r"column 'x' holds infinite values: row .* of partition"):
        ms.lmer(FORMULA, dd.from_pandas(bad, npartitions=6))
    with pytest.raises(ms.MixedsimError, match="the formula needs a column 'z'"):
        ms.lmer("y ~ z + (1 | site)", dd.from_pandas(data, npartitions=2))


def test_a_partition_that_cannot_be_computed(client, data):
    def broken(frame):
        raise RuntimeError("the disk is gone")

    frame = dd.from_pandas(data, npartitions=3).map_partitions(broken, meta=data)
    with pytest.raises(ms.MixedsimError, match=r"the cluster could not compute a partition .*the disk is gone"):
        ms.lmer(FORMULA, frame)
