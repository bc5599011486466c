"""A student's layer beside the library's, with the same parameters and the same calls."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from nnscratch.grading.evidence import Reference, claim, equal, unchanged
from nnscratch.grading.faults import Fault
from nnscratch.grading.remote import Remote, entry
from nnscratch.grading.verdicts import Comparison

SPARE = 1 << 20  # bytes that may come back beyond what a sum that was left out would give


class Pair:
    """Both layers of one class.

    Parameters
    ----------
    theirs : Remote
    ours : Reference
    is_loss : bool
        backward takes no dy.
    returns_grads : bool
        backward returns (dx, grads) instead of leaving `grads` on the layer.
    """

    def __init__(
        self, theirs: Remote, ours: Reference, is_loss: bool = False, returns_grads: bool = False
    ) -> None:
        self.theirs, self.ours = theirs, ours
        self.is_loss, self.returns_grads = is_loss, returns_grads
        self.params = ours.params
        self.most = SPARE
        self.failed: Fault | None = None

    def built(self, name: str) -> Iterator[Comparison]:
        """Whether `__init__` made parameters that can learn; the library gets the same."""
        if not self.params:
            return
        theirs = self.theirs.get("params")
        for key, ours in self.params.items():
            array = entry(theirs, key, "params")
            if not isinstance(array, np.ndarray):
                raise Fault("type", f"params[{key!r}] of a new {name} is no array")
            right = array.shape == ours.shape
            yield claim(
                f"{key} as built",
                right,
                "built_shape",
                f"{key} of a new {name} has shape {array.shape}, expected {ours.shape}",
            )
            if not right:
                return
            drawn = ours.size > 1 and np.ptp(ours) > 0
            good = array.dtype.kind == "f" and bool(np.isfinite(array).all())
            if good and drawn:  # rows that are equal stay equal, and zeros pass no gradient back
                good = bool(np.ptp(array, axis=0).all() and 1e-3 < np.abs(array).max() < 10)
            elif good:
                good = bool(np.array_equal(array, ours))
            how = "different numbers of moderate size" if drawn else f"{ours.flat[0]:g} everywhere"
            words = f"{key} of a new {name} does not start as it should", f"it takes {how}"
            yield claim(f"{key} as built", good, "built_values", *words)
            if good:
                self.ours.set(key, array.astype(np.float64))
        self.params = self.ours.params

    def draw_params(self, rng: np.random.Generator) -> None:
        """Other numbers in both, also for biases: zeros hide that one is missing."""
        if not self.params:
            return
        self.params = {name: rng.normal(size=array.shape) for name, array in self.params.items()}
        self.put_params()
        for name, value in self.params.items():
            self.ours.set(name, value)

    def put_params(self) -> None:
        """Give the student's layer its parameters, whatever it did to them."""
        if self.params:
            self.theirs.set("params", self.params)

    def forward(self, inputs: Sequence[Any], writes: bool = True) -> Remote | None:
        """The student's y, kept there; None where it failed, which `failed` tells.

        With `writes` it may write to its inputs: that is charged where y is judged.
        """
        self.failed = None
        arrays = [*inputs, *self.params.values()]
        elements = sum(np.size(a) for a in arrays)
        self.most = SPARE + 8 * (1 + len(inputs[0])) * elements
        try:
            kept: Remote = self.theirs.call("forward", *inputs, keep=True, writes=writes)
        except Fault as fault:
            self.failed = fault
            return None
        return kept

    def value(self, inputs: Sequence[Any]) -> tuple[Any, Remote]:
        """What forward returns, and where it is kept."""
        kept = self.forward(inputs, writes=False)
        if kept is None:
            assert self.failed is not None
            raise self.failed
        return kept.value(self.most), kept

    def gradients(
        self, names: Sequence[str], dy: Any = None, forwards: int = 0, writes: bool = False
    ) -> dict[str, Any]:
        """What backward gives for these names.

        That forward failed is told only where backward cannot do without it; that dx failed is
        told only where the gradients of parameters are not there.
        """
        wants_dx = all(name.startswith("dx") for name in names)
        returns = wants_dx or self.returns_grads
        expected = 2 if self.returns_grads else len(names)
        before = {} if returns else self._grads()
        returned: Any = None
        try:
            returned = self.theirs.call(
                "backward",
                *([] if self.is_loss else [dy]),
                keep=not returns,
                unpack=expected if returns and expected > 1 else None,
                writes=writes or not wants_dx,
                forwards=forwards,
                most=self.most,
            )
        except Fault as fault:
            after = {} if returns else self._grads()
            if not after or all(equal(after[n], before.get(n)) for n in after):
                raise self.failed or fault from None
        if self.returns_grads:
            dx, grads = returned
            return {n: dx if n == "dx" else entry(grads, n) for n in names}
        if wants_dx:
            return dict(zip(names, returned if len(names) > 1 else [returned], strict=True))
        grads = self.theirs.get("grads", most=self.most)
        return {name: entry(grads, name) for name in names}

    def _grads(self) -> dict[str, np.ndarray]:
        """The arrays among the gradients; nothing where there is no such dict."""
        try:
            grads = self.theirs.get("grads", most=self.most)
        except Fault:
            return {}
        items = grads.items() if isinstance(grads, dict) else ()
        return {name: array for name, array in items if isinstance(array, np.ndarray)}

    def params_unchanged(self) -> Iterator[Comparison]:
        """Whether the parameters are what they were set to."""
        if self.params:
            now = self.theirs.get("params", most=self.most)
            for name, value in self.params.items():
                yield unchanged(name, entry(now, name, "params"), value)


def begun(ours: Any, theirs: Remote) -> Any:
    """The library's layer with the parameters that `__init__` of the student's made.

    So it is recognized when they are used later on (`stale_params`). What does not fit is left
    out here: that is judged with y.
    """
    if not getattr(ours, "params", None):  # a loss has none
        return ours
    ours = ours.astype(np.float64)
    try:
        params = theirs.get("params")
    except Fault:
        return ours
    for key, array in ours.params.items():
        made = params.get(key) if isinstance(params, dict) else None
        if isinstance(made, np.ndarray) and made.shape == array.shape and made.dtype.kind == "f":
            ours.params[key] = made
    return ours
