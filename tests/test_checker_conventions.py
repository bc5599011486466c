"""Ways in which strangers write layers: each is understood, right or wrong, or said not to be."""

import numpy as np
import pytest

from nnscratch.gradient_check import check_gradients
from tests.checked_objects import X, codes, numbers, verdicts

W, B = numbers(5, 3, seed=1), numbers(3, seed=2)
T = np.eye(5)[np.arange(7) % 5]


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


class Dense:
    """y = x W + b; `wrong` times the right gradient of W."""

    wrong = 1.0

    def __init__(self):
        self.W, self.b = W.copy(), B.copy()

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def gradients(self, dy):
        return dy @ self.W.T, self.wrong * self.x.T @ dy, dy.sum(0)


class InTuple(Dense):
    def backward(self, dy):
        return self.gradients(dy)


class InList(Dense):
    def backward(self, dy):
        dx, dW, db = self.gradients(dy)
        return dx, [dW, db]


class DxLast(Dense):
    def backward(self, dy):
        dx, dW, db = self.gradients(dy)
        return dW, db, dx


class InAttributes(Dense):
    names = ("dW", "db")

    def backward(self, dy):
        dx, *grads = self.gradients(dy)
        for name, gradient in zip(self.names, grads, strict=True):
            setattr(self, name, gradient)
        return dx


def left_as(*names):
    return type(f"Left_{names[0]}", (InAttributes,), {"names": names})


class Slots:
    __slots__ = ("W", "b", "dW", "db", "x")
    wrong = 1.0
    __init__, forward, gradients = Dense.__init__, Dense.forward, Dense.gradients

    def backward(self, dy):
        dx, self.dW, self.db = self.gradients(dy)
        return dx


class Underscores:
    wrong = 1.0

    def __init__(self):
        self._w, self._b = W.copy(), B.copy()

    def forward(self, x):
        self._x = x
        return x @ self._w + self._b

    def backward(self, dy):
        self._dw, self._db = self.wrong * self._x.T @ dy, dy.sum(0)
        return dy @ self._w.T


class Weights:
    wrong = 1.0

    def __init__(self):
        self.weights, self.bias = W.copy(), B.copy()

    def forward(self, inputs):
        self.inputs = inputs
        self.output = inputs @ self.weights + self.bias

    def backward(self, dvalues):
        self.dweights, self.dbias = self.wrong * self.inputs.T @ dvalues, dvalues.sum(0)
        self.dinputs = dvalues @ self.weights.T


class Param:
    def __init__(self, value):
        self.value, self.grad = value, np.zeros_like(value)


class Params:
    wrong = 1.0

    def __init__(self):
        self.W, self.B = Param(W.copy()), Param(B.copy())

    def forward(self, x):
        self.x = x
        return x @ self.W.value + self.B.value

    def backward(self, d_out):
        self.W.grad += self.wrong * self.x.T @ d_out
        self.B.grad += d_out.sum(0)
        return d_out @ self.W.value.T

    def params(self):
        return {"W": self.W, "B": self.B}


class Lazy:
    wrong = 1.0

    def __init__(self):
        self.parameters, self.gradients = {}, {}

    def forward(self, x):
        if not self.parameters:
            self.parameters = {"W": np.random.randn(5, 3), "b": np.zeros(3)}  # noqa: NPY002
        self.x = x
        return x @ self.parameters["W"] + self.parameters["b"]

    def backward(self, dy):
        self.gradients["W"], self.gradients["b"] = self.wrong * self.x.T @ dy, dy.sum(0)
        return dy @ self.parameters["W"].T


class InnerObjects:
    wrong = 1.0

    def __init__(self):
        self.first, self.rest = InAttributes(), [Tanh()]

    def forward(self, x):
        return self.rest[0].forward(self.first.forward(x))

    def backward(self, dy):
        dx = self.first.backward(self.rest[0].backward(dy))
        self.first.dW = self.first.dW * self.wrong
        return dx


class Tanh:
    def forward(self, x):
        self.y = np.tanh(x)
        return self.y

    def backward(self, dy):
        return dy * (1 - self.y**2)


