"""Optimizers beside torch's on random settings, gradients and groups."""

import numpy as np
import pytest

import nnscratch as nn
from nnscratch.optimizers import Optimizer

torch = pytest.importorskip("torch")

pytestmark = pytest.mark.torch

CASES, STEPS = 200, 10

# our setting: (torch's, how it is drawn); for beta1 and beta2 torch has a pair
DRAWN = {
    "learning_rate": ("lr", lambda rng: 10 ** rng.uniform(-3, -0.5)),
    "momentum": ("momentum", lambda rng: rng.choice([0, rng.uniform(0, 0.99)])),
    "dampening": ("dampening", lambda rng: rng.uniform(0, 1)),
    "nesterov": ("nesterov", lambda rng: bool(rng.integers(2))),
    "weight_decay": ("weight_decay", lambda rng: rng.choice([0, rng.uniform(0, 0.5)])),
    "beta1": ("beta1", lambda rng: rng.uniform(0, 0.99)),
    "beta2": ("beta2", lambda rng: rng.uniform(0.5, 0.9999)),
    "epsilon": ("eps", lambda rng: 10 ** rng.uniform(-10, -2)),
    "amsgrad": ("amsgrad", lambda rng: bool(rng.integers(2))),
    "centered": ("centered", lambda rng: bool(rng.integers(2))),
    "decay": ("decay", lambda rng: rng.uniform(0.5, 0.999)),
    "momentum_decay": ("momentum_decay", lambda rng: 10 ** rng.uniform(-4, -1)),
}
TAKEN = {
    "SGD": ["learning_rate", "momentum", "dampening", "nesterov", "weight_decay"],
    "Adam": ["learning_rate", "beta1", "beta2", "epsilon", "weight_decay", "amsgrad"],
    "AdamW": ["learning_rate", "beta1", "beta2", "epsilon", "weight_decay", "amsgrad"],
    "NAdam": ["learning_rate", "beta1", "beta2", "epsilon", "weight_decay", "momentum_decay"],
    "RMSprop": ["learning_rate", "decay", "epsilon", "momentum", "weight_decay", "centered"],
    "Adagrad": ["learning_rate", "epsilon", "weight_decay"],
    "Adadelta": ["learning_rate", "decay", "epsilon", "weight_decay"],
}
NAMES = {"RMSprop": {"decay": "alpha"}, "Adadelta": {"decay": "rho"}}


def settings_of(name, rng):
    """(ours, torch's) for one case."""
    ours = {key: DRAWN[key][1](rng) for key in TAKEN[name]}
    if name == "SGD" and ours["nesterov"]:  # of which both ask for this
        ours |= {"momentum": rng.uniform(0.1, 0.99), "dampening": 0.0}
    theirs = {NAMES.get(name, {}).get(key, DRAWN[key][0]): value for key, value in ours.items()}
    if "beta1" in theirs:
        theirs["betas"] = theirs.pop("beta1"), theirs.pop("beta2")
    return ours, theirs


def gradients_of(params, rng):
    """Of every size from step to step, and 0 here and there."""
    size = 10 ** rng.uniform(-3, 2)
    grads = {key: size * rng.normal(size=w.shape) for key, w in params.items()}
    for grad in grads.values():
        grad[rng.random(grad.shape) < 0.1] = 0
    return grads


def test_every_exported_optimizer_is_compared():
    classes = [thing for thing in vars(nn).values() if isinstance(thing, type)]
    found = {c.__name__ for c in classes if issubclass(c, Optimizer)} - {"Optimizer"}
    assert found == set(TAKEN)


@pytest.mark.parametrize("name", TAKEN)
def test_steps_on_random_settings_and_gradients_are_torchs(name):
    for seed in range(CASES):
        rng = np.random.default_rng(seed)
        ours, theirs = settings_of(name, rng)
        model = nn.mlp([*rng.integers(1, 6, 3)], rng=rng).astype("f8")
        tensors = {
            k: torch.tensor(np.array(w), requires_grad=True) for k, w in model.params.items()
        }
        groups, reference_groups = {}, [{"params": [tensor]} for tensor in tensors.values()]
        if seed % 2:  # a rate, and no decay, for one parameter of its own
            place = int(rng.integers(len(tensors)))
            own = {"learning_rate": float(rng.uniform(0.001, 0.1)), "weight_decay": 0.0}
            groups[[*tensors][place]] = own
            reference_groups[place] |= {"lr": own["learning_rate"], "weight_decay": 0.0}
        optimizer = getattr(nn, name)(model, **ours, groups=groups)
        reference = getattr(torch.optim, name)(reference_groups, foreach=False, **theirs)
        for step in range(STEPS):
            grads = gradients_of(model.params, rng)
            for key, tensor in tensors.items():
                tensor.grad = torch.tensor(grads[key])
            reference.step()
            optimizer.step(grads)
            for key, tensor in tensors.items():
                np.testing.assert_allclose(
                    model.params[key],
                    tensor.detach().numpy(),
                    # torch keeps NAdam's product of momenta in float32
                    rtol=1e-5 if name == "NAdam" else 1e-9,
                    atol=1e-6 if name == "NAdam" else 1e-10,
                    err_msg=f"case {seed}, step {step}, {key}: {ours}",
                )
    print(f"{name}: {CASES} cases of {STEPS} steps agree with torch")
