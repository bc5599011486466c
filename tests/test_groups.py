"""Settings for some of the parameters, and formulas that look at one parameter as a whole."""

import copy

import numpy as np
import pytest

import nnscratch as nn
from tests.test_optimizers import batches, gradients, small_model

BIASES = {"*.b": {"weight_decay": 0.0}}
EVERY = {
    "SGD": {"momentum": 0.9, "weight_decay": 0.1, "learning_rate": 0.1},
    "Adam": {"weight_decay": 0.1, "learning_rate": 0.01},
    "AdamW": {"weight_decay": 0.1, "learning_rate": 0.01},
    "NAdam": {"weight_decay": 0.1, "learning_rate": 0.01},
    "RMSprop": {"weight_decay": 0.1, "learning_rate": 0.01, "momentum": 0.5},
    "Adagrad": {"weight_decay": 0.1, "learning_rate": 0.1},
    "Adadelta": {"weight_decay": 0.1},
}


@pytest.mark.torch
@pytest.mark.parametrize("name", EVERY)
def test_groups_follow_torchs_parameter_groups_for_fifty_steps(name):
    torch = pytest.importorskip("torch")
    settings = EVERY[name]
    rate = settings.get("learning_rate", 1.0)
    model = small_model()
    groups = BIASES | {"1.*": {"learning_rate": nn.Scaled(0.1)}, "5.W": {"learning_rate": 0.05}}
    optimizer = getattr(nn, name)(model, **settings, groups=groups)
    theirs = {k: torch.tensor(np.array(a), requires_grad=True) for k, a in model.params.items()}

    def options(key):
        own = {"lr": rate * 0.1 if key.startswith("1.") else 0.05 if key == "5.W" else rate}
        return own | {"weight_decay": 0.0 if key.endswith(".b") else 0.1}

    keywords = {key: settings[key] for key in ("momentum",) if key in settings}
    reference = getattr(torch.optim, name)(
        [{"params": [p], **options(key)} for key, p in theirs.items()], lr=rate, **keywords
    )
    schedule = nn.StepDecay(optimizer, every=20, factor=0.5)
    for step, (x, y) in enumerate(batches(50)):
        grads = gradients(model, x, y)
        optimizer.step(grads)
        schedule.step()
        for key, p in theirs.items():
            p.grad = torch.tensor(np.array(grads[key]))
        reference.step()
        if step in (19, 39):
            for key, group in zip(theirs, reference.param_groups, strict=True):
                group["lr"] *= 1 if key == "5.W" else 0.5  # a number stays as it is
        for key, p in theirs.items():
            # torch keeps NAdam's product of momenta in float32
            np.testing.assert_allclose(model.params[key], p.detach().numpy(), 1e-8, 1e-9)


def test_later_patterns_win_setting_by_setting():
    model = small_model()
    optimizer = nn.SGD(
        model,
        1.0,
        groups={
            "*": {"learning_rate": 0.5, "weight_decay": 0.5},
            "*.b": {"weight_decay": 0.0},
            "5.b": {"learning_rate": 0.0},
        },
    )
    before = model.params.copy()
    optimizer.step({name: np.ones_like(array) for name, array in model.params.items()})
    for name, array in before.items():
        rate = 0.0 if name == "5.b" else 0.5
        decay = 0.0 if name.endswith(".b") else 0.5
        np.testing.assert_allclose(model.params[name], array - rate * (1 + decay * array))


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        ({"7.*": {"weight_decay": 0.0}}, r"'7\.\*' fits no parameter; there are 1\.W, 1\.b"),
        ({"*.b": {"decay": 0.0}}, r"expected a dict of settings of SGD, which are learning_rate"),
        ({"*.b": 0.0}, "expected a dict of settings of SGD"),
        ({"*.b": {"weight_decay": -1}}, "expected weight_decay >= 0, received -1"),
        ({"*.b": {"momentum": 1.0}}, r"expected momentum in \[0, 1\)"),
    ],
)
def test_groups_that_make_no_sense_are_refused(groups, message):
    with pytest.raises(ValueError, match=message):
        nn.SGD(small_model(), groups=groups)
    for wrong in (-1, "0.1", None, np.nan, True):
        with pytest.raises(ValueError, match="Scaled expected share >= 0"):
            nn.Scaled(wrong)


