"""ONNX's own tests of its operators, run on what we read of them.

    python -m tests.onnx_backend        prints the tally, and why tests do not apply

A test gives weights as inputs; where our layers have them as parameters, all inputs but the
first are made constants of the file before it is read.
"""

import collections
import tempfile
import warnings
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper

from nnscratch.interop import onnx as interop
from nnscratch.interop.onnx.from_sizes import FROM_SIZES
from nnscratch.interop.onnx.load import READ

PASSED, FAILED = "passed", "failed"


def cases():
    """The tests of single operators that are among ours."""
    from onnx.backend.test.case.node import collect_testcases

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = collect_testcases(None)
    for case in found:
        nodes = [] if case.model is None else case.model.graph.node
        if len(nodes) == 1 and nodes[0].op_type in READ.keys() | FROM_SIZES.keys():
            yield case


def frozen(model, inputs, kept):
    """The model with all inputs but one as constants."""
    model = onnx.ModelProto.FromString(model.SerializeToString())
    pairs = list(zip([x.name for x in model.graph.input], inputs, strict=True))
    left = [x for i, x in enumerate(model.graph.input) if i == kept]
    tensors = [numpy_helper.from_array(a, n) for i, (n, a) in enumerate(pairs) if i != kept]
    model.graph.initializer.extend(tensors)
    del model.graph.input[:]
    model.graph.input.extend(left)
    return model, [inputs[kept]]


def outcome(case, path):
    """ "passed", "failed: ..." or the reason why the test does not apply."""
    reason = "it has no input"
    for inputs, expected in case.data_sets:
        if not all(isinstance(x, np.ndarray) for x in [*inputs, *expected]):
            return "its inputs or outputs are no arrays"
        ways = [(case.model, list(inputs))] if inputs else []
        ways += [frozen(case.model, inputs, kept) for kept in range(len(inputs)) if len(inputs) > 1]
        for model, given in ways:
            path.write_bytes(model.SerializeToString())
            try:
                graph = interop.load(path)
                y = graph.forward(*given)
            except ValueError as error:
                if model is case.model or "must be a constant" in reason:
                    reason = str(error).removeprefix(f"{path}: ")
                continue
            return compared(y, expected, case)
    return reason


def compared(y, expected, case):
    parts = y if isinstance(y, tuple) else (y,)
    for one, other in zip(parts, expected, strict=True):
        if one.shape != other.shape:
            return f"{FAILED}: the shape {one.shape}, expected {other.shape}"
        if not np.allclose(one, other, max(case.rtol, 1e-5), max(case.atol, 1e-5), equal_nan=True):
            return f"{FAILED}: off by {np.abs(one - other).max():.1e}"
    return PASSED


def tally():
    """The outcome of every test by its name."""
    with tempfile.TemporaryDirectory() as folder, np.errstate(all="ignore"):
        path = Path(folder, "m.onnx")
        return {case.name: outcome(case, path) for case in cases()}


def main():
    found = tally()
    counts = collections.Counter(
        text if text == PASSED else text.partition(":")[0] if FAILED in text else "not applicable"
        for text in found.values()
    )
    reasons = collections.defaultdict(list)
    for name, text in found.items():
        if text != PASSED:
            reasons[text].append(name.removeprefix("test_"))
    for text, names in sorted(reasons.items()):
        print(f"{text}\n    {', '.join(names)}")
    print(", ".join(f"{counts[kind]} {kind}" for kind in (PASSED, "not applicable", FAILED)))


if __name__ == "__main__":
    main()
