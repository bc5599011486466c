"""Where the first NaN or infinity arose: the innermost layer, in the order of the data's path."""

import numpy as np
import pytest

import nnscratch as nn
from nnscratch.inspection.nonfinite import first_nonfinite, first_nonfinite_gradient


def forward(model, *inputs):
    """The place of the first output that is not finite, None if there is none."""
    with nn.observe(model) as passes, np.errstate(all="ignore"):
        model.forward_pass(*inputs)
    use = first_nonfinite(passes)
    if use is not None:
        assert dict(model.walk())[use.where] is use.layer
    return None if use is None else use.where


def back(model, dy, *inputs):
    """The place of the first gradient that is not finite, None if there is none."""
    with nn.observe(model) as passes, np.errstate(all="ignore"):
        model.forward(*inputs)
        model.backward(dy)
    use = first_nonfinite_gradient(passes)
    return None if use is None else use.where


def linear(seed=0):
    return nn.Linear(4, 4, rng=seed)


def test_the_layer_is_found_in_any_depth():
    model = nn.Sequential(linear(), nn.Residual(nn.Sequential(nn.Tanh(), linear(seed=1))))
    x = np.ones((3, 4), np.float32)
    assert forward(model, x) is None
    model[1].layers[0][1].params["b"][2] = np.inf
    assert forward(model, x) == "1.0.1"
    model[0].params["W"][0] = np.nan
    assert forward(model, x) == "0"


def test_a_residual_whose_sum_overflows_is_named_itself():
    model = nn.Sequential(nn.Identity(), nn.Residual(nn.Identity()), nn.Tanh())
    assert forward(model, np.array([1.0, 3e38], np.float32)) == "1"
    assert forward(nn.Residual(nn.Tanh()), np.array([np.nan])) == "0"


def test_the_layer_is_found_inside_a_scan():
    model = nn.Sequential(nn.Identity(), nn.Scan(nn.Sequential(nn.Linear(12, 5), nn.Exp()), 4))
    x = np.ones((5, 6, 3), np.float32)
    assert forward(model, x) is None
    model[1].layers[0][0].params["b"][2] = 1e4
    assert forward(model, x) == "1.0.1"
    assert forward(nn.Scan(nn.Identity(), 2), np.full((1, 3, 1), np.inf)) == "0"


def test_the_node_of_a_graph_is_named():
    x = nn.Input("x")
    inner = nn.Sequential(nn.Identity(), nn.Log())
    graph = nn.Graph([x], nn.Exp()(inner(x - 1, name="inner")))
    assert forward(graph, np.ones(2)) == "inner.1"  # though the output is finite again
    assert forward(graph, np.full(2, 3.0)) is None


def test_of_a_layer_that_stands_twice_the_place_is_named():
    square = nn.Square()
    assert forward(nn.Sequential(square, nn.Tanh(), square), np.array([1e30], np.float32)) == "0"
    grow = nn.Exp()
    model = nn.Sequential(grow, nn.Residual(nn.Sequential(nn.Identity(), grow)))
    assert forward(model, np.array([8.0], np.float32)) == "1.0.1"


def test_each_of_several_outputs_is_looked_at():
    class Parts(nn.Layer):
        def forward_pass(self, x):
            return (x, 1 / x), x

    assert forward(Parts(), np.ones(2)) is None
    assert forward(Parts(), np.zeros(2)) == ""


def test_on_the_way_back_the_first_layer_to_pass_it_on_is_named():
    model = nn.Sequential(linear(), nn.Residual(nn.Sequential(nn.Square(), nn.Sqrt())), nn.Tanh())
    model[0].params["b"] = -model[0].params["W"].sum(axis=1)  # so that its output is 0
    x, dy = np.ones((3, 4), np.float32), np.ones((3, 4), np.float32)
    assert forward(model, x) is None
    assert back(model, dy, x) == "1.0.1"
    assert back(model, dy, x + 1) is None


def test_a_gradient_of_a_parameter_alone_may_overflow():
    model = nn.Sequential(nn.Identity(), nn.Linear(1, 1, rng=0), nn.Identity())
    x = np.full((3, 1), 3e38, np.float32)
    assert back(model, np.ones((3, 1), np.float32), x) == "1"


def test_training_names_the_place_of_a_layer_used_twice():
    grow = nn.Exp()
    model = nn.Sequential(nn.Linear(2, 2, rng=0), grow, grow, grow)
    model.params["0.b"] = [3, 3]
    trainer = nn.Trainer(model, nn.MSELoss(), nn.SGD(model), progress=False)
    with pytest.raises(RuntimeError, match=r"non-finite output is layer 3, Exp\(\); no step was"):
        trainer.fit(np.ones((4, 2)), np.ones((4, 2)), epochs=1)


def test_before_the_first_step_the_advice_is_not_to_take_shorter_ones():
    for model in (nn.Sequential(nn.Log(), nn.Linear(2, 2, rng=0)), nn.Linear(2, 2, rng=0)):
        trainer = nn.Trainer(model, nn.MSELoss(), nn.SGD(model), progress=False)
        with pytest.raises(RuntimeError, match="no step was taken yet: scale what") as error:
            trainer.fit(np.zeros((4, 2)), np.full((4, 2), 1e30), epochs=1)
        assert "learning rate" not in str(error.value)


def test_a_buffer_that_is_not_finite_is_named():
    model = nn.Sequential(nn.Linear(2, 2, rng=0), nn.BatchNorm(2))
    model.buffers["1.running_var"] = [1, np.nan]
    trainer = nn.Trainer(model, nn.MSELoss(), nn.SGD(model), progress=False)
    x = np.random.default_rng(0).normal(size=(8, 2))
    with pytest.raises(RuntimeError, match=r"the buffer '1\.running_var' holds NaN"):
        trainer.fit(x, x, (x, x), epochs=1)


def test_a_backward_pass_of_ones_own_that_makes_nan_is_to_be_checked():
    class Mine(nn.Tanh):
        def backward_pass(self, dy, y):
            return dy * np.nan

    model = nn.Sequential(nn.Linear(2, 2, rng=0), Mine(), nn.Linear(2, 2, rng=1))
    trainer = nn.Trainer(model, nn.MSELoss(), nn.SGD(model), progress=False)
    message = r"layer 1, Mine\(\) is the first to give NaN; check its backward_pass with nn\.check_"
    with pytest.raises(RuntimeError, match=message):
        trainer.fit(np.ones((4, 2)), np.ones((4, 2)), epochs=1)