def test_a_momentum_of_one_group_alone_has_its_velocity():
    model, plain = small_model(), small_model()
    optimizer = nn.SGD(model, 0.1, groups={"*": {"momentum": 0.9}})
    reference = nn.SGD(plain, 0.1, momentum=0.9)
    for x, y in batches(5):
        optimizer.step(gradients(model, x, y))
        reference.step(gradients(plain, x, y))
    for name, array in model.params.items():
        np.testing.assert_array_equal(array, plain.params[name])


def test_state_is_kept_for_what_is_used_alone_and_has_the_names_of_the_formula():
    model = small_model()
    assert not nn.SGD(model).state
    assert list(nn.SGD(model, momentum=0.9).state) == ["velocity"]
    adam = nn.Adam(model)
    grads = {name: np.ones_like(array) for name, array in model.params.items()}
    adam.step(grads)
    assert list(adam.state) == ["m", "v"]
    np.testing.assert_allclose(adam.state["m"]["1.W"], 0.1)
    np.testing.assert_allclose(adam.state["v"]["1.W"], 0.001)


class LARS(nn.Optimizer):
    """A rate for each parameter from its norm, which no element knows by itself."""

    element_wise = False
    state_names = ("velocity",)

    def __init__(self, model, learning_rate=0.1, momentum=0.9, trust=0.1, groups=None):
        super().__init__(model, groups, learning_rate=learning_rate, momentum=momentum, trust=trust)

    def update(self, w, g, v):
        rate = self.learning_rate * self.trust * np.linalg.norm(w) / (np.linalg.norm(g) or 1)
        v *= self.momentum
        v += rate * g
        w -= v


def test_a_layer_wise_formula_sees_one_parameter_at_a_time_in_its_shape():
    model = small_model()
    for name, array in model.params.items():
        array[...] = 1 + np.arange(array.size).reshape(array.shape)
        assert name
    optimizer = LARS(model, groups={"*.b": {"learning_rate": nn.Scaled(0.5)}})
    expected, velocity = model.params.copy(), {}
    for x, y in batches(3):
        grads = {name: grad.copy() for name, grad in gradients(model, x, y).items()}
        optimizer.step(grads)
        for name, w in expected.items():
            rate = 0.1 * (0.5 if name.endswith(".b") else 1.0) * 0.1
            rate *= np.linalg.norm(w) / np.linalg.norm(grads[name])
            velocity[name] = 0.9 * velocity.get(name, 0) + rate * grads[name]
            expected[name] = w - velocity[name]
    for name, array in expected.items():
        np.testing.assert_allclose(model.params[name], array, rtol=1e-12)


def test_groups_survive_a_copy():
    data = batches(6)
    model = small_model()
    optimizer = nn.Adam(model, groups=BIASES | {"1.*": {"learning_rate": nn.Scaled(0.1)}})
    for x, y in data[:3]:
        optimizer.step(gradients(model, x, y))
    twin, its_optimizer = copy.deepcopy((model, optimizer))
    for x, y in data[3:]:
        optimizer.step(gradients(model, x, y))
        its_optimizer.step(gradients(twin, x, y))
    for name, array in model.params.items():
        np.testing.assert_array_equal(array, twin.params[name])


@pytest.mark.parametrize(
    "kind", ["SGD", "Adam", "AdamW", "NAdam", "RMSprop", "Adagrad", "Adadelta"]
)
@pytest.mark.parametrize("wrong", [None, 3, "model", [nn.Linear(2, 2)]])
def test_what_is_no_model_is_refused(kind, wrong):
    with pytest.raises(ValueError, match=f"{kind} expected a model to train"):
        getattr(nn, kind)(wrong)
