"""Compiled loops compute what the NumPy formulas compute, bit for bit, or nothing at all."""

import json
import os
import subprocess
import sys
import threading
import tomllib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nnscratch as nn
from nnscratch import compiled
from nnscratch.data.images import Images
from nnscratch.data.minibatches import gather

ROOT = Path(__file__).parents[1]
LOOPS = [name for name in dir(compiled._found) if not name.startswith("_")]

pytestmark = pytest.mark.skipif(compiled.kernels() == "NumPy", reason="no compiled loops here")


class Watched:
    """The loops, switched on or off, and how often one did the work."""

    def __init__(self, monkeypatch):
        self.monkeypatch, self.done = monkeypatch, dict.fromkeys(LOOPS, 0)
        self.loops = {name: getattr(compiled, name) for name in LOOPS}

    def counted(self, name):
        def loop(*of):
            done = self.loops[name](*of)
            self.done[name] += done
            return done

        return loop

    def both(self, compute):
        """What `compute()` gives with the loops, and without."""
        results = []
        for make in (self.counted, lambda _: compiled._absent):
            for name in LOOPS:
                self.monkeypatch.setattr(compiled, name, make(name))
            results.append(compute())
        return results


@pytest.fixture
def loops(monkeypatch):
    return Watched(monkeypatch)


def same_bits(one, other):
    """Equal in every bit, NaN included, and in the order of memory."""
    if isinstance(one, dict):
        assert one.keys() == other.keys()
        one, other = list(one.values()), list(other.values())
    if isinstance(one, (tuple, list)):
        assert len(one) == len(other)
        for a, b in zip(one, other, strict=True):
            same_bits(a, b)
        return
    if one is None:
        assert other is None
        return
    one, other = np.asarray(one), np.asarray(other)
    assert one.dtype == other.dtype and one.shape == other.shape
    assert one.strides == other.strides or one.size < 2
    np.testing.assert_array_equal(one, other)  # NaN where NaN is
    known = ~np.isnan(one) if one.dtype.kind == "f" else np.ones(one.shape, bool)
    np.testing.assert_array_equal(np.signbit(one[known]), np.signbit(other[known]))


