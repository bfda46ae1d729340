"""Standard normal numbers as R makes them by default: by inversion.

Method: ``qnorm(u)`` with Wichura (1988), Algorithm AS 241: The percentage points of the normal distribution, Applied
Statistics 37, 477–484, procedure PPND16 (about 16 digits). One 32-bit word has too few digits for the tails, so u is
made of two: ``(floor(2^27 u1) + u2) / 2^27``.
"""

from __future__ import annotations

import numpy as np

from mixedsim.simulate.replay.words import Array

_BIG = 2.0**27
_BLOCK = 2**16  # numbers at a time: the steps below then stay in the processor's cache

# PPND16's rational approximations, highest power first: the middle of the distribution, its shoulders, its far tails.
_MIDDLE = (
    (2.5090809287301226727e3, 3.3430575583588128105e4, 6.7265770927008700853e4, 4.5921953931549871457e4,
     1.3731693765509461125e4, 1.9715909503065514427e3, 1.3314166789178437745e2, 3.3871328727963666080e0),
    (5.2264952788528545610e3, 2.8729085735721942674e4, 3.9307895800092710610e4, 2.1213794301586595867e4,
     5.3941960214247511077e3, 6.8718700749205790830e2, 4.2313330701600911252e1, 1.0),
)  # fmt: skip
_SHOULDER = (
    (7.74545014278341407640e-4, 2.27238449892691845833e-2, 2.41780725177450611770e-1, 1.27045825245236838258e0,
     3.64784832476320460504e0, 5.76949722146069140550e0, 4.63033784615654529590e0, 1.42343711074968357734e0),
    (1.05075007164441684324e-9, 5.47593808499534494600e-4, 1.51986665636164571966e-2, 1.48103976427480074590e-1,
     6.89767334985100004550e-1, 1.67638483018380384940e0, 2.05319162663775882187e0, 1.0),
)  # fmt: skip
_TAIL = (
    (2.01033439929228813265e-7, 2.71155556874348757815e-5, 1.24266094738807843860e-3, 2.65321895265761230930e-2,
     2.96560571828504891230e-1, 1.78482653991729133580e0, 5.46378491116411436990e0, 6.65790464350110377720e0),
    (2.04426310338993978564e-15, 1.42151175831644588870e-7, 1.84631831751005468180e-5, 7.86869131145613259100e-4,
     1.48753612908506148525e-2, 1.36929880922735805310e-1, 5.99832206555887937690e-1, 1.0),
)  # fmt: skip


def normals(uniforms: Array) -> Array:
    """Standard normal numbers, half as many as the uniform ones they are made from."""
    values = np.empty(len(uniforms) // 2)
    for start in range(0, len(values), _BLOCK):
        stop = min(start + _BLOCK, len(values))
        first, second = uniforms[2 * start : 2 * stop : 2], uniforms[2 * start + 1 : 2 * stop : 2]
        values[start:stop] = from_pairs(first, second)
    return values


def from_pairs(first: Array, second: Array) -> Array:
    """A standard normal number for each pair of uniform ones."""
    return quantile((np.floor(_BIG * first) + second) / _BIG)


def quantile(p: Array) -> Array:
    """The standard normal quantile of every p within (0, 1): PPND16, in the paper's three regions."""
    q = p - 0.5
    r = 0.180625 - q * q
    values = _polynomial(_MIDDLE[0], r)
    values *= q
    values /= _polynomial(_MIDDLE[1], r)
    outside = np.flatnonzero(r < 0)
    if outside.size:
        side = q[outside]
        r = np.sqrt(-np.log(np.where(side < 0, p[outside], 1 - p[outside])))
        size = _ratio(_SHOULDER, r - 1.6)
        far = r > 5
        if far.any():
            size[far] = _ratio(_TAIL, r[far] - 5)
        values[outside] = np.copysign(size, side)
    return values


def _ratio(coefficients: tuple[tuple[float, ...], tuple[float, ...]], r: Array) -> Array:
    return _polynomial(coefficients[0], r) / _polynomial(coefficients[1], r)


def _polynomial(powers: tuple[float, ...], r: Array) -> Array:
    total = np.full_like(r, powers[0])
    for coefficient in powers[1:]:
        total *= r
        total += coefficient
    return total
