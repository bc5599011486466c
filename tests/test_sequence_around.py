"""Sequences and the rest of the library: training, files, tables, pictures, processes, graphs."""

import numpy as np
import pytest

import nnscratch as nn
from tests.layer_cases.sequences import torch_name
from tests.test_sequence import KINDS, every_kind, make, x_of


def classifier(kind, rng=0):
    rng = np.random.default_rng(rng)
    recurrent = getattr(nn, kind)(4, 6, rng=rng)
    return nn.Sequential(recurrent, nn.LastStep(), nn.Linear(6, 3, rng=rng))


def data(samples=60, time=7):
    x = x_of(samples, time, 4).astype("f4")
    return x, np.argmax(x[:, :, :3].sum(axis=1), axis=1)


@pytest.mark.torch
@pytest.mark.parametrize("kind", [*KINDS, "TransformerBlock"])
def test_fifty_steps_go_beside_torch(kind):
    torch = pytest.importorskip("torch")
    from tests.layer_cases.sequences import block

    rng = np.random.default_rng(0)
    features = 6 if kind == "TransformerBlock" else 4
    if kind == "TransformerBlock":
        layer = nn.TransformerBlock(6, 2, 9, causal=True, rng=rng)
    else:
        layer = getattr(nn, kind)(4, 6, rng=rng)
    model = nn.Sequential(layer, nn.LastStep(), nn.Linear(6, 3, rng=rng)).astype("f8")
    params = {n: torch.tensor(np.array(a), requires_grad=True) for n, a in model.params.items()}
    own = {name.removeprefix("0."): p for name, p in params.items() if name.startswith("0.")}
    x, y = x_of(50, 20, 7, features), np.random.default_rng(1).integers(0, 3, (50, 20))
    optimizer, loss = nn.SGD(model, 0.1, momentum=0.9), nn.SoftmaxCrossEntropy()
    theirs = torch.optim.SGD(params.values(), 0.1, momentum=0.9)
    other = None if kind == "TransformerBlock" else getattr(torch.nn, kind)(4, 6, batch_first=True)
    for x_batch, y_batch in zip(x, y, strict=True):
        value = loss.forward(model.forward(x_batch), y_batch)
        optimizer.step(model.backward(loss.backward())[1])
        tx = torch.tensor(x_batch)
        if other is None:
            ty = block(torch, own, tx, 2, 9, causal=True)
        else:
            weights = {torch_name(name): p for name, p in own.items()}
            ty = torch.func.functional_call(other.double(), weights, (tx,))[0]
        scores = ty[:, -1] @ params["2.W"].T + params["2.b"]
        tvalue = torch.nn.functional.cross_entropy(scores, torch.tensor(y_batch))
        theirs.zero_grad()
        tvalue.backward()
        theirs.step()
        assert abs(value - tvalue.item()) <= 1e-8
    for name, array in model.params.items():
        np.testing.assert_allclose(array, params[name].detach().numpy(), rtol=0, atol=1e-8)


@every_kind
def test_a_net_trains_and_its_file_holds_it(kind, tmp_path):
    x, y = data(240)
    model = classifier(kind)
    optimizer = nn.Adam(model, 0.02)
    trainer = nn.Trainer(model, nn.SoftmaxCrossEntropy(), optimizer, clip_norm=1.0, progress=False)
    history = trainer.fit(x, y, epochs=12, batch_size=32, rng=0)
    assert history["train_loss"][-1] < 0.5 * history["train_loss"][0]
    for ending in (".npz", ".safetensors"):
        nn.save(model, tmp_path / f"net{ending}")
        twin = nn.load(classifier(kind, rng=9), tmp_path / f"net{ending}")
        np.testing.assert_array_equal(nn.predict(twin, x), nn.predict(model, x))


def test_text_builds_every_layer_again():
    model = nn.Sequential(
        nn.Bidirectional(nn.GRU(4, 3)),
        nn.Unroll(nn.LSTMCell(6, 4)),
        nn.PositionalEncoding(4),
        nn.TransformerBlock(4, 2, 8, causal=True),
        nn.MultiHeadAttention(4, 2),
        nn.RNN(4, 3, "relu"),
        nn.LastStep(),
    )
    again = nn.build(repr(model), rng=0)
    assert repr(again) == repr(model)
    assert {n: a.shape for n, a in again.params.items()} == {
        n: a.shape for n, a in model.params.items()
    }


def test_gradients_are_clipped_by_their_common_norm():
    model = classifier("LSTM").astype("f8")
    x, y = data(30)
    loss = nn.SoftmaxCrossEntropy()
    loss.forward(model.forward(50 * x), y)
    _, grads = model.backward(loss.backward())
    norm = np.sqrt(sum(np.sum(grad**2) for grad in grads.values()))
    before = model.params.copy()
    optimizer = nn.SGD(model, 1.0)
    trainer = nn.Trainer(model, loss, optimizer, clip_norm=norm / 10, progress=False)
    trainer.fit(50 * x, y, epochs=1, batch_size=30, rng=0)
    step = np.sqrt(sum(np.sum((before[n] - model.params[n]) ** 2) for n in before))
    assert step == pytest.approx(norm / 10)