def numbers(shape, seed=0, odd=True):
    """Normal numbers, and where asked some of the others that there are."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=shape).astype(np.float32)
    if odd and x.size:
        others = [0, np.inf, -np.inf, np.nan, 1e-42, -3e-39, 3e38, 1, 1]
        where = rng.integers(0, x.size, x.size // 9 + 1)
        x.flat[where] = rng.choice(np.float32(others), len(where))
    return x


def images(shape, seed=0, odd=True):
    """(N, C, H, W) whose memory has the samples innermost, as convolutions leave them."""
    n, c, h, w = shape
    return numbers((h, c, w, n), seed, odd).transpose(3, 1, 0, 2)


# The optimizers ----------------------------------------------------------------------------------

OPTIMIZERS = {
    "sgd": lambda model: nn.SGD(model, 0.1),
    "decay": lambda model: nn.SGD(model, 0.1, weight_decay=0.03),
    "momentum": lambda model: nn.SGD(model, 0.1, momentum=0.9, weight_decay=0.01),
    "dampening": lambda model: nn.SGD(model, 0.1, momentum=0.9, dampening=0.3),
    "nesterov": lambda model: nn.SGD(model, 0.1, momentum=0.9, nesterov=True),
    "numpy's bool": lambda model: nn.SGD(model, 0.1, momentum=0.9, nesterov=np.True_),
    "adam": lambda model: nn.Adam(model, 0.01),
    "adam with decay": lambda model: nn.Adam(model, 0.01, weight_decay=0.1),
    "amsgrad": lambda model: nn.Adam(model, 0.01, amsgrad=True),
    "adamw": lambda model: nn.AdamW(model, 0.01),
    "rmsprop": lambda model: nn.RMSprop(model, 0.01, weight_decay=0.1),
    "rmsprop with momentum": lambda model: nn.RMSprop(model, 0.01, momentum=0.5),
    "centered": lambda model: nn.RMSprop(model, 0.01, centered=True),
    "groups": lambda model: nn.Adam(
        model, 0.01, groups={"0.*": {"weight_decay": 0.1, "beta1": 0.5}, "*.b": {"amsgrad": True}}
    ),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
@np.errstate(all="ignore")
def test_optimizers_take_equal_steps(loops, name):
    def steps():
        model = nn.Sequential(nn.Linear(300, 250, rng=0), nn.Linear(250, 7, rng=1))
        optimizer = OPTIMIZERS[name](model)
        for i in range(5):
            grads = {k: numbers(a.shape, i, odd=i == 4) for k, a in model.params.items()}
            optimizer.step(grads)
        return model.params.copy(), {k: dict(v) for k, v in optimizer.state.items()}

    same_bits(*loops.both(steps))
    expected = {"centered": 0, "groups": 25}.get(name, 10)  # blocks of five steps
    assert sum(loops.done.values()) == expected


def test_a_rate_that_is_no_python_float_is_left_to_numpy(loops):
    def step():
        model = nn.Linear(20, 30, rng=0)
        optimizer = nn.SGD(model)
        optimizer.learning_rate = np.float64(0.1)  # as a schedule of one's own may set it
        optimizer.step({name: numbers(of.shape, odd=False) for name, of in model.params.items()})
        return model.params.copy()

    same_bits(*loops.both(step))
    assert loops.done["sgd"] == 0


# The layers --------------------------------------------------------------------------------------

NORMALIZATION = {"sums": 2, "scaled": 1, "combined": 1}
LAYERS = {
    "relu": (nn.ReLU, (17, 33), {"relu": 1, "relu_back": 1}),
    "relu of images": (nn.ReLU, (5, 3, 6, 7), {"relu": 1, "relu_back": 1}),
    "gelu": (nn.GELU, (17, 3000), {"half_square": 2, "gelu": 2}),
    "gelu of images": (nn.GELU, (5, 3, 6, 7), {"half_square": 1, "gelu": 1}),
    "batch norm of rows": (lambda: nn.BatchNorm(33), (17, 33), NORMALIZATION),
    "batch norm": (lambda: nn.BatchNorm(3), (5, 3, 6, 7), NORMALIZATION),
    "no affine": (lambda: nn.BatchNorm(3, affine=False), (5, 3, 6, 7), NORMALIZATION),
    "evaluation": (lambda: nn.BatchNorm(3).eval(), (5, 3, 6, 7), {"scaled": 1, "sums": 1}),
    "group norm": (lambda: nn.GroupNorm(2, 4), (5, 4, 6, 7), NORMALIZATION),
    "groups of rows": (lambda: nn.GroupNorm(3, 12), (5, 12), NORMALIZATION),
    "instance norm": (lambda: nn.InstanceNorm(4), (5, 4, 6, 7), NORMALIZATION),
    "layer norm": (lambda: nn.LayerNorm(33), (17, 33), {"layer_norm": 1, "layer_norm_back": 1}),
    "long rows": (lambda: nn.LayerNorm(100), (9, 100), {"layer_norm": 1, "layer_norm_back": 1}),
    "steps": (lambda: nn.LayerNorm((6, 7)), (5, 3, 6, 7), {"layer_norm": 1, "layer_norm_back": 1}),
    "lstm": (lambda: nn.LSTM(7, 3, rng=0), (5, 4, 7), {"lstm": 4, "lstm_back": 4}),
    "wide lstm": (lambda: nn.LSTM(2, 70, bias=False), (300, 3, 2), {"lstm": 3, "lstm_back": 3}),
    "pooling": (lambda: nn.MaxPool2d(2), (5, 3, 6, 8), {"max_pool": 2}),
    "remainder": (lambda: nn.MaxPool2d(2), (5, 3, 7, 9), {"max_pool": 2}),
    "overlap": (lambda: nn.MaxPool2d(3, stride=2, padding=1), (5, 3, 8, 9), {"max_pool": 2}),
    "steps of 1": (lambda: nn.MaxPool2d((2, 3), stride=1), (5, 3, 8, 9), {"max_pool": 2}),
    "gaps": (lambda: nn.MaxPool2d(2, stride=5), (5, 3, 12, 13), {"max_pool": 2}),
    "dilation": (lambda: nn.MaxPool2d(2, 1, dilation=(2, 3)), (5, 3, 8, 9), {"max_pool": 2}),
    "ceil": (lambda: nn.MaxPool2d(3, 2, ceil_mode=True), (5, 3, 8, 8), {"max_pool": 2}),
    "large windows": (lambda: nn.MaxPool2d(16, 1), (2, 1, 17, 18), {"max_pool": 0}),
    "signals": (lambda: nn.MaxPool1d(3, stride=2), (5, 3, 9), {"max_pool": 2}),
}


def passes(make, x, dy_seed=1, odd=True):
    layer = make().astype(x.dtype)
    for name, array in layer.params.items():
        array[...] = numbers(array.shape, len(name), odd=False)
    y, cache = layer.forward_pass(x)
    dy = numbers(y.shape, dy_seed, odd).astype(x.dtype)
    by_memory = np.empty_like(y)
    by_memory[...] = dy
    dx, grads = layer.backprop(by_memory, cache)
    return y, dx, grads, layer.buffers.copy()


@pytest.mark.parametrize("odd", [False, True], ids=["normal", "odd"])
@pytest.mark.parametrize("name", LAYERS)
@np.errstate(all="ignore")
def test_layers_compute_equal_passes(loops, name, odd):
    make, shape, expected = LAYERS[name]
    kinds = [numbers] if len(shape) != 4 else [numbers, images]
    for kind in kinds:
        x = kind(shape, 0, odd)
        loops.done = dict.fromkeys(LOOPS, 0)
        same_bits(*loops.both(lambda x=x: passes(make, x, odd=odd)))
        if odd:  # what is far from 0 is summed up once more
            loops.done["sums"] = min(loops.done["sums"], expected.get("sums", 0))
        assert {loop: count for loop, count in loops.done.items() if loop in expected} == expected


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("dtype", ["f2", "f8"])
@np.errstate(all="ignore")
def test_other_numbers_are_left_to_numpy(loops, name, dtype):
    make, shape, _ = LAYERS[name]
    same_bits(*loops.both(lambda: passes(make, numbers(shape, odd=False).astype(dtype))))
    widened = dtype == "f2" and ("affine" in name or bool(make().params))  # computed as float32
    assert widened or not any(loops.done.values())


@settings(max_examples=60, deadline=None)
@given(
    shape=st.lists(st.integers(0, 5), min_size=2, max_size=5),
    order=st.permutations(range(5)),
    step=st.sampled_from([1, 2, -1]),
    name=st.sampled_from(["relu", "batch norm", "group norm", "layer norm"]),
)
@np.errstate(all="ignore")
def test_any_memory_gives_equal_results(shape, order, step, name):
    """Permuted axes, gaps, negative strides, axes of one place, no sample."""
    shape[-1] += 2
    shape[1] = shape[1] if name in ("relu", "layer norm") else 6
    make = {
        "relu": nn.ReLU,
        "batch norm": lambda: nn.BatchNorm(6),
        "group norm": lambda: nn.GroupNorm(2, 6),
        "layer norm": lambda: nn.LayerNorm(shape[-1]),
    }[name]
    axes = [axis for axis in order if axis < len(shape)]
    memory = numbers([shape[axis] * abs(step) for axis in axes])
    x = memory.transpose(np.argsort(axes))[tuple(slice(None, None, step) for _ in shape)]
    assert list(x.shape) == shape
    with pytest.MonkeyPatch.context() as patch:
        try:
            same_bits(*Watched(patch).both(lambda: passes(make, x)))
        except ValueError as error:
            assert "more than one value" in str(error)


@np.errstate(all="ignore")
def test_sequences_of_unequal_lengths_are_read_alike(loops):
    lstm = nn.LSTM(7, 6, return_state=True, reverse=True, rng=0)
    x, state = numbers((5, 4, 7)), numbers((5, 12), 1)
    dy, dstate = numbers((5, 4, 6), 2), numbers((5, 12), 3)

    def both_ways():
        y = lstm.forward(x, state, lengths=[2, 4, 1, 4, 3])
        return y, lstm.backward((dy, dstate))

    same_bits(*loops.both(both_ways))
    assert loops.done["lstm"] == loops.done["lstm_back"] == 4


def test_numbers_in_another_order_of_bytes_are_left_to_numpy(loops):
    x = numbers((4, 5), odd=False).astype(">f4")
    same_bits(*loops.both(lambda: nn.ReLU().forward_pass(x)[0]))
    assert loops.done["relu"] == 0


def test_minibatches_are_gathered_alike(loops):
    x, rows = numbers((50, 3, 4)), np.random.default_rng(0).permutation(50)[:21]
    pixels = np.random.default_rng(0).integers(0, 256, (50, 1, 5, 7)).astype(np.uint8)
    same_bits(*loops.both(lambda: (gather(x, rows), gather(Images(pixels), rows))))
    assert loops.done["take_rows"] == 2
    same_bits(*loops.both(lambda: gather(x, rows - 50)))  # negative numbers count from the end
    same_bits(*loops.both(lambda: gather(x[:, ::2], rows)))
    same_bits(*loops.both(lambda: gather(x, rows[:0])))
    for outside in ([50], [-51]):
        with pytest.raises(IndexError):
            gather(x, np.array(outside))


# What does not fit -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", LOOPS)
def test_wrong_arguments_are_refused_without_a_trace(name):
    loop, good = getattr(compiled, name), numbers((4, 4), odd=False)
    kept = good.copy()
    for arguments in (
        (),
        (None,),
        (good,) * 2 + (0.1,) * 9,
        (good, good, good, "x", 1, 2, 3, 4),
        (good, good[::2], good, good, good, good),
        (object(),) * 6,
        (good,) * 12,
        (good.astype("f8"),) * 6,
        (good[:, ::2],) * 3 + (0.1, 0.9, 1.0, 0.0, False),
    ):
        assert loop(*arguments) is False
    np.testing.assert_array_equal(good, kept)


def test_an_output_that_is_read_only_is_not_written():
    x, y = numbers((4, 4)), np.zeros((4, 4), np.float32)
    y.flags.writeable = False
    assert not compiled.relu(x, y)
    assert not y.any()


def test_arrays_are_let_go_of():
    x, y = numbers((4, 4)), np.zeros((4, 4), np.float32)
    before = sys.getrefcount(x), sys.getrefcount(y)
    for _ in range(10):
        compiled.relu(x, y)
        compiled.relu(x, y[::2])
        compiled.scaled(x, y, x[:1], x[:, :1])
    assert (sys.getrefcount(x), sys.getrefcount(y)) == before
    y.resize((2, 8))  # refused as long as somebody holds the buffer


# Whole runs --------------------------------------------------------------------------------------


def mlp():
    return nn.mlp([36, 170, 11, 5], rng=0), (130, 36)


def convolutional():
    layers = [nn.Conv2d(1, 4, 3, padding="same", rng=0), nn.BatchNorm(4), nn.ReLU()]
    layers += [nn.MaxPool2d(2), nn.Conv2d(4, 6, 3, rng=1), nn.GroupNorm(3, 6), nn.ReLU()]
    layers += [nn.MaxPool2d(3, stride=1), nn.Flatten(), nn.Linear(48, 5, rng=2)]
    return nn.Sequential(*layers), (130, 1, 12, 16)


def transformer():
    layers = [nn.TransformerBlock(8, 2, 32, rng=0), nn.Flatten(), nn.Linear(48, 5, rng=1)]
    return nn.Sequential(*layers), (130, 6, 8)


def reader():
    layers = [nn.LSTM(8, 12, rng=0), nn.LSTM(12, 9, rng=1), nn.LastStep(), nn.Linear(9, 5, rng=2)]
    return nn.Sequential(*layers), (130, 6, 8)


def trained(build, make, **options):
    model, shape = build()
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=shape).astype(np.float32), rng.integers(0, 5, shape[0])
    trainer = nn.Trainer(model, nn.SoftmaxCrossEntropy(), make(model), progress=False, **options)
    history = trainer.fit(x, y, epochs=4, batch_size=32, rng=3, validation=0.2)
    return model.params.copy(), model.buffers.copy(), history["train_loss"], history["valid_loss"]


@pytest.mark.parametrize("name", ["momentum", "nesterov", "adam", "adamw", "rmsprop"])
@pytest.mark.parametrize("build", [mlp, convolutional, transformer, reader])
def test_whole_runs_end_equal(loops, build, name):
    same_bits(*loops.both(lambda: trained(build, OPTIMIZERS[name])))
    assert sum(loops.done.values()) > 50


def test_runs_by_two_workers_end_equal(loops):
    pytest.importorskip("threadpoolctl")

    def independent():
        model, shape = convolutional()
        return nn.Sequential(*(of for of in model if not of.buffers)), shape

    same_bits(*loops.both(lambda: trained(independent, OPTIMIZERS["adam"], workers=2)))


def test_two_models_train_in_two_threads_as_they_do_one_after_the_other():
    alone = [trained(build, OPTIMIZERS["adam"]) for build in (mlp, convolutional)]
    together = [None, None]

    def train(i, build):
        together[i] = trained(build, OPTIMIZERS["adam"])

    threads = [threading.Thread(target=train, args=of) for of in enumerate((mlp, convolutional))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    same_bits(alone, together)


# The switch, and the build -----------------------------------------------------------------------


def python(*arguments, **environment):
    done = subprocess.run(
        [sys.executable, *arguments],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    return done.stdout.strip()


def test_the_environment_switches_them_off_and_the_run_says_so(tmp_path):
    train = ["-m", "nnscratch", "train", "--epochs", "1", "--quiet", "--out"]
    for switch, kernels in (("1", "compiled"), ("0", "NumPy")):
        folder = str(tmp_path / switch)
        assert python("-m", "nnscratch", "--version", NNSCRATCH_KERNELS=switch).endswith(kernels)
        python(*train, folder, NNSCRATCH_KERNELS=switch)
        assert json.loads(Path(folder, "config.json").read_text())["kernels"] == kernels
    models = [nn.checkpoint.model_arrays(nn.load_model(tmp_path / of / "model.npz")) for of in "01"]
    same_bits(*models)


def test_every_loop_that_is_built_is_listed_and_typed():
    built = {name for name in dir(compiled._found) if not name.startswith("_")}
    stub = (ROOT / "nnscratch" / "_compiled.pyi").read_text()
    assert built == set(LOOPS)
    assert built == {line.split("(")[0].removeprefix("def ") for line in stub.splitlines()}
    assert set(vars(compiled)) >= built


def test_no_compiler_may_round_otherwise():
    setup = (ROOT / "setup.py").read_text()
    assert "-ffp-contract=off" in setup and "-fno-fast-math" in setup
    assert "optional=True" in setup
    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["build-system"]
