"""Weights to torch and back: its state_dict with its names, loaded with strict=True."""

import contextlib
import json
import os

import numpy as np
import pytest

import nnscratch as nn

torch = pytest.importorskip("torch")
safetensors_torch = pytest.importorskip("safetensors.torch")
pytestmark = pytest.mark.torch
T = torch.nn


class Shortcut(T.Sequential):
    """torch has no Residual: the same names, with x added."""

    def forward(self, x):
        return x + super().forward(x)


class Chain(T.Sequential):
    """Recurrent modules one after the other; the output of the last step."""

    def forward(self, x):
        for module in self:
            x = module(x)[0]
        return x[:, -1]


class Attends(T.MultiheadAttention):
    """Of a sequence to itself."""

    def forward(self, x):
        return super().forward(x, x, x, need_weights=False)[0]


def block(*sizes):
    return T.TransformerEncoderLayer(*sizes, 0.0, "gelu", batch_first=True, norm_first=True)


FIRST, RELU = {"batch_first": True}, {"nonlinearity": "relu"}
MODELS = {
    "MLP": (
        lambda: nn.mlp([12, 7, 5]),
        lambda: T.Sequential(T.Flatten(), T.Linear(12, 7), T.ReLU(), T.Linear(7, 5)),
        (4, 3, 4),
    ),
    "LeNet": (
        lambda: nn.lenet((1, 20, 18), 5),
        lambda: T.Sequential(
            *(T.Conv2d(1, 8, 5), T.ReLU(), T.MaxPool2d(2), T.Conv2d(8, 16, 5), T.ReLU()),
            *(T.MaxPool2d(2), T.Flatten(), T.Linear(16 * 2 * 1, 5)),
        ),
        (3, 1, 20, 18),
    ),
    "CNN with BatchNorm": (
        lambda: nn.Sequential(
            *(nn.Conv2d(3, 4, (3, 2), padding=1, bias=False), nn.BatchNorm(4), nn.PReLU(4)),
            *(nn.AvgPool2d(2), nn.Conv2d(4, 6, 3, stride=2), nn.BatchNorm(6, affine=False)),
            *(nn.ELU(), nn.Flatten(), nn.Linear(24, 5), nn.BatchNorm(5, momentum=None)),
        ),
        lambda: T.Sequential(
            *(T.Conv2d(3, 4, (3, 2), padding=1, bias=False), T.BatchNorm2d(4), T.PReLU(4)),
            *(T.AvgPool2d(2), T.Conv2d(4, 6, 3, stride=2), T.BatchNorm2d(6, affine=False)),
            *(T.ELU(), T.Flatten(), T.Linear(24, 5), T.BatchNorm1d(5, momentum=None)),
        ),
        (7, 3, 10, 9),
    ),
    "GroupNorm": (
        lambda: nn.Sequential(nn.Conv1d(2, 6, 3), nn.GroupNorm(3, 6), nn.ConvTranspose1d(6, 5, 4)),
        lambda: T.Sequential(T.Conv1d(2, 6, 3), T.GroupNorm(3, 6), T.ConvTranspose1d(6, 5, 4)),
        (4, 2, 9),
    ),
    "LayerNorm": (
        lambda: nn.Sequential(nn.LayerNorm((3, 4)), nn.RMSNorm(4), nn.Linear(4, 5)),
        lambda: T.Sequential(T.LayerNorm((3, 4)), T.RMSNorm(4, eps=1e-5), T.Linear(4, 5)),
        (6, 3, 4),
    ),
    "Embedding": (
        lambda: nn.Sequential(nn.Embedding(9, 4), nn.Linear(4, 3)),
        lambda: T.Sequential(T.Embedding(9, 4), T.Linear(4, 3)),
        "integers",
    ),
    "recurrent": (
        lambda: nn.Sequential(nn.RNN(4, 5, "relu"), nn.GRU(5, 3), nn.LSTM(3, 2), nn.LastStep()),
        lambda: Chain(T.RNN(4, 5, **FIRST, **RELU), T.GRU(5, 3, **FIRST), T.LSTM(3, 2, **FIRST)),
        (3, 6, 4),
    ),
    "both directions": (
        lambda: nn.Sequential(nn.Bidirectional(nn.LSTM(4, 5)), nn.LastStep()),
        lambda: Chain(T.LSTM(4, 5, bidirectional=True, **FIRST)),
        (3, 6, 4),
    ),
    "loop over a cell": (
        lambda: nn.Sequential(nn.Unroll(nn.GRUCell(4, 5)), nn.LastStep()),
        lambda: Chain(T.GRU(4, 5, **FIRST)),
        (3, 6, 4),
    ),
    "cell": (lambda: nn.RNNCell(4, 5), lambda: T.RNNCell(4, 5), (3, 4)),
    "attention": (
        lambda: nn.Sequential(nn.MultiHeadAttention(6, 3), nn.Linear(6, 2)),
        lambda: T.Sequential(Attends(6, 3, batch_first=True), T.Linear(6, 2)),
        (4, 5, 6),
    ),
    "attention without bias": (
        lambda: nn.MultiHeadAttention(6, 2, bias=False),
        lambda: Attends(6, 2, bias=False, batch_first=True),
        (4, 5, 6),
    ),
    "transformer": (
        lambda: nn.Sequential(nn.TransformerBlock(6, 3, 9), nn.TransformerBlock(6, 2, 4)),
        lambda: T.Sequential(block(6, 3, 9), block(6, 2, 4)),
        (4, 5, 6),
    ),
    "nested": (
        lambda: nn.Sequential(
            nn.Residual(nn.Sequential(nn.Linear(5, 5), nn.Tanh())),
            nn.Sequential(nn.ReLU(), nn.Sequential(nn.Linear(5, 3))),
        ),
        lambda: T.Sequential(
            Shortcut(T.Linear(5, 5), T.Tanh()),
            T.Sequential(T.ReLU(), T.Sequential(T.Linear(5, 3))),
        ),
        (4, 5),
    ),
}


