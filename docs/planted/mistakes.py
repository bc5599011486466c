"""One planted mistake for each code of the gradient checker: what is changed in a right layer."""

import inspect
from typing import Any, NamedTuple

import numpy as np

from docs.planted import layers as right
from nnscratch.gradient_check import Report, check_gradients


def normal(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).normal(size=shape)


ROWS = (normal(7, 5),)
INPUTS: dict[str, tuple[Any, ...]] = {
    "Mul": (normal(7, 5), normal(5, 7).T),
    "Shift": (normal(7, 5), normal(7, 1)),
    "MatMul": (normal(4, 4), normal(5, 4)[1:]),
    "Flatten": (normal(7, 3, 4),),
    "Embedding": (np.array([3, 1, 4, 1, 5]),),
    "Conv1d": (normal(6, 2, 9),),
    "AvgPool": (normal(6, 2, 9),),
    "RNN": (normal(6, 5, 3),),
    "Log": (normal(7, 5) ** 2 + 1,),
    "MeanSquaredError": (normal(7, 5), normal(5, 7).T),
    "SoftmaxCrossEntropy": (normal(7, 5), np.array([0, 3, 1, 4, 2, 2, 0])),
}


class Planted(NamedTuple):
    """A mistake: in the layer of that name, each old text is replaced by the new one."""

    layer: str
    changes: list[tuple[str, str]]
    inputs: tuple[Any, ...] = ()

    def source(self) -> str:
        text = inspect.getsource(getattr(right, self.layer))
        for old, new in self.changes:
            assert text.count(old) == 1, (self.layer, old)
            text = text.replace(old, new)
        return text

    def build(self) -> Any:
        names = dict(vars(right))
        exec(self.source(), names)
        return names[self.layer]()

    def report(self) -> Report:
        return check_gradients(self.build(), *(self.inputs or INPUTS.get(self.layer, ROWS)))


def change(layer: str, *texts: str, inputs: tuple[Any, ...] = ()) -> Planted:
    return Planted(layer, list(zip(texts[::2], texts[1::2], strict=True)), inputs)


