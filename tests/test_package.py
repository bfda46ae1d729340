"""What `import mixedsim` brings, and what it leaves for later."""

import subprocess
import sys

import pytest

import mixedsim as ms


def test_every_name_that_is_promised_is_there():
    assert sorted(ms.__all__) == ms.__all__ == dir(ms)
    for name in ms.__all__:
        assert getattr(ms, name) is not None


def test_a_name_that_is_not_promised_is_an_attribute_error():
    with pytest.raises(AttributeError, match=r"^module 'mixedsim' has no attribute 'lmerr'$"):
        ms.lmerr  # noqa: B018


def loaded(code, *modules):
    code = f"import sys; {code}; print(*[m for m in {modules!r} if m in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return run.stdout.split()


def test_importing_waits_for_nothing():
    assert loaded("import mixedsim", "pandas", "scipy", "formulaic", "matplotlib", "seaborn", "otter") == []


def test_fitting_needs_no_pictures_and_no_statistics_module():
    assert loaded("import mixedsim as ms; ms.lmer", "matplotlib", "seaborn", "scipy.stats", "otter") == []


def test_drawing_needs_no_fitter():
    assert loaded("import mixedsim as ms; ms.Population", "mixedsim.engine", "mixedsim.models") == []