def shared_here():
    a = nn.Linear(4, 4)
    return nn.Sequential(a, nn.Tanh(), a)


def shared_there():
    a = T.Linear(4, 4)
    return T.Sequential(a, T.Tanh(), a)


MODELS["a layer used twice"] = (shared_here, shared_there, (5, 4))
every_model = pytest.mark.parametrize("name", MODELS)


def inputs(shape):
    rng = np.random.default_rng(3)
    return rng.integers(0, 9, (4, 6)) if shape == "integers" else rng.normal(size=shape)


def pair(name, dtype="f8"):
    """Our model, torch's with other weights, and an input; statistics that are not the first."""
    ours, theirs, shape = MODELS[name]
    rng = np.random.default_rng(0)
    model, twin = ours().astype(dtype), theirs().to(getattr(torch, f"float{8 * int(dtype[1])}"))
    for array in model.params.values():
        array[...] = rng.normal(size=array.shape)
    x = inputs(shape)
    x = x if x.dtype.kind == "i" else x.astype(dtype)
    model.forward(x if x.dtype.kind == "i" else x + x)
    twin(torch.tensor(x))
    return model, twin, x


def difference(model, twin, x):
    found = model.eval().forward(x)
    with torch.no_grad():
        expected = twin.eval()(torch.tensor(x)).numpy()
    assert found.dtype == expected.dtype
    return np.abs(found - expected).max() / np.abs(expected).max()


@every_model
def test_torch_takes_what_is_saved_without_renaming(name, tmp_path):
    model, twin, x = pair(name)
    assert difference(model, twin, x) > 1e-3
    nn.save(model, tmp_path / "m.safetensors")
    state = safetensors_torch.load_file(tmp_path / "m.safetensors")
    twin.load_state_dict(state, strict=True)
    assert {k: v.dtype for k, v in state.items()} == {
        k: v.dtype for k, v in twin.state_dict().items()
    }
    worst = difference(model, twin, x)
    print(f"{name}: to torch, largest difference {worst:.1e}")
    assert worst < 1e-14 * 10


@every_model
def test_what_torch_saves_is_loaded_without_renaming(name, tmp_path):
    model, twin, x = pair(name)
    state = {k: v.clone() for k, v in twin.state_dict().items()}
    safetensors_torch.save_file(state, tmp_path / "m.safetensors")
    assert nn.load(model, tmp_path / "m.safetensors") is model
    worst = difference(model, twin, x)
    print(f"{name}: from torch, largest difference {worst:.1e}")
    assert worst < 1e-14 * 10


