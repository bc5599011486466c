"""Saving and loading: a model comes back whole, or stays as it was with a clear error."""

import copy
import io
import os
import pickle
import zipfile

import numpy as np
import pytest

import nnscratch as nn
from nnscratch.checkpoint import read_arrays, write_arrays
from nnscratch.npz import TEXT


def small_model(seed=0, hidden=5):
    rng = np.random.default_rng(seed)
    return nn.Sequential(nn.Linear(4, hidden, rng=rng), nn.ReLU(), nn.Linear(hidden, 3, rng=rng))


def values(model):
    return {name: array.copy() for name, array in model.params.items()}


def assert_equal(first, second):
    assert first.keys() == second.keys()
    for name in first:
        np.testing.assert_array_equal(first[name], second[name], strict=True)


def test_a_model_comes_back_bit_for_bit(tmp_path):
    model, twin = small_model(0), small_model(1)
    nn.save(model, tmp_path / "model.npz")
    assert nn.load(twin, tmp_path / "model.npz") is twin
    assert_equal(values(model), values(twin))


def test_the_file_is_plain_npz_under_the_parameters_names(tmp_path):
    model = small_model()
    nn.save(model, tmp_path / "model.npz")
    with np.load(tmp_path / "model.npz", allow_pickle=False) as archive:
        assert archive[TEXT].decode() == repr(model)
        assert_equal({name: archive[name] for name in archive if name != TEXT}, values(model))


def test_buffers_are_saved_too(tmp_path):
    model, twin = nn.Bias(3), nn.Bias(3)
    for layer in (model, twin):
        layer.buffers = {"running_mean": np.zeros(3, np.float32)}
    model.buffers["running_mean"] = [1, 2, 3]
    nn.save(model, tmp_path / "model.npz")
    nn.load(twin, tmp_path / "model.npz")
    np.testing.assert_array_equal(twin.buffers["running_mean"], [1, 2, 3])


def test_an_array_may_have_any_name(tmp_path):
    model, twin = nn.Bias(2), nn.Bias(2)
    for layer, value in ((model, 5.0), (twin, 0.0)):
        layer.buffers = {name: np.full(3, value) for name in ("file", "allow_pickle", "args")}
    nn.save(model, tmp_path / "model.npz")
    nn.load(twin, tmp_path / "model.npz")
    np.testing.assert_array_equal(twin.buffers["file"], 5.0)


def test_the_path_is_used_as_it_is(tmp_path):
    nn.save(small_model(), tmp_path / "weights.v1.npz")
    assert [path.name for path in tmp_path.iterdir()] == ["weights.v1.npz"]


@pytest.mark.parametrize("name", ["weights", "model.pt", "model.npz.zip", ".npz", "model.NPZ"])
def test_other_endings_are_refused(tmp_path, name):
    for call in (lambda p: nn.save(small_model(), p), lambda p: nn.load(small_model(), p)):
        with pytest.raises(ValueError, match=r"ends in \.npz or \.safetensors"):
            call(tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_load_fills_the_flat_vector_of_an_optimizer(tmp_path):
    model, twin = small_model(0), small_model(1)
    nn.save(model, tmp_path / "model.npz")
    optimizer = nn.SGD(twin, learning_rate=1.0)
    nn.load(twin, tmp_path / "model.npz")
    optimizer.step({name: np.ones_like(array) for name, array in twin.params.items()})
    np.testing.assert_array_equal(twin.params["2.b"], model.params["2.b"] - 1)


def test_a_float64_file_fills_a_float32_model(tmp_path):
    model, twin = small_model(0).astype("f8"), small_model(1)
    nn.save(model, tmp_path / "model.npz")
    nn.load(twin, tmp_path / "model.npz")
    assert twin.dtype == np.float32
    np.testing.assert_array_equal(twin.params["0.W"], model.params["0.W"].astype("f4"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda a: a.pop("2.b"), "missing 2.b"),
        (lambda a: a.update(extra=np.zeros(2)), "extra extra"),
        (lambda a: a.update({"0.b": np.zeros(7)}), r"0\.b is \(7,\), expected \(5,\)"),
        (lambda a: a.update({"0.b": np.array(["x"] * 5)}), "0.b holds <U1 instead of numbers"),
        (lambda a: a.update({"0.b": np.zeros(5, complex)}), "0.b holds complex128"),
    ],
)
def test_a_file_that_does_not_fit_says_which_array_and_changes_nothing(tmp_path, change, message):
    arrays = values(small_model(1))
    change(arrays)
    np.savez(tmp_path / "model.npz", **arrays)
    model = small_model(0)
    before = values(model)
    with pytest.raises(ValueError, match=message):
        nn.load(model, tmp_path / "model.npz")
    assert_equal(values(model), before)


def test_a_model_of_another_size_is_refused(tmp_path):
    nn.save(small_model(hidden=6), tmp_path / "model.npz")
    with pytest.raises(ValueError, match=r"0\.W is \(6, 4\), expected \(5, 4\)"):
        nn.load(small_model(hidden=5), tmp_path / "model.npz")


def test_a_missing_file_is_an_oserror():
    with pytest.raises(FileNotFoundError, match="nowhere"):
        nn.load(small_model(), "nowhere.npz")


def _pickled():
    stream = io.BytesIO()
    np.savez(stream, **{"0.W": np.array([{"a": 1}], dtype=object)})
    return stream.getvalue()