class OnTheClass:
    wrong = 1.0
    W = W.copy()

    def forward(self, x):
        self.x = x
        return x @ self.W

    def backward(self, dy):
        self.dW = self.wrong * self.x.T @ dy
        return dy @ self.W.T


class AddsUpUntilCleared(InAttributes):
    cleared = 0

    def __init__(self):
        super().__init__()
        self.cleargrads()

    def cleargrads(self):
        self.dW, self.db = np.zeros_like(W), np.zeros_like(B)

    def backward(self, dy):
        dx, dW, db = self.gradients(dy)
        self.dW += dW
        self.db += db
        return dx


class KeepsInputsUntilFlushed(Dense):
    def __init__(self):
        super().__init__()
        self.flush_gradients()

    def flush_gradients(self):
        self.X, self.dW, self.db = [], 0, 0

    def forward(self, x):
        self.X.append(x)
        return x @ self.W + self.b

    def backward(self, dy):
        self.x = self.X[0]
        dx, dW, db = self.gradients(dy)
        self.dW, self.db = self.dW + dW, self.db + db
        return dx


class UpdatesByRate(Dense):
    def backward(self, dy, learning_rate):
        dx, dW, db = self.gradients(dy)
        self.W -= learning_rate * dW
        self.b -= learning_rate * db
        return dx


class UpdatesByItsOwnRate(Dense):
    def __init__(self):
        super().__init__()
        self.lr = 0.01

    def backward(self, dy):
        dx, dW, db = self.gradients(dy)
        self.W = self.W - self.lr * dW
        self.b = self.b - self.lr * db
        return dx


class InputAgain(Dense):
    def backward(self, input, grad_output):
        self.x = input
        dx, self.dW, self.db = self.gradients(grad_output)
        return dx

    def forward(self, input):
        return input @ self.W + self.b


class Called(InAttributes):
    forward = None

    def __call__(self, x):
        return Dense.forward(self, x)


DENSE = [
    InTuple, InList, DxLast, InAttributes, left_as("dLdW", "dLdb"), left_as("W_grad", "b_grad"),
    left_as("grad_W", "grad_b"), left_as("weights_gradient", "bias_gradient"), Slots, Underscores,
    Weights, Params, Lazy, InnerObjects, OnTheClass, AddsUpUntilCleared, KeepsInputsUntilFlushed,
    UpdatesByRate, UpdatesByItsOwnRate, InputAgain, Called,
]  # fmt: skip


@pytest.mark.parametrize("cls", DENSE, ids=lambda cls: cls.__name__)
def test_a_right_layer_passes_with_its_parameters_compared(cls):
    report = check_gradients(cls(), X)
    assert {f.verdict for f in report.findings} == {"pass"}, str(report)
    assert len(report.findings) >= (2 if cls is OnTheClass else 3), str(report)


@pytest.mark.parametrize("cls", DENSE, ids=lambda cls: cls.__name__)
def test_its_wrong_gradient_fails_under_the_name_of_the_parameter(cls):
    wrong = cls()
    kept, cls.wrong = cls.wrong, -1.0
    try:
        found = verdicts(check_gradients(wrong, X))
    finally:
        cls.wrong = kept
    assert [code for verdict, code in found.values() if verdict == "fail"] == ["sign"], found


# Functions ----------------------------------------------------------------------------------


def affine_forward(x, w, b):
    return x.reshape(len(x), -1) @ w + b, (x, w, b)


def affine_backward(dout, cache):
    x, w, _ = cache
    return (dout @ w.T).reshape(x.shape), x.reshape(len(x), -1).T @ dout, dout.sum(0)


def test_functions_are_checked_as_a_pair():
    x, w, b = numbers(7, 2, 5), numbers(10, 3), numbers(3)
    found = verdicts(check_gradients((affine_forward, affine_backward), x, w, b))
    assert found == {f"dx[{i}]": ("pass", "") for i in range(3)}

    def wrong(dout, cache):
        dx, dw, db = affine_backward(dout, cache)
        return dx, dw / len(dout), db

    assert codes((affine_forward, wrong), x, w, b) == {"dx[1]": "factor_1_n"}


