"""Small explorers, made once, and the browser that drives them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import Any

import pytest

import mixedsim as ms
from mixedsim.explore import Explorer

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")


@pytest.fixture(scope="package")
def small() -> dict[str, Explorer]:
    """One of each kind, with few settings; read only."""
    return {
        "shrinkage": ms.explore.shrinkage(tau=(0, 3), sigma=(4, 6), sizes=(4, 12), groups=8),
        "random_slopes": ms.explore.random_slopes(sd_intercept=(15, 25), sd_slope=(0, 4), corr=(-0.6, 0, 0.6)),
        "confounder": ms.explore.confounder(sizes=(4, 10), strengths=(0, 9), n=60),
        "p_values": ms.explore.p_values(clusters=(6, 20), icc=(0, 0.3), n=200),
    }


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium without a window. Of one module alone: playwright does not run twice at the same time."""
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        pytest.skip(f"no browser on the path: one of {', '.join(BROWSERS)} drives the explorers")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield started
        started.close()