DW, DX = "self.dW = dy.T @ self.x", "return dy @ self.W"
MISTAKES: dict[str, Planted] = {
    "missing": change("Linear", f"        {DW}\n", ""),
    "not_implemented": change("ReLU", "return dy * (self.x > 0)", "raise NotImplementedError"),
    "exception": change("Linear", DX, f"{DX}.T"),
    "none": change("Linear", DX, "dx = dy @ self.W"),
    "type": change("Tanh", "return dy * (1 - self.y**2)", "return lambda: dy * (1 - self.y**2)"),
    "dtype": change("ReLU", "dy * (self.x > 0)", "(dy * (self.x > 0)).astype(int)"),
    "sum_over_batch": change("Linear", "dy.sum(axis=0)", "dy"),
    "keepdims": change("Linear", "dy.sum(axis=0)", "dy.sum(axis=0, keepdims=True)"),
    "broadcast_not_summed": change("Shift", "dy, dy.sum(axis=1, keepdims=True)", "dy, dy"),
    "not_reshaped": change("Flatten", "dy.reshape(self.shape)", "dy"),
    "summed_too_far": change("Linear", "dy.sum(axis=0)", "dy.sum()"),
    "shape": change("Linear", DW, "self.dW = dy.T @ self.x[:, 1:]"),
    "zero": change("Linear", DW, "self.dW = np.zeros_like(self.W)"),
    "sign": change("Cos", "-3 * dy", "3 * dy"),
    "factor_2": change("MeanSquaredError", "return self.difference", "return 2 * self.difference"),
    "factor_half": change("Square", "2 * self.x * dy", "self.x * dy"),
    "factor_n": change("MeanSquaredError", " / len(self.difference)", ""),
    "factor_1_n": change("Linear", DW, f"{DW} / len(dy)"),
    "factor_minus_n": change("SoftmaxCrossEntropy", "(self.p - self.target) / len(self.p)",
                             "self.target - self.p"),
    "factor_minus_1_n": change("Linear", DW, "self.dW = -dy.T @ self.x / len(dy)"),
    "factor": change("Cos", "-3 * dy", "-dy"),
    "transposed": change("Linear", DW, "self.dW = self.x.T @ dy"),
    "reshape_for_transpose": change("Transpose", "dy.T", "dy.reshape(dy.shape[::-1])"),
    "flipped_kernel": change("Conv1d", "dy[:, :, i], self.W)", "dy[:, :, i], self.W[:, :, ::-1])"),
    "shifted_kernel": change("Conv1d", "[:, :, self.padding : -self.padding]",
                             "[:, :, 2 * self.padding :]"),
    "stride_forgotten": change("AvgPool", "dx[:, :, t : t + 3]", "dx[:, :, i : i + 3]"),
    "window_off_by_one": change("AvgPool", "dx[:, :, t : t + 3]", "dx[:, :, t : t + 2]"),
    "padding_not_cropped": change("Conv1d", "dx[:, :, self.padding : -self.padding]", "dx"),
    "cropped_to_nothing": change("Conv1d", "stride, padding = 2, 1", "stride, padding = 2, 0"),
    "windows_left_out": change("AvgPool", "enumerate(self.starts)", "enumerate(self.starts[:-1])"),
    "averaged_over_space": change("Conv1d", "dy.sum(axis=(0, 2))", "dy.mean(axis=2).sum(axis=0)"),
    "stale_cache": change("Linear", "        self.x = x\n",
                          '        if not hasattr(self, "x"):\n            self.x = x\n'),
    "accumulated": change("Linear", "self.W, self.b = draw(3, 5), draw(3)",
                          "self.W, self.b = draw(3, 5), draw(3)\n        self.dW = 0",
                          DW, "self.dW += dy.T @ self.x"),
    "not_accumulated": change("Embedding", "np.add.at(self.dW, self.index, dy)",
                              "self.dW[self.index] = dy"),
    "windows_not_added": change("AvgPool", "+=", "="),
    "stale_params": change("Linear", "draw(3)\n", "draw(3)\n        self.columns = self.W.copy()\n",
                           DX, "return dy @ self.columns"),
    "updated_too_early": change("Trains", "        dx = dy @ self.W\n", "",
                                "        return dx", "        return dy @ self.W"),
    "bias_correction_missing": change("TrainsByAdam", "v = self.v / (1 - self.beta2**self.t)",
                                      "v = self.v"),
    "state_leak": change(
        "MeanSquaredError", "        return (", "        self.count = getattr(self, \"count\", 0)"
        " + len(prediction)\n        return (", "len(self.difference)", "self.count"),
    "second_backward": change(
        "BatchNorm", "through_variance = self.x_hat * (g * self.x_hat).mean(axis=0)",
        "through_variance = self.x_hat\n        through_variance *= (g * self.x_hat).mean(axis=0)"),
    "mutated_input": change("Softmax", "e = np.exp(x - x.max(axis=1, keepdims=True))",
                            "x -= x.max(axis=1, keepdims=True)\n        e = np.exp(x)"),
    "mutated_dy": change("ReLU", "return dy * (self.x > 0)",
                         "dy *= self.x > 0\n        return dy"),
    "mutated_params": change("Linear", DX, "dx = dy @ self.W\n        self.W -= 0.1 * self.dW\n"
                             "        return dx"),
    "swapped": change("Mul", "dy * self.v, dy * self.u", "dy * self.u, dy * self.v"),
    "missing_derivative": change("Tanh", " * (1 - self.y**2)", ""),
    "dy_ignored": change("Tanh", "dy * (1", "(1"),
    "reciprocal": change("Log", "dy / self.z", "dy * self.z"),
    "path_missing": change("Shortcut", "dy + dy", "dy"),
    "path_added": change("Tanh", "return dy", "return dy + dy"),
    "inverted_mask": change("ReLU", "(self.x > 0)", "(self.x < 0)"),
    "output_ignored": change("Both", " + dsquare * 2 * self.x", ""),
    "time_cut": change("RNN", "(dy[:, t] + dh)", "dy[:, t]"),
    "gates_exchanged": change("Gates", "[da, db, dy]", "[db, da, dy]"),
    "wrong_derivative": change("Tanh", "1 - self.y**2", "1 - self.y"),
    "sum_added": change("Softmax", "(dy - (dy", "(dy + (dy"),
    "outside_kink": change("ReLU", "(self.x > 0)", "np.where(self.x == 0, 2, self.x > 0)",
                           inputs=(np.array([[1.0, 0.0, -2.0], [0.0, 3.0, 0.0]]),)),
    "every_maximum": change(
        "Max", "dx[np.arange(len(dx)), self.x.argmax(axis=1)] = dy",
        "dx += dy[:, None] * (self.x == self.x.max(axis=1, keepdims=True))",
        inputs=(np.array([[0.0, 0.0, -1.0], [1.0, 2.0, 3.0]]),)),
    "wrong_place": change("Tanh", "self.y**2)", "np.tanh(self.y) ** 2)"),
    "transpose_missing": change("MatMul", "dy @ self.B.T", "dy @ self.B"),
    "operands_swapped": change("MatMul", "dy @ self.B.T", "self.B.T @ dy"),
    "wrong_operand": change("Mul", "dy * self.v, ", "dy * self.u, "),
    "elementwise_product": change("MatMul", "dy @ self.B.T", "dy * self.B.T"),
    "wrong_axis": change("Softmax", "(dy * y).sum(axis=1, ", "(dy * y).sum(axis=0, "),
    "one_sample": change("Linear", DW, "self.dW = np.outer(dy[-1], self.x[-1])"),
    "diagonal_jacobian": change("Softmax", "y * (dy - (dy * y).sum(axis=1, keepdims=True))",
                                "dy * y * (1 - y)"),
    "sum_missing": change("Softmax", "y * (dy - (dy * y).sum(axis=1, keepdims=True))", "y * dy"),
    "mean_path_missing": change("BatchNorm", " - through_mean", ""),
    "variance_path_missing": change("BatchNorm", " - through_variance", ""),
    "mean_and_variance_paths_missing": change(
        "BatchNorm", "(g - through_mean - through_variance)", "g"),
    "scale_missing": change("BatchNorm", "dy * self.gamma\n", "dy\n"),
    "scale_too_late": change("LayerNorm", "g = dy * self.gamma", "g = dy",
                             "return g /", "return self.gamma * g /"),
    "deviation_missing": change("BatchNorm", " - through_variance) / self.deviation",
                                " - through_variance)"),
    "target_missing": change("SoftmaxCrossEntropy", "(self.p - self.target)", "self.p"),
    "target_added": change("SoftmaxCrossEntropy", "self.p - self.target", "self.p + self.target"),
    "prediction_missing": change("SoftmaxCrossEntropy", "(self.p - self.target)", "-self.target"),
    "activation_missing": change("SoftmaxCrossEntropy", "self.p - self.target",
                                 "self.x - self.target"),
    "non_finite": change("Softmax", "x - x.max(axis=1, keepdims=True)", "x"),
    "values_differ": change("Linear", DW, f"{DW}\n        self.dW[1, 2] *= 1.5"),
    "not_understood": change("Tanh", "backward(self, dy)", "backward(self)", "dy * (1", "(1"),
    "not_compared": change("ReLU", "def forward(self, x):\n",
                           "def __init__(self):\n        self.slope = np.ones(5)\n\n"
                           "    def forward(self, x):\n",
                           "np.maximum(x, 0)", "np.maximum(x, 0) * self.slope",
                           "(self.x > 0)", "(self.x > 0) * self.slope"),
    "kink": change("ReLU", inputs=(np.zeros((3, 4)),)),
    "precision": change("Cos", "np.cos(3 * x)", "np.float32(1e6) + np.cos(3 * np.float32(x))"),
    "random_forward": change("ReLU", "return np.maximum(x, 0)",
                             "return np.maximum(x, 0) + np.random.default_rng().random(x.shape)"),
}  # fmt: skip