def _single():
    stream = io.BytesIO()
    np.save(stream, np.zeros(3))
    return stream.getvalue()


def _member(header):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr(
            "0.W.npy", b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header
        )
    return stream.getvalue()


def _header(shape):
    return f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}}}\n".encode()


def _bomb():
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for i in range(5):
            archive.writestr(f"{i}.npy", bytes(2**26))
    return stream.getvalue()


def _foreign_zip():
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("readme.txt", "hello")
    return stream.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"hello",
        b"PK\x03\x04" + b"x" * 40,
        pickle.dumps([1]),
        _pickled(),
        _single(),
        _foreign_zip(),
        _bomb(),
        _member(_header((10**9, 10**9))),
        _member(_header((-1, -4))),
        _member(b"{'descr': '<f4', 'shape': __import__('os').abort()}"),
    ],
    ids=[
        *("empty", "text", "cut zip", "pickle", "object array", "npy", "foreign zip"),
        *("bomb", "huge shape", "negative shape", "code in the header"),
    ],
)
def test_what_is_no_npz_of_arrays_is_refused_by_name(tmp_path, content):
    path = tmp_path / "model.npz"
    path.write_bytes(content)
    model = small_model()
    before = values(model)
    with pytest.raises(ValueError, match=r"model\.npz is damaged or no \.npz file"):
        nn.load(model, path)
    assert_equal(values(model), before)


def test_no_damaged_byte_gets_past_or_raises_anything_else(tmp_path):
    nn.save(small_model(0), tmp_path / "good.npz")
    good = (tmp_path / "good.npz").read_bytes()
    original = read_arrays(tmp_path / "good.npz")
    rng = np.random.default_rng(0)
    path = tmp_path / "bad.npz"
    for _ in range(300):
        bad = bytearray(good[: rng.integers(len(good))] if rng.random() < 0.2 else good)
        for at in rng.integers(len(bad), size=3) if bad else ():
            bad[at] ^= 1 << rng.integers(8)
        path.write_bytes(bad)
        model = small_model(1)
        before = values(model)
        try:
            nn.load(model, path)
        except ValueError:
            assert_equal(values(model), before)
        else:  # the flips hit nothing that matters, such as a time stamp
            assert_equal(values(model), original)


def test_an_interrupted_save_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "model.npz"
    nn.save(small_model(0), path)
    before = path.read_bytes()

    def fail(file, array, **options):
        file.write(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(np.lib.format, "write_array", fail)
    with pytest.raises(KeyboardInterrupt):
        nn.save(small_model(1), path)
    assert path.read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_copies_are_independent_and_equal(copied):
    model = small_model()
    model.forward(np.ones((2, 4)))
    twin = copied(model)
    assert_equal(values(model), values(twin))
    twin.params["0.W"] *= 2
    assert not np.array_equal(twin.params["0.W"], model.params["0.W"])
    with pytest.raises(RuntimeError, match="before forward"):  # caches stay behind
        twin.backward(np.ones((2, 3)))


def test_numbers_too_large_for_the_models_dtype_are_refused(tmp_path):
    wide = small_model().astype("f8")
    wide.params["0.b"] = 1e300
    nn.save(wide, tmp_path / "model.npz")
    model = small_model(1)
    before = values(model)
    with pytest.raises(ValueError, match=r"in 0\.b that are more than float32 can hold"):
        nn.load(model, tmp_path / "model.npz")
    assert_equal(values(model), before)


def test_a_pipe_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "model.npz")
    with pytest.raises(ValueError, match="no regular file"):
        nn.load(small_model(), tmp_path / "model.npz")


def test_load_model_needs_no_script(tmp_path):
    model = nn.lenet((1, 20, 20), 4, batch_norm=True, rng=0).astype("f8")
    model.forward(np.random.default_rng(0).normal(size=(7, 1, 20, 20)))
    nn.save(model, tmp_path / "model.npz")
    twin = nn.load_model(tmp_path / "model.npz")
    assert repr(twin) == repr(model)
    assert twin.dtype == np.float64
    assert_equal(values(twin), values(model))
    assert_equal(dict(twin.buffers), dict(model.buffers))


class Scale(nn.Layer):
    """y = s x, a layer of somebody's own."""

    def __init__(self, start=1.0):
        self.start, self.params = start, {"s": np.full(1, start, np.float32)}

    def forward_pass(self, x):
        return self.params["s"] * x, x


def test_load_model_takes_layers_of_ones_own(tmp_path):
    nn.save(nn.Sequential(Scale(3.0)), tmp_path / "model.npz")
    with pytest.raises(ValueError, match=r"model\.npz: .* no layer is called 'Scale'"):
        nn.load_model(tmp_path / "model.npz")
    twin = nn.load_model(tmp_path / "model.npz", layers=[Scale])
    assert twin.params["0.s"] == 3


def test_a_file_without_text_is_filled_but_not_built(tmp_path):
    np.savez(tmp_path / "model.npz", **values(small_model(1)))
    nn.load(small_model(0), tmp_path / "model.npz")
    with pytest.raises(ValueError, match="does not say what model it is of"):
        nn.load_model(tmp_path / "model.npz")


def test_the_text_of_a_file_asks_for_no_more_than_its_arrays(tmp_path):
    write_arrays(tmp_path / "model.npz", values(small_model()), "Linear(9000, 9000)")
    with pytest.raises(ValueError, match=r"model\.npz: .* 81000000 parameters, which"):
        nn.load_model(tmp_path / "model.npz")