def test_functions_take_settings_and_integers():
    def forward(x, w, param):
        param["calls"] = param.get("calls", 0) + 1  # as running averages are kept
        return w[x] * param["scale"], (x, w, param)

    def backward(dout, cache):
        x, w, param = cache
        dw = np.zeros_like(w)
        np.add.at(dw, x, dout * param["scale"])
        return dw

    report = check_gradients((forward, backward), np.array([3, 1, 3]), numbers(5, 4), {"scale": 2})
    assert report.ok, str(report)
    assert verdicts(report)["dx[1]"] == ("pass", "")


def test_functions_with_several_outputs():
    def forward(x, h):
        return x + h, x * h, (x, h)

    def backward(dy, dc, cache):
        x, h = cache
        return dy + dc * h, dy + dc * x

    assert check_gradients((forward, backward), X, numbers(7, 5, seed=3)).ok
    wrong = (forward, lambda dy, dc, cache: (dy + dc * cache[1], dy + dc * cache[1]))
    assert codes(wrong, X, numbers(7, 5, seed=3)) == {"dx[1]": "wrong_operand"}


# Inputs and outputs -------------------------------------------------------------------------


def test_a_list_of_arrays_is_several_inputs():
    class Join:
        def forward(self, parts):
            self.sizes = [p.shape[1] for p in parts]
            return np.concatenate(parts, 1)

        def backward(self, dy):
            return np.split(dy, np.cumsum(self.sizes)[:-1], 1)

    report = check_gradients(Join(), [X, numbers(7, 3)])
    assert verdicts(report) == {"dx[0]": ("pass", ""), "dx[1]": ("pass", "")}


def test_states_in_a_tuple_come_back_in_a_tuple():
    class Cell:
        def forward(self, x, state):
            self.x, (h, c) = x, state
            self.f = np.tanh(h)
            self.c = c
            new = self.f * c + x
            return new, (new * 2, new)

        def backward(self, dy, dstate):
            d = dy + 2 * dstate[0] + dstate[1]
            return d, (d * self.c * (1 - self.f**2), d * self.f)

    cell = Cell()
    assert check_gradients(cell, X, (numbers(7, 5, seed=1), numbers(7, 5, seed=2))).ok


def test_several_outputs_take_one_tuple_or_several_dy():
    class Each:
        def forward(self, x):
            self.x = x
            return np.sin(x), x * x

        def backward(self, du, dv):
            return du * np.cos(self.x) + 2 * dv * self.x

    class Together(Each):
        def backward(self, dys):
            return super().backward(*dys)

    class FirstOnly(Each):
        def backward(self, dy):
            return dy * np.cos(self.x)

    for cls in (Each, Together, FirstOnly):
        assert check_gradients(cls(), X).ok, cls
    lost = type("Lost", (Each,), {"backward": lambda s, du, dv: du * np.cos(s.x)})
    assert not check_gradients(lost(), X).ok


@pytest.mark.parametrize("dout", [True, False])
@pytest.mark.parametrize(
    "shape", [float, np.float32, lambda v: np.reshape(v, 1), lambda v: np.reshape(v, (1, 1))]
)
def test_a_loss_is_one_number_of_any_shape(shape, dout):
    class Loss:
        def forward(self, scores, target):
            self.p, self.target = softmax(scores), target
            return shape(-np.sum(target * np.log(self.p)) / len(target))

        def backward(self, dout=1):
            return np.sum(dout) * (self.p - self.target) / len(self.target)

    if not dout:
        Loss.backward = lambda self: (self.p - self.target) / len(self.target)
    assert verdicts(check_gradients(Loss(), X, T)) == {"dx": ("pass", "")}
    sign = Loss.backward
    Loss.backward = lambda self: -sign(self)
    assert set(codes(Loss(), X, T)) == {"dx"}


def test_a_loss_that_ignores_its_default_dy_is_checked_at_1():
    class Loss:
        def forward(self, x, t):
            self.d = x - t
            return np.sum(self.d**2) / 2

        def backward(self, dout=1):
            return self.d

    assert check_gradients(Loss(), X, T).ok


