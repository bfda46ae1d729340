"""R's uniform numbers: the Mersenne Twister as `set.seed` starts it, read ahead in blocks.

Method: MT19937 of Matsumoto & Nishimura (1998, ACM Trans. Model. Comput. Simul. 8, 3–30), whose words NumPy makes. R's
own part is how a seed becomes the 624 words of the state: the linear congruential generator x ← 69069 x + 1 (mod 2^32),
started at the seed and run in for fifty rounds. The result can be looked at in R as ``.Random.seed``.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_WORDS = 624
_ROUNDS = 51  # fifty, and one for the place of the state that R overwrites with the position
_STEP = 2.0**-32
_SMALLEST = 1.1641532185403984e-10  # what R gives in place of 0, so that a uniform number lies strictly within (0, 1)
_BLOCK = 1024


class Words:
    """An endless row of uniform numbers within (0, 1), each one 32-bit word of the generator.

    Samplers that reject look ahead at more numbers than they will use, and then take just the used ones away: what
    comes next is what R's next call would see.
    """

    def __init__(self, seed: int) -> None:
        self._bits = np.random.MT19937(0)
        self._bits.state = {"bit_generator": "MT19937", "state": {"key": _scrambled(seed), "pos": _WORDS}}
        self._ahead: Array = np.empty(0)  # made and not taken yet; never written to, so that copies may share it

    def copy(self) -> Words:
        """The same numbers once more, from here on."""
        twin = object.__new__(Words)
        twin._bits = np.random.MT19937(0)
        twin._bits.state = self._bits.state
        twin._ahead = self._ahead
        return twin

    def peek(self, n: int) -> Array:
        """The next `n` numbers, which stay where they are."""
        missing = n - len(self._ahead)
        if missing > 0:
            self._ahead = np.concatenate([self._ahead, self._made(max(missing, _BLOCK))])
        return self._ahead[:n]

    def skip(self, n: int) -> None:
        """Take away `n` numbers that `peek` has shown."""
        assert n <= len(self._ahead)
        self._ahead = self._ahead[n:]

    def take(self, n: int) -> Array:
        """The next `n` numbers."""
        if n > len(self._ahead) + _BLOCK:  # a large block goes to whoever asked, without a copy that stays here
            taken = np.concatenate([self._ahead, self._made(n - len(self._ahead))])
            self._ahead = np.empty(0)
            return taken
        taken = self.peek(n)
        self.skip(n)
        return taken

    def _made(self, n: int) -> Array:
        values: Array = np.multiply(self._bits.random_raw(n), _STEP, dtype=np.float64)
        values[values == 0] = _SMALLEST
        return values


def _scrambled(seed: int) -> NDArray[np.uint32]:
    x = seed
    key = []
    for _ in range(_ROUNDS + _WORDS):
        x = (69069 * x + 1) % 2**32
        key.append(x)
    return np.array(key[_ROUNDS:], dtype=np.uint32)
