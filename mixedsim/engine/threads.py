"""One thread for linear algebra in loops of small steps.

BLAS libraries hand every product to all cores and then wait, spinning, for the slowest. In a loop over products of
some microseconds that costs more than it gives, and beside other busy processes it costs many times the work itself.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from functools import cache

from threadpoolctl import ThreadpoolController

_WORTH_SHARING = 2500  # rows of a dense matrix from which a second core pays for the waiting


@cache
def _controller() -> ThreadpoolController:
    """The BLAS libraries that are loaded, looked up once: it takes milliseconds."""
    return ThreadpoolController()


def threads_for(dense_size: int) -> AbstractContextManager[object]:
    """A context in which BLAS uses one thread, unless its largest matrix has many rows."""
    if dense_size >= _WORTH_SHARING:
        return nullcontext()
    return one_thread()


def one_thread() -> AbstractContextManager[object]:
    """A context in which BLAS uses one thread, whatever the size: where the cores are shared out to processes, and
    where the last digit must not depend on how many threads added up."""
    limit: AbstractContextManager[object] = _controller().limit(limits=1, user_api="blas")
    return limit
