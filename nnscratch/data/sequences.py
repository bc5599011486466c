"""Numbers -> sequences whose answer is known: small problems for layers that remember."""

from __future__ import annotations

import operator

import numpy as np
from numpy.typing import NDArray

from nnscratch.kinds import checks_kinds

ADDITION = "0123456789+="  # what the numbers of `addition` stand for

Sequences = tuple[NDArray[np.int64], NDArray[np.int64]]


@checks_kinds
def addition(
    samples: int = 1000, digits: int = 2, rng: int | np.random.Generator | None = None
) -> Sequences:
    """Sums written out, "07+35=", and their answers, "042", as places in `ADDITION`.

    Parameters
    ----------
    samples : int
    digits : int
        Of each summand, with leading zeros; 1 to 17.
    rng : int, numpy.random.Generator or None

    Returns
    -------
    x : int64 array (samples, 2 * digits + 2)
    y : int64 array (samples, digits + 1)

    References
    ----------
    Zaremba and Sutskever, Learning to execute (2014), section 4, for the problem.

    Examples
    --------
    >>> x, y = addition(1, digits=2, rng=0)
    >>> "".join(ADDITION[code] for code in x[0]), "".join(ADDITION[code] for code in y[0])
    ('85+63=', '148')
    """
    samples, digits = _at_least_one("addition", samples=samples, digits=digits)
    if digits > 17:
        raise ValueError(f"addition expected at most 17 digits, received {digits}")
    u, v = np.random.default_rng(rng).integers(0, 10**digits, (2, samples))
    sign = np.full((samples, 1), ADDITION.index("+"))
    end = np.full((samples, 1), ADDITION.index("="))
    x = np.concatenate([_written(u, digits), sign, _written(v, digits), end], axis=1)
    return x, _written(u + v, digits + 1)


@checks_kinds
def reversals(
    samples: int = 1000,
    length: int = 8,
    symbols: int = 10,
    rng: int | np.random.Generator | None = None,
) -> Sequences:
    """Random sequences, and the same from the end to the beginning.

    Parameters
    ----------
    samples, length : int
    symbols : int
        How many there are: 0 to symbols - 1.
    rng : int, numpy.random.Generator or None

    Returns
    -------
    x, y : int64 arrays (samples, length)

    Examples
    --------
    >>> x, y = reversals(1, length=4, rng=0)
    >>> x, y
    (array([[8, 6, 5, 2]]), array([[2, 5, 6, 8]]))
    """
    samples, length, symbols = _at_least_one(
        "reversals", samples=samples, length=length, symbols=symbols
    )
    x = np.random.default_rng(rng).integers(0, symbols, (samples, length))
    return x, x[:, ::-1].copy()


@checks_kinds
def sines(
    samples: int = 1000,
    steps: int = 50,
    noise: float = 0.1,
    rng: int | np.random.Generator | None = None,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Noisy sines, and each one's next value without the noise.

    Parameters
    ----------
    samples, steps : int
    noise : float
        Standard deviation of what is added to x; the sines have the amplitude 1.
    rng : int, numpy.random.Generator or None

    Returns
    -------
    x, y : float32 arrays (samples, steps, 1)
        y[:, t] is the sine at the time t + 1.

    Notes
    -----
    Each sine has a phase of its own, from 0 to 2 π, and a period of its own, from 10 to 30 steps.

    Examples
    --------
    >>> x, y = sines(1, steps=20, noise=0.0, rng=0)
    >>> bool(np.array_equal(x[:, 1:], y[:, :-1]))
    True
    """
    samples, steps = _at_least_one("sines", samples=samples, steps=steps)
    if not noise >= 0:
        raise ValueError(f"sines expected noise of at least 0, received {noise}")
    rng = np.random.default_rng(rng)
    phase, period = rng.uniform(0, 2 * np.pi, (samples, 1)), rng.uniform(10, 30, (samples, 1))
    values = np.sin(phase + 2 * np.pi * np.arange(steps + 1) / period)[:, :, np.newaxis]
    x = values[:, :-1] + noise * rng.normal(size=(samples, steps, 1))
    return x.astype(np.float32), values[:, 1:].astype(np.float32)


def _written(numbers: NDArray[np.int64], digits: int) -> NDArray[np.int64]:
    """The decimal digits of each number, the highest first."""
    return numbers[:, np.newaxis] // 10 ** np.arange(digits - 1, -1, -1) % 10


def _at_least_one(caller: str, **counts: int) -> list[int]:
    for name, count in counts.items():
        if operator.index(count) < 1:
            raise ValueError(f"{caller} expected {name} of at least 1, received {count}")
    return [operator.index(count) for count in counts.values()]
