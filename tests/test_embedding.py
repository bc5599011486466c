"""Embedding: lookups, gradients that add up where a number occurs twice, what is refused."""

import copy
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nnscratch as nn
from nnscratch.layers.embedding import Embedding
from tests import numeric


def test_values_by_hand():
    layer = Embedding(3, 2)
    layer.params["W"] = [[1, 2], [3, 4], [5, 6]]
    np.testing.assert_array_equal(layer.forward([[2, 0], [2, 2]]), [[[5, 6], [1, 2]], [[5, 6]] * 2])
    dx, grads = layer.backward([[[1, 10], [2, 20]], [[3, 30], [4, 40]]])
    assert dx is None
    np.testing.assert_array_equal(grads["W"], [[2, 20], [0, 0], [8, 80]])
    np.testing.assert_array_equal(layer.forward(1), [3, 4])
    np.testing.assert_array_equal(layer.backward([7, 8])[1]["W"], [[0, 0], [7, 8], [0, 0]])


@settings(max_examples=100, deadline=None)
@given(
    count=st.integers(1, 9),
    features=st.integers(1, 4),
    shape=st.lists(st.integers(0, 5), max_size=3),
    seed=st.integers(0, 2**31),
)
def test_the_gradient_is_that_of_central_differences(count, features, shape, seed):
    rng = np.random.default_rng(seed)
    layer = Embedding(count, features, rng=rng).astype("f8")
    x = rng.integers(0, count, shape)
    dy = rng.normal(size=(*shape, features))
    layer.forward(x)
    dx, grads = layer.backward(dy)
    assert dx is None
    expected = numeric.gradient(lambda: float(np.sum(dy * layer.forward(x))), layer.params["W"])
    numeric.close(grads["W"], expected, 1e-7)
    added = np.zeros_like(layer.params["W"])
    np.add.at(added, x, dy)
    numeric.close(grads["W"], added, 1e-13)


@pytest.mark.torch
@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-10), ("float32", 1e-5)])
def test_values_and_gradients_agree_with_torch(dtype, tolerance):
    torch = pytest.importorskip("torch")

    @settings(max_examples=300, deadline=None)
    @given(
        count=st.integers(1, 20),
        features=st.integers(1, 7),
        shape=st.lists(st.integers(0, 6), max_size=3),
        kind=st.sampled_from(["i8", "i4", "u1", "u8"]),
        seed=st.integers(0, 2**31),
        turned=st.booleans(),
        padding=st.none() | st.integers(0, 99),
    )
    def agrees(count, features, shape, kind, seed, turned, padding):
        rng = np.random.default_rng(seed)
        padding = None if padding is None else padding % count
        layer = Embedding(count, features, rng, padding).astype(dtype)
        x = rng.integers(0, count, shape).astype(kind)
        dy = (
            rng.normal(size=(features, *x.T.shape)).T
            if turned
            else rng.normal(size=(*x.shape, features))
        )
        dy = dy.astype(dtype)
        W = torch.tensor(np.array(layer.params["W"]), requires_grad=True)
        ty = torch.nn.functional.embedding(torch.tensor(x.astype(np.int64)), W, padding)
        ty.backward(torch.tensor(dy.copy(order="C")))
        y = layer.forward(x)
        dx, grads = layer.backward(dy)
        assert dx is None
        assert y.dtype == grads["W"].dtype == np.dtype(dtype)
        np.testing.assert_array_equal(y, ty.detach().numpy())
        numeric.close(grads["W"], W.grad.numpy(), tolerance)

    agrees()


def test_the_vector_of_padding_is_zero_and_stays_so():
    layer = Embedding(5, 3, rng=0, padding_index=2)
    assert not layer.params["W"][2].any()
    assert layer.params["W"][1].all()
    model = nn.Sequential(layer, nn.Flatten(), nn.Linear(12, 2, rng=1))
    optimizer = nn.Adam(model, 0.1)
    x = np.array([[1, 4, 2, 2], [0, 2, 2, 2]])
    for _ in range(3):
        y = model.forward(x)
        _, grads = model.backward(y - 1)
        optimizer.step(grads)
    assert not layer.params["W"][2].any()
    assert repr(layer) == "Embedding(5, 3, padding_index=2)"
    with pytest.raises(ValueError, match=r"make it Embedding\(8, 3, padding_index=2\) or number"):
        layer.forward([7])
    for wrong in (5, -1):
        with pytest.raises(ValueError, match=r"padding_index in 0 \.\.\. 4 or None, received"):
            Embedding(5, 3, padding_index=wrong)


def test_float16_stays():
    layer = Embedding(5, 3, rng=0).astype("f2")
    assert layer.forward([1, 2, 2]).dtype == np.float16
    assert layer.backward(np.ones((3, 3)))[1]["W"].dtype == np.float16


def test_the_checker_finds_no_mistake():
    x = np.random.default_rng(0).integers(0, 6, (5, 4))
    report = nn.check_gradients(Embedding(6, 3, rng=0), x)
    assert [f.verdict for f in report.findings] == ["pass", "pass"], str(report)
    model = nn.Sequential(Embedding(6, 3, rng=0), nn.Flatten(), nn.Linear(12, 2, rng=1), nn.Tanh())
    report = nn.check_gradients(model, x)
    assert [f.verdict for f in report.findings] == ["pass"] * 4, str(report)