@every_model
def test_a_file_of_ours_builds_the_model(name, tmp_path):
    model, _, x = pair(name)
    nn.save(model, tmp_path / "m.safetensors")
    twin = nn.load_model(tmp_path / "m.safetensors")
    np.testing.assert_array_equal(twin.eval().forward(x), model.eval().forward(x))


def test_the_count_of_batches_is_torchs(tmp_path):
    model, _, x = pair("CNN with BatchNorm")
    nn.save(model, tmp_path / "m.safetensors")
    state = safetensors_torch.load_file(tmp_path / "m.safetensors")
    assert state["9.num_batches_tracked"] == model[9].buffers["batches"] == 1
    assert state["1.num_batches_tracked"] == 0
    model.train().forward(x)
    nn.load(model, tmp_path / "m.safetensors")
    assert model[9].buffers["batches"] == 1


def test_kernels_of_a_convolution_are_torchs_flipped(tmp_path):
    model = nn.Convolution2d(2, 3, (3, 2)).astype("f8")
    x = np.random.default_rng(0).normal(size=(4, 2, 6, 5))
    nn.save(model, tmp_path / "m.safetensors")
    twin = T.Conv2d(2, 3, (3, 2)).double()
    twin.load_state_dict(safetensors_torch.load_file(tmp_path / "m.safetensors"))
    assert difference(model, twin, x) < 1e-14
    other = nn.load(nn.Convolution2d(2, 3, (3, 2)).astype("f8"), tmp_path / "m.safetensors")
    np.testing.assert_array_equal(other.params["W"], model.params["W"])


class Net(T.Module):
    def __init__(self):
        super().__init__()
        self.conv = T.Conv1d(2, 3, 2)
        self.body = T.ModuleList([T.Sequential(T.Linear(4, 5)), T.Linear(5, 4)])
        self.scale = T.Parameter(torch.ones(4))


def test_names_say_where_torch_has_other_ones(tmp_path):
    model = nn.Sequential(
        nn.Conv1d(2, 3, 2), nn.Sequential(nn.Linear(4, 5), nn.Linear(5, 4)), nn.Bias(4)
    )
    names = {"0": "conv", "1": "body", "1.0": "body.0.0", "2.b": "scale"}
    nn.save(model, tmp_path / "m.safetensors", names=names)
    net = Net()
    net.load_state_dict(safetensors_torch.load_file(tmp_path / "m.safetensors"), strict=True)
    other = nn.load(nn.build(repr(model)), tmp_path / "m.safetensors", names=names)
    for name, array in model.params.items():
        np.testing.assert_array_equal(other.params[name], array)
    with pytest.raises(ValueError, match=r"names= has '3', which is no layer or array"):
        nn.save(model, tmp_path / "m.safetensors", names={"3": "conv"})
    with pytest.raises(ValueError, match=r"names= is for \.safetensors"):
        nn.save(model, tmp_path / "m.npz", names=names)


def test_the_nodes_of_a_graph_are_torchs_modules(tmp_path):
    x = nn.Input("x")
    fc1 = nn.Linear(3, 4)(x, name="fc1")
    nn.save(nn.Graph([x], nn.Linear(4, 2)(fc1, name="fc2")), tmp_path / "m.safetensors")
    state = safetensors_torch.load_file(tmp_path / "m.safetensors")
    assert list(state) == ["fc1.bias", "fc1.weight", "fc2.bias", "fc2.weight"]


def test_an_array_with_two_names_has_one_value(tmp_path):
    twin = T.Sequential(T.Linear(4, 4), T.Tanh(), T.Linear(4, 4))
    safetensors_torch.save_file(twin.state_dict(), tmp_path / "m.safetensors")
    with pytest.raises(ValueError, match=r"2\.weight differs from 0\.W under its other name"):
        nn.load(shared_here(), tmp_path / "m.safetensors")