@pytest.mark.parametrize("mean", [True, False])
@pytest.mark.parametrize("column", [True, False])
def test_a_loss_of_each_sample_is_their_sum_or_their_mean(mean, column):
    class Losses:
        def forward(self, x, t):
            self.d = x - t
            return np.sum(self.d**2, 1, keepdims=column) / 2

        def backward(self):
            return self.d / len(self.d) if mean else self.d

    assert verdicts(check_gradients(Losses(), X, T)) == {"dx": ("pass", "")}


def test_a_loss_whose_backward_is_told_prediction_and_target_again():
    class Loss:
        def calculate(self, y_pred, y_true):
            return np.mean(self.forward(y_pred, y_true))

        def forward(self, y_pred, y_true):
            return -np.sum(y_true * np.log(y_pred), 1)

        def backward(self, dvalues, y_true):
            self.dinputs = -y_true / dvalues / len(dvalues)

    assert verdicts(check_gradients(Loss(), softmax(X), T)) == {"dx": ("pass", "")}


# Not understood -----------------------------------------------------------------------------


class ItsOwnDerivative:
    def forward(self, x):
        self.y = np.tanh(x)
        return self.y

    def backward(self):
        return 1 - self.y**2


class DerivativeAtX(ItsOwnDerivative):
    def backward(self, x):
        return 1 - np.tanh(x) ** 2


@pytest.mark.parametrize("cls", [ItsOwnDerivative, DerivativeAtX])
def test_a_local_derivative_is_not_understood(cls):
    report = check_gradients(cls(), X)
    assert verdicts(report) == {"dx": ("undecidable", "not_understood")}
    assert report.ok
    assert "def backward(self, dy): return dy * layer.backward" in str(report)


def test_a_parameter_without_a_gradient_is_named():
    class Scaled(Tanh):
        def __init__(self):
            self.table = numbers(5)

        def forward(self, x):
            return super().forward(x) * self.table

        def backward(self, dy):
            return super().backward(dy * self.table)

    assert verdicts(check_gradients(Scaled(), X)) == {
        "dx": ("pass", ""),
        "table": ("undecidable", "not_compared"),
    }


def test_a_gradient_by_another_name_is_found_by_its_value():
    class Odd(Dense):
        def backward(self, dy):
            dx, self.collected, self.db = self.gradients(dy)
            return dx

    assert {f.verdict for f in check_gradients(Odd(), X).findings} == {"pass"}
    wrong = type("Wrong", (Odd,), {"wrong": 3.0})
    assert verdicts(check_gradients(wrong(), X))["W"] == ("undecidable", "not_compared")


def test_statistics_are_no_parameters():
    class Normal:
        training = False

        def __init__(self):
            self.running_mean, self.running_var = numbers(5), np.abs(numbers(5))

        def forward(self, x):
            return (x - self.running_mean) / np.sqrt(self.running_var)

        def backward(self, dy):
            return dy / np.sqrt(self.running_var)

    assert verdicts(check_gradients(Normal(), X)) == {"dx": ("pass", "")}


def test_what_cannot_be_called_is_refused_with_the_reason():
    class NoBackward:
        def forward(self, x):
            return x

    class Unknown(Tanh):
        def backward(self, dy, strength, offset):
            return dy

    with pytest.raises(ValueError, match="without backward"):
        check_gradients(NoBackward(), X)
    with pytest.raises(ValueError, match="not understood"):
        check_gradients(Unknown(), X)
    with pytest.raises(ValueError, match="whose forward takes"):
        check_gradients(Tanh(), X, X)


def test_dx_after_the_update_is_named():
    class Early(Dense):
        def backward(self, dy, learning_rate):
            self.W -= learning_rate * self.x.T @ dy
            self.b -= learning_rate * dy.sum(0)
            return dy @ self.W.T

    assert codes(Early(), X) == {"dx": "updated_too_early"}


def test_tensors_are_taken_as_arrays():
    torch = pytest.importorskip("torch")
    assert check_gradients(Tanh(), torch.tensor(X)).ok

    class WorksOnTensors(Tanh):
        def forward(self, x):
            return x.detach().tanh()

    with pytest.raises(ValueError, match="not understood: tensors are passed as NumPy arrays"):
        check_gradients(WorksOnTensors(), torch.tensor(X))


# Objects that need more than one call --------------------------------------------------------