def test_w_is_standard_normal_and_follows_its_seed():
    W = Embedding(400, 500, rng=0).params["W"]
    assert W.dtype == np.float32
    assert abs(W.mean()) < 0.01
    assert W.std() == pytest.approx(1, abs=0.01)
    np.testing.assert_array_equal(W, Embedding(400, 500, rng=0).params["W"])
    assert not np.array_equal(W, Embedding(400, 500, rng=1).params["W"])


def test_nothing_is_written_to_and_nothing_is_shared():
    layer = Embedding(5, 3, rng=0)
    x, dy = np.array([[1, 1, 4]]), np.ones((1, 3, 3), "f4")
    x.flags.writeable = dy.flags.writeable = False
    y = layer.forward(x)
    grads = layer.backward(dy)[1]
    kept = y.copy()
    layer.params["W"] += 1
    np.testing.assert_array_equal(y, kept)
    again = layer.backward(dy)[1]
    np.testing.assert_array_equal(again["W"], grads["W"])
    assert not np.shares_memory(again["W"], grads["W"])
    assert not np.shares_memory(y, layer.params["W"])


def test_used_at_two_nodes_of_a_graph_the_gradients_add_up():
    layer = Embedding(5, 3, rng=0).astype("f8")
    a, b = nn.Input("a"), nn.Input("b")
    graph = nn.Graph(inputs=[a, b], output=layer(a) * layer(b))
    x = np.array([1, 1, 4]), np.array([2, 4, 4])
    dy = np.random.default_rng(0).normal(size=(3, 3))
    graph.forward(*x)
    dx, grads = graph.backward(dy)
    assert dx == (None, None)
    expected = numeric.gradient(lambda: float(np.sum(dy * graph.forward(*x))), layer.params["W"])
    numeric.close(grads["embedding1.W"], expected, 1e-7)


def test_as_the_first_of_a_model_it_trains():
    rng = np.random.default_rng(0)
    x = rng.integers(0, 6, (64, 2))
    labels = (x[:, 0] > x[:, 1]).astype(int)
    model = nn.Sequential(Embedding(6, 4, rng=1), nn.Flatten(), nn.Linear(8, 2, rng=2))
    trainer = nn.Trainer(
        model, nn.SoftmaxCrossEntropy(), nn.SGD(model, learning_rate=0.5), progress=False
    )
    history = trainer.fit(x, labels, epochs=60, batch_size=16, rng=0)
    assert history["train_loss"][-1] < 0.1 < history["train_loss"][0]


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda layer: pickle.loads(pickle.dumps(layer))])
def test_copies_and_files_hold_the_same(copied, tmp_path):
    layer = Embedding(5, 3, rng=0)
    nn.save(layer, tmp_path / "model.npz")
    twins = copied(layer), nn.load(Embedding(5, 3), tmp_path / "model.npz")
    for twin in twins:
        np.testing.assert_array_equal(twin.forward([0, 4]), layer.forward([0, 4]))
        twin.params["W"] += 1
        assert not np.array_equal(twin.params["W"], layer.params["W"])


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (
            [[0, 5, 1]],
            r"Embedding\(5, 3\) expected integers in 0 \.\.\. 4, received 5 as x\[0, 1\]",
        ),
        ([1, 9, 7], r"received 9 as x\[1\]; make it Embedding\(10, 3\) or number from 0"),
        (np.array([9, 255], np.uint8), r"make it Embedding\(256, 3\)"),
        ([[4, 1], [2, -1]], r"received -1 as x\[1, 1\]; nothing counts from the end"),
        (-2, r"received -2 as x; nothing"),
        (np.array([2**64 - 1], np.uint64), "received 18446744073709551615"),
        ([0.0, 1.0], r"received float64; pass x.astype\(np.int64\)"),
        (np.zeros(3, np.float32), "received float32"),
        ([True, False], "received bool"),
        (["a"], "received <U1"),
        ([None], "received object"),
    ],
)
def test_what_is_no_number_of_a_vector_is_refused(x, message):
    with pytest.raises(ValueError, match=message):
        Embedding(5, 3).forward(x)


def test_wrong_sizes_are_refused():
    for sizes in ((0, 3), (3, 0), (-1, 3)):
        with pytest.raises(ValueError, match="sizes of at least 1"):
            Embedding(*sizes)
    layer = Embedding(5, 3)
    layer.forward([1, 2])
    with pytest.raises(ValueError, match="expected dy of the shape of y"):
        layer.backward(np.ones((2, 1)))
    assert repr(layer) == "Embedding(5, 3)"


def test_a_shortcut_around_an_embedding_has_no_dx():
    inside = nn.Sequential(nn.Embedding(6, 3, rng=0), nn.Mean(-1))
    layer = nn.Residual(inside)
    x = np.array([[0, 5], [2, 2]])
    y = layer.forward(x)
    np.testing.assert_allclose(y, x + inside.forward(x), rtol=1e-6)
    dx, grads = layer.backward(np.ones_like(y))
    assert dx is None
    assert layer.backward_pass(np.ones_like(y), layer.cache) is None
    np.testing.assert_allclose(grads["0.W"].sum(0), [4 / 3] * 3, rtol=1e-6)
