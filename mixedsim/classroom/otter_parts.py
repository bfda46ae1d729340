"""The parts of Otter-Grader that are used, imported in one place.

Otter brings a browser's widgets along; importing them sets off deprecation warnings that are nobody's business here.
"""

from __future__ import annotations

import warnings

from mixedsim.errors import MixedsimError

try:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from otter.assign import main as assign
        from otter.nbmeta_config import NBMetadataConfig
        from otter.test_files import TestFile, create_test_file
except ModuleNotFoundError as missing:
    raise MixedsimError(
        f'building and grading exercises needs {missing.name!r}: pip install "mixedsim[classroom]".'
    ) from missing

__all__ = ["NBMetadataConfig", "TestFile", "assign", "create_test_file"]
