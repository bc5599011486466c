"""A program for mpiexec: trains on all ranks, on rank 0 also alone, and prints what differs.

One line per case: what was trained, on how many ranks, the largest differences. With names of
cases as arguments only these.
"""

import sys
import tempfile
from pathlib import Path

import numpy as np
from mpi4py import MPI

import nnscratch as nn

world = MPI.COMM_WORLD
rng = np.random.default_rng(0)
SAMPLES = 53  # in batches of 10 the last one has 2 or 3
IMAGES = rng.normal(size=(SAMPLES, 1, 10, 9))
ROWS = rng.normal(size=(SAMPLES, 12))
LABELS = rng.integers(0, 10, SAMPLES)
TARGETS = rng.normal(size=(SAMPLES, 3))
LIMIT = 1e-11


def mlp():
    return nn.Sequential(nn.Linear(12, 16, rng=0), nn.Tanh(), nn.Linear(16, 10, rng=1))


def dropout():
    """One generator for the weights and a Dropout, another for the second one."""
    rng = np.random.default_rng(3)
    return nn.Sequential(
        nn.Linear(12, 17, rng=rng),
        nn.ReLU(),
        nn.Dropout(0.3, rng=rng),
        nn.Linear(17, 10, rng=rng),
        nn.Dropout(0.2, rng=7),
    )


def batchnorm():
    """Its input is far from 0 for some samples."""
    return nn.Sequential(
        nn.Linear(12, 16, bias=False, rng=0),
        nn.BatchNorm(16, momentum=None),
        nn.ReLU(),
        nn.Linear(16, 10, rng=1),
    )


def cnn():
    return nn.Sequential(
        nn.Conv2d(1, 4, 3, bias=False, rng=0),
        nn.BatchNorm(4),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Dropout(0.25, rng=4),
        nn.Linear(48, 10, rng=1),
    )


def normalized():
    return nn.Sequential(nn.Normalize(12), *batchnorm().layers)


def regression():
    return nn.Sequential(nn.Linear(12, 8, rng=0), nn.GELU(), nn.Linear(8, 3, rng=1))


def frozen():
    model = mlp()
    model[0].freeze()
    return model


def sgd(model):
    return nn.SGD(model, 0.05, momentum=0.9)


def groups(model):
    return nn.AdamW(
        model, 0.01, groups={"*.b": {"weight_decay": 0.0}, "0.*": {"learning_rate": nn.Scaled(0.5)}}
    )


def shift(x, rng):
    noise = rng.normal(size=(len(x),) + (1,) * (x.ndim - 1))
    return np.roll(x, rng.integers(-1, 2), axis=-1) * (1 + 0.1 * noise)


def slow_down(trainer, values):
    trainer.optimizer.learning_rate *= 0.9
    trainer.model.params["0.b"][...] += 0.01
    return "stop" if trainer.optimizer.steps > 8 else None


def weighted_hits(prediction, target):
    """A metric that minds the order of the samples."""
    return float((prediction.argmax(1) == target) @ np.arange(len(target)))


def minibatches(count):
    return lambda: ((ROWS[i : i + 7], LABELS[i : i + 7]) for i in range(0, count, 7))


# (model, optimizer, x, y, what else Trainer, fit, and the schedule are given)
CASES = {
    "mlp, SGD": (mlp, sgd, ROWS, LABELS, {}),
    "mlp, Adam clipped": (mlp, lambda m: nn.Adam(m, 0.01), ROWS, LABELS, {"clip_norm": 0.1}),
    "mlp, AdamW by groups": (mlp, groups, ROWS, LABELS, {}),
    "mlp half frozen, SGD": (frozen, sgd, ROWS, LABELS, {"clip_norm": 0.5}),
    "mlp with Dropout, SGD": (dropout, sgd, ROWS, LABELS, {}),
    "mlp with BatchNorm, Adam": (batchnorm, nn.Adam, ROWS + 1000 * (ROWS > 2), LABELS, {}),
    "cnn with both, RMSprop": (cnn, lambda m: nn.RMSprop(m, 1e-3), IMAGES, LABELS, {}),
    "cnn augmented, cosine, stops early": (
        cnn,
        sgd,
        IMAGES,
        LABELS,
        {
            "augment": shift,
            "early_stopping": 1,
            "schedule": lambda optimizer: nn.CosineDecay(optimizer, 30),
            "fit": {"epochs": 6},
        },
    ),
    "regression, SGD": (regression, sgd, ROWS, TARGETS, {"loss": nn.MSELoss()}),
    "weighted classes and samples": (
        mlp,
        sgd,
        ROWS,
        LABELS,
        {
            "loss": nn.SoftmaxCrossEntropy(np.arange(10.0)),
            "fit": {"sample_weight": np.linspace(0, 1, SAMPLES)},
        },
    ),
    "sum, rate by plateau": (
        mlp,
        lambda m: nn.SGD(m, 0.005),
        ROWS,
        LABELS,
        {
            "loss": nn.SoftmaxCrossEntropy(reduction="sum"),
            "schedule": lambda optimizer: nn.ReduceOnPlateau(optimizer, patience=0, threshold=0.5),
        },
    ),
    "a metric": (mlp, sgd, ROWS, LABELS, {"metrics": {"hits": weighted_hits}}),
    "minibatches of one's own": (
        mlp,
        sgd,
        minibatches(SAMPLES),
        None,
        {"fit": {"validation": minibatches(21)}},
    ),
    "fewer samples than ranks": (
        dropout,
        sgd,
        ROWS[:11],
        LABELS[:11],
        {"fit": {"batch_size": 2, "validation": (ROWS[:2], LABELS[:2])}},
    ),
    "averaged, normalized, mixed": (
        normalized,
        sgd,
        ROWS,
        LABELS,
        {"callbacks": [nn.WeightAverage(0.9)], "augment": [nn.data.Mixup(0.3, classes=10)]},
    ),
    "a callback that changes things": (mlp, sgd, ROWS, LABELS, {"callbacks": [slow_down]}),
}