def test_settings_and_unused_inputs_need_no_gradient():
    def forward(x, rate, running):
        return x * rate, (x, rate), running

    report = check_gradients((forward, lambda dout, cache: dout * cache[1]), X, 0.5, numbers(5))
    assert report.ok, str(report)
    assert verdicts(report)["dx[0]"] == ("pass", "")


def test_an_optimizer_inside_is_seen_through():
    class Optimizer:
        def update(self, w, grad):
            return w - 0.02 * grad

    class Trains(Dense):
        def __init__(self):
            super().__init__()
            self.optimizer = Optimizer()

        def backward(self, dy):
            dx, dW, db = self.gradients(dy)
            self.W, self.b = self.optimizer.update(self.W, dW), self.optimizer.update(self.b, db)
            return dx

    assert verdicts(check_gradients(Trains(), X)) == dict.fromkeys(("dx", "W", "b"), ("pass", ""))
    wrong = type("Wrong", (Trains,), {"wrong": 2.0})()
    assert verdicts(check_gradients(wrong, X))["W"] == ("undecidable", "not_compared")


def test_a_layer_that_keeps_its_cache_in_training_alone_is_trained():
    class Cautious(Tanh):
        def forward(self, x, training=False):
            y = np.tanh(x)
            if training:
                self.y = y
            return y

    assert verdicts(check_gradients(Cautious(), X)) == {"dx": ("pass", "")}


def test_a_state_that_goes_on_from_call_to_call_is_no_mistake():
    class Stateful:
        def __init__(self):
            self.h, self.U = np.zeros((7, 5)), numbers(5, 5)

        def forward(self, x):
            self.before = self.h
            self.h = np.tanh(x + self.h @ self.U)
            return self.h

        def backward(self, dy):
            d = dy * (1 - self.h**2)
            self.dU = self.before.T @ d
            return d

    report = check_gradients(Stateful(), X)
    assert report.ok, str(report)
    assert "goes on from the call before" in str(report)
    sign = type("Sign", (Stateful,), {"backward": lambda s, dy: -dy * (1 - s.h**2)})
    assert not check_gradients(sign(), X).ok


def test_what_is_cleared_before_each_forward_may_add_up():
    class Broken(KeepsInputsUntilFlushed):
        def flush_gradients(self):
            if hasattr(self, "X"):
                raise RuntimeError("needs an optimizer")
            super().flush_gradients()

    assert check_gradients(Broken(), X).ok


def test_parameters_made_in_the_first_forward_of_what_cannot_be_cleared_are_found():
    class Made(Lazy):
        def flush_gradients(self):
            raise RuntimeError("needs an optimizer")

    names = {"dx", "W", "b"}
    report = check_gradients(Made(), X)
    assert {f.array for f in report.findings if f.verdict == "pass"} == names, str(report)


def test_reports_name_updated_parameters_in_their_order():
    report = check_gradients(UpdatesByRate(), X)
    assert [f.array for f in report.findings] == ["dx", "W", "b"]


def test_float16_is_compared_as_far_as_it_goes():
    half = type("Half", (Tanh,), {"backward": lambda s, dy: np.float16(Tanh.backward(s, dy))})
    report = check_gradients(half(), X)
    assert report.ok
    assert "dx is float16" in str(report)
    sign = type("Sign", (Tanh,), {"backward": lambda s, dy: np.float16(-Tanh.backward(s, dy))})
    assert not check_gradients(sign(), X).ok


def test_a_bias_of_one_row_with_a_gradient_of_one_axis_is_told_to_keep_it():
    class Row(InAttributes):
        def __init__(self):
            super().__init__()
            self.b = self.b[None]

    report = check_gradients(Row(), X)
    assert verdicts(report)["b"] == ("fail", "keepdims")
    assert "db has shape (3,), expected (1, 3)" in str(report)
    assert "keepdims=True" in str(report)


class Neuron:
    """One unit in lists of Python's numbers; `wrong` times the gradients of its weights."""

    wrong = 1.0

    def __init__(self):
        self.weights, self.bias = [0.5, -1.2, 0.8], 0.3
        self.reset_gradient()

    def reset_gradient(self):
        self.gradient_weights, self.gradient_bias = [0.0] * 3, 0.0

    def forward(self, inputs):
        self.inputs = list(inputs)
        return sum(x * w for x, w in zip(inputs, self.weights, strict=True)) + self.bias

    def backward(self, gradient_output):
        for i, x in enumerate(self.inputs):
            self.gradient_weights[i] += self.wrong * gradient_output * x
        self.gradient_bias += gradient_output
        return [gradient_output * w for w in self.weights]