def test_the_memory_order_of_a_flat_vector_does_not_reach_the_file(tmp_path):
    """What safetensors' own save_file does with an array that is not in C order."""
    model = nn.Linear(3, 2, rng=0)
    model.params.rebind("W", np.asfortranarray(model.params["W"]))
    nn.save(model, tmp_path / "m.safetensors")
    found = safetensors_torch.load_file(tmp_path / "m.safetensors")["weight"].numpy()
    np.testing.assert_array_equal(found, model.params["W"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.pop("2.bias"), r"missing 2\.bias; build the model"),
        (lambda s: s.update({"4.\x1b[2J": torch.ones(2)}), r"extra 4\.\\x1b\[2J"),
        (lambda s: s.update({"0.bias": torch.ones(9)}), r"0\.bias is \(9,\), expected \(5,\)"),
        (
            lambda s: s.update({"0.bias": torch.ones(5).to(torch.float8_e5m2)}),
            r"m\.safetensors: '0\.bias' holds F8_E5M2, which NumPy has not; convert it to F32",
        ),
    ],
)
def test_a_file_that_does_not_fit_changes_nothing(tmp_path, change, message):
    def build(seed):
        return nn.build("Sequential(Linear(4, 5), ReLU(), Linear(5, 3))", rng=seed)

    nn.save(build(0), tmp_path / "m.safetensors")
    state = safetensors_torch.load_file(tmp_path / "m.safetensors")
    change(state)
    safetensors_torch.save_file(state, tmp_path / "m.safetensors")
    model, same = build(1), build(1)
    with pytest.raises(ValueError, match=message) as caught:
        nn.load(model, tmp_path / "m.safetensors")
    assert str(caught.value).isprintable()
    for name, array in model.params.items():
        np.testing.assert_array_equal(array, same.params[name])


def content(header, data=b""):
    header = json.dumps(header).encode() if not isinstance(header, bytes) else header
    return len(header).to_bytes(8, "little") + header + data


def tensor(shape, begin, end, dtype="F32"):
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


HOSTILE = {
    "empty": b"",
    "text": b"hello, this is no file of tensors",
    "long header": (2**62).to_bytes(8, "little") + b"{}",
    "no json": content(b"{" * 100),
    "deep json": content(b"[" * 100_000),
    "huge tensor": content({"weight": tensor([10**9, 10**9], 0, 16)}, bytes(16)),
    "overflowing tensor": content({"weight": tensor([2**32, 2**32], 0, 0)}),
    "past the end": content({"weight": tensor([2, 3], 0, 24)}, bytes(8)),
    "overlap": content({"weight": tensor([2, 3], 0, 24), "bias": tensor([2], 0, 8)}, bytes(24)),
    "backwards": content({"weight": tensor([2, 3], 24, 0)}, bytes(24)),
    "negative": content({"weight": tensor([-2, -3], 0, 24)}, bytes(24)),
    "hole": content({"weight": tensor([2, 3], 8, 32)}, bytes(32)),
    "two of one name": content(
        b'{"weight":{"dtype":"F32","shape":[6],"data_offsets":[0,24]},'
        b'"weight":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]}}',
        bytes(24),
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_are_refused_in_one_line(name, tmp_path):
    (tmp_path / "m.safetensors").write_bytes(HOSTILE[name])
    for call in (lambda p: nn.load(nn.Linear(3, 2), p), nn.load_model):
        with pytest.raises(ValueError, match=r"m\.safetensors") as caught:
            call(tmp_path / "m.safetensors")
        assert str(caught.value).isprintable()


def test_no_damaged_byte_raises_anything_but_a_valueerror(tmp_path):
    nn.save(nn.Linear(3, 2, rng=0), tmp_path / "good.safetensors")
    good = (tmp_path / "good.safetensors").read_bytes()
    rng = np.random.default_rng(0)
    for _ in range(300):
        bad = bytearray(good[: rng.integers(len(good))] if rng.random() < 0.2 else good)
        for at in rng.integers(len(bad), size=3) if bad else ():
            bad[at] ^= 1 << rng.integers(8)
        (tmp_path / "bad.safetensors").write_bytes(bad)
        with contextlib.suppress(ValueError):
            nn.load(nn.Linear(3, 2), tmp_path / "bad.safetensors")


def test_pipes_and_missing_files_are_told(tmp_path):
    os.mkfifo(tmp_path / "m.safetensors")
    with pytest.raises(ValueError, match="no regular file"):
        nn.load(nn.Linear(3, 2), tmp_path / "m.safetensors")
    with pytest.raises(FileNotFoundError):
        nn.load(nn.Linear(3, 2), tmp_path / "n.safetensors")


def test_without_the_package_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "safetensors", None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'nnscratch\[safetensors\]'"):
        nn.save(nn.Linear(3, 2), tmp_path / "m.safetensors")