def fitted(communicator, build, optimizer, x, y, settings):
    settings = dict(settings)
    given = {"epochs": 3, "batch_size": 10, "rng": 1, "validation": 0.2} | settings.pop("fit", {})
    loss, schedule = settings.pop("loss", nn.SoftmaxCrossEntropy()), settings.pop("schedule", None)
    model = build().astype("f8")
    optimizer = optimizer(model)
    trainer = nn.Trainer(
        model,
        loss,
        optimizer,
        None if schedule is None else schedule(optimizer),
        communicator=communicator,
        progress=False,
        **settings,
    )
    return model, optimizer, trainer.fit(x, y, **given)


def resumed(communicator, path):
    """Two epochs with a checkpoint inside and behind each, another model, two more epochs."""
    for seed, epochs in ((0, 2), (8, 4)):
        model = cnn().astype("f8")
        if communicator is not None and communicator.rank:
            model.params["6.W"][...] = seed  # rank 0's weights are used
        optimizer = nn.Adam(model, 0.01)
        trainer = nn.Trainer(
            model,
            nn.SoftmaxCrossEntropy(),
            optimizer,
            nn.CosineDecay(optimizer, 24),
            checkpoint=path,
            checkpoint_every=2,
            communicator=communicator,
            progress=False,
        )
        if seed:
            trainer.resume()
        history = trainer.fit(IMAGES, LABELS, epochs=epochs, batch_size=10, rng=5)
    return model, optimizer, history


def difference(ours, theirs):
    """The largest one, of numbers above 1 as a share."""
    pairs = [(array, theirs[name]) for name, array in ours.items()]
    return max((np.abs((a - b) / np.maximum(np.abs(b), 1)).max() for a, b in pairs), default=0.0)


def compare(name, ours, theirs):
    """Print the case; whether all is equal."""
    (model, optimizer, history), (alone, single, expected) = ours, theirs
    state = [difference(of, single.slots[kind]) for kind, of in optimizer.slots.items()]
    found = {
        "weights": difference(model.params, alone.params),
        "statistics": difference(model.buffers, alone.buffers),
        "optimizer": max(state, default=0.0),
    }
    same = list(history) == list(expected) and len(history) == len(expected)
    columns = [name for name in expected if name != "seconds"]
    if same:
        found["history"] = max(
            np.abs(np.subtract(history[c], expected[c])).max() for c in columns if len(expected)
        )
        found["steps"] = np.abs(np.subtract(history.steps["loss"], expected.steps["loss"])).max()
    good = same and history.stopped == expected.stopped and max(found.values()) < LIMIT
    numbers = "  ".join(f"{what} {value:.0e}" for what, value in found.items())
    print(f"{name:36}{world.size} ranks  {numbers}  {'equal' if good else 'DIFFERENT'}", flush=True)
    return good


def all_ranks_hold_the_same(model):
    digests = world.allgather([array.tobytes() for array in model.params.values()])
    return all(digest == digests[0] for digest in digests)


def main(names):
    good = True
    for name, case in CASES.items():
        if names and name not in names:
            continue
        ours = fitted(world, *case)
        good &= all_ranks_hold_the_same(ours[0])
        if world.rank == 0:
            good &= compare(name, ours, fitted(None, *case))
    if not names or "resumed" in names:
        with tempfile.TemporaryDirectory() as folder:
            path = world.bcast(Path(folder, "run.npz"))
            ours = resumed(world, path)
            if world.rank == 0:
                good &= compare("resumed", ours, resumed(None, path))
            world.barrier()
    return 0 if all(world.allgather(good)) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