class Lists:
    """A dense layer of nested lists; `wrong` times the gradient of its weights."""

    wrong = 1.0

    def __init__(self):
        self.weights, self.bias = W[:3, :2].tolist(), B[:2].tolist()

    def forward(self, x):
        self.x, columns = x, zip(*self.weights, strict=True)
        sums = [sum(a * b for a, b in zip(x, column, strict=True)) for column in columns]
        return [s + b for s, b in zip(sums, self.bias, strict=True)]

    def backward(self, grad):
        self.dweights = [[self.wrong * x * g for g in grad] for x in self.x]
        self.dbias = list(grad)
        return [sum(w * g for w, g in zip(row, grad, strict=True)) for row in self.weights]


@pytest.mark.parametrize("cls", [Neuron, Lists])
@pytest.mark.parametrize("wrong", [1.0, 2.0])
def test_parameters_and_gradients_in_lists_are_compared_as_arrays(cls, wrong):
    layer = cls()
    layer.wrong = wrong
    report = check_gradients(layer, [0.1, 0.7, -0.4])
    found = {finding.array: finding.code for finding in report.findings}
    assert found == {"dx": "", "weights": "" if wrong == 1.0 else "factor_2", "bias": ""}, report
    assert isinstance(layer.weights, list)


class Getters:
    """Lists its parameters and gradients by methods; `wrong` times the gradient of the first."""

    wrong = 1.0

    def __init__(self):
        self._kernel, self._offset = W.copy(), B.copy()

    def forward(self, x):
        self._x = x
        return x @ self._kernel + self._offset

    def backward(self, err):
        self._found = [self.wrong * self._x.T @ err, err.sum(0)]
        return err @ self._kernel.T

    def get_params(self):
        return [self._kernel, self._offset]

    def get_grads(self):
        return self._found


class Properties(Getters):
    @property
    def weights(self):
        return {"kernel": self._kernel, "offset": self._offset}

    @property
    def gradients(self):
        return dict(zip(("d_kernel", "d_offset"), self._found, strict=True))

    get_params = get_grads = None


@pytest.mark.parametrize("cls", [Getters, Properties])
@pytest.mark.parametrize("wrong", [1.0, 2.0])
def test_gradients_are_those_that_getters_list_beside_the_parameters(cls, wrong):
    layer = cls()
    layer.wrong = wrong
    found = {finding.array: finding.code for finding in check_gradients(layer, X).findings}
    assert found == {"dx": "", "_kernel": "" if wrong == 1.0 else "factor_2", "_offset": ""}


def test_the_only_gradient_of_an_embedding_may_be_called_grad():
    class Embedding:
        def __init__(self):
            self.W, self.grad = numbers(9, 4), None

        def forward(self, ids):
            self.ids = ids
            return self.W[ids]

        def backward(self, dout):
            self.grad = np.zeros_like(self.W)
            self.grad[self.ids] = dout

    report = check_gradients(Embedding(), np.array([[0, 1, 1], [3, 6, 1]]))
    assert {f.array: f.verdict for f in report.findings} == {"dx": "pass", "W": "fail"}, report


@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")
@pytest.mark.parametrize("wrong", [1.0, 2.0])
def test_matrices_are_multiplied_as_the_layer_means_it(wrong):
    class Matrices:
        def __init__(self):
            self.W, self.b = np.asmatrix(W.T.copy()), np.asmatrix(B).T

        def forward(self, x):
            self.x = x
            return self.W * x + self.b

        def backward(self, delta):
            self.dW, self.db = wrong * delta * self.x.T, delta.sum(axis=1)
            return self.W.T * delta

    report = check_gradients(Matrices(), np.asmatrix(numbers(5, 4)))
    found = {finding.array: finding.code for finding in report.findings}
    assert found == {"dx": "", "W": "" if wrong == 1.0 else "factor_2", "b": ""}, report