def test_two_processes_end_with_the_weights_of_one():
    pytest.importorskip("threadpoolctl")
    found = []
    for workers in (1, 2):
        model = nn.Sequential(
            nn.Bidirectional(nn.GRU(4, 3, rng=0)),
            nn.TransformerBlock(6, 2, 8, rng=1),
            nn.LastStep(),
            nn.Linear(6, 3, rng=2),
        ).astype("f8")
        optimizer = nn.SGD(model, 0.1, momentum=0.9)
        trainer = nn.Trainer(
            model, nn.SoftmaxCrossEntropy(), optimizer, workers=workers, progress=False
        )
        trainer.fit(*data(), epochs=2, batch_size=20, rng=0)
        found.append(model.params.copy())
    for name, array in found[0].items():
        np.testing.assert_allclose(array, found[1][name], rtol=0, atol=1e-12)


def test_summary_and_observer_see_the_layers_inside():
    model = nn.Sequential(
        nn.Bidirectional(nn.Unroll(nn.GRUCell(4, 3, rng=0))), nn.TransformerBlock(6, 2, 8, rng=0)
    )
    x = x_of(5, 7, 4).astype("f4")
    table = str(nn.summary(model, x))
    for part in ("0.forward", "1.attention", "1.norm2", "MultiHeadAttention"):
        assert part in table
    with nn.inspection.observe(model) as passes:
        y = model.forward(x)
        model.backward(np.ones_like(y))
    cells = [use for use in passes if isinstance(use.layer, nn.GRUCell)]
    assert len(cells) == 14 and all(use.dy is not None for use in cells)
    total = sum(use.grads["W_h"] for use in cells if use.path.startswith("0.forward"))
    numeric = model.backward(np.ones_like(y))[1]["0.forward.W_h"]
    np.testing.assert_allclose(total, numeric, rtol=1e-5, atol=1e-6)


def unrolled_by_hand(cell, time):
    """A graph with a node for every step, and the state of each as output."""
    x, state = nn.Input("x"), nn.Input("state")
    h, outputs = state, []
    for t in range(time):
        h = cell(x[:, t], h, name=f"step{t}")
        outputs.append(h)
    return nn.Graph([x, state], nn.Stack(1)(*outputs))


def test_a_graph_of_the_steps_equals_the_layer_and_is_drawn():
    layer = make("RNN")
    cell = nn.RNNCell(4, 3).astype("f8")
    cell.params.update(layer.params)
    graph = unrolled_by_hand(cell, 5)
    x, state, dy = x_of(6, 5, 4), x_of(6, 3, seed=1), x_of(6, 5, 3, seed=2)
    np.testing.assert_allclose(graph.forward(x, state), layer.forward(x, state), atol=1e-14)
    (dx, dstate), grads = graph.backward(dy)
    (same_dx, same_dstate), same = layer.backward(dy)
    np.testing.assert_allclose(dx, same_dx, atol=1e-13)
    np.testing.assert_allclose(dstate, same_dstate, atol=1e-13)
    assert list(grads) == [f"step0.{name}" for name in same]
    for name, grad in same.items():
        np.testing.assert_allclose(grads[f"step0.{name}"], grad, atol=1e-12)
    assert len(nn.plots.draw_graph(graph).axes) == 1


def test_a_layer_of_two_outputs_is_two_nodes():
    x = nn.Input("x")
    y, state = nn.LSTM(4, 3, return_state=True, rng=0)(x, name="reader")
    decoded = nn.LSTM(4, 3, rng=1)(x, state, name="writer")
    graph = nn.Graph([x], outputs=[decoded, y])
    values = x_of(5, 6, 4).astype("f4")
    outputs = graph.forward(values)
    assert [part.shape for part in outputs] == [(5, 6, 3)] * 2
    dy = [x_of(5, 6, 3, seed=seed).astype("f4") for seed in (1, 2)]
    dx, grads = graph.backward(tuple(dy))
    reader, writer = (dict(graph.walk())[name] for name in ("reader", "writer"))
    y, state = reader.forward(values)
    writer.forward(values, state)
    (dx_writer, dstate), of_writer = writer.backward(dy[0])
    dx_reader, of_reader = reader.backward((dy[1], dstate))
    np.testing.assert_allclose(dx, dx_writer + dx_reader, atol=1e-6)
    for node, found in (("reader", of_reader), ("writer", of_writer)):
        for name, grad in found.items():
            np.testing.assert_allclose(grads[f"{node}.{name}"], grad, atol=1e-5)
