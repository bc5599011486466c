"""What a recurrent layer gives if no gradient goes from a step to the one before.

For dx that is what the dy of each step says of the x of the same step. For a parameter it takes
the step's own use of it: where y_t is the state, J_t = D_t + A_t J_{t-1} for the Jacobians J_t of
y_t by the parameter, with A_t = ∂y_t/∂y_{t-1}, and D_t is what a cut gradient adds up. The same A_t
is in ∂y_t/∂x_s = A_t ∂y_{t-1}/∂x_s for every s < t, from which it is read, as far as these reach
what A_t is asked for.
"""

from __future__ import annotations

import numpy as np

from nnscratch.gradient_check.draws import Draw

__all__ = ["in_time", "param_within_steps", "within_steps"]


def in_time(draw: Draw) -> bool:
    """Whether the layer goes from (N, T, F) to (N, T, H)."""
    x, y = draw.inputs[0], draw.ys[0]
    return len(draw.ys) == 1 and np.ndim(x) == y.ndim == 3 and x.shape[:2] == y.shape[:2]


def within_steps(draw: Draw, jacobian: np.ndarray) -> np.ndarray:
    """dx of (N, T, F), where the dy of each step counts for the x of that step alone."""
    n, steps, features = draw.inputs[0].shape
    every = jacobian.reshape(n, steps, -1, n, steps, features)
    own = np.einsum("nthntf->nthf", every)
    return np.asarray(np.einsum("nth,nthf->ntf", draw.dy, own))


def param_within_steps(
    draw: Draw, jacobian: np.ndarray, by_x: np.ndarray, shape: tuple[int, ...]
) -> np.ndarray | None:
    """The gradient of a parameter, where each step's use of it counts for the y of that step alone.

    None where the Jacobians by x do not tell.
    """
    n, steps, features = draw.inputs[0].shape
    whole = jacobian.reshape(n, steps, draw.ys[0].shape[2], -1)
    every = by_x.reshape(n, steps, -1, n, steps, features)
    if np.isnan(whole).any() or np.isnan(every).any():
        return None
    total = np.zeros(whole.shape[-1])
    for sample in range(n):
        reach = every[sample, :, :, sample]  # (t, H, s, F)
        for t in range(steps):
            own = whole[sample, t]
            if t:
                passed = _passed(reach[t - 1, :, :t], reach[t, :, :t], whole[sample, t - 1])
                if passed is None:
                    return None
                own = own - passed
            total += draw.dy[sample, t] @ own
    return total.reshape(shape)


def _passed(before: np.ndarray, now: np.ndarray, wanted: np.ndarray) -> np.ndarray | None:
    """A J for the A with A · before = now; None where before does not reach J."""
    before, now = before.reshape(len(before), -1), now.reshape(len(now), -1)
    combination, *_ = np.linalg.lstsq(before, wanted, rcond=1e-6)
    size = float(np.max(np.abs(wanted), initial=0))
    if np.max(np.abs(before @ combination - wanted), initial=0) > 1e-6 * size:
        return None
    return np.asarray(now @ combination)
