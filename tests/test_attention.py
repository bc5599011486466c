"""Attention: what it sees, its derivation piece by piece, and what is refused."""

import numpy as np
import pytest

import nnscratch as nn
from tests import numeric
from tests.test_sequence import double, x_of


@pytest.mark.parametrize("causal", [False, True])
def test_attention_is_its_formula_and_passes_the_gradient_check(causal):
    q, k, v = x_of(3, 4, 5), x_of(3, 4, 5, seed=1), x_of(3, 4, 2, seed=2)
    layer = nn.Attention(causal)
    S = q @ k.swapaxes(1, 2) / np.sqrt(5)
    S[..., ~np.tri(4, dtype=bool)] -= np.inf if causal else 0
    np.testing.assert_allclose(layer.forward(q, k, v), nn.Softmax().forward(S) @ v, atol=1e-14)
    numeric.check_layer(layer, q, k, v)
    assert nn.check_gradients(layer, q, k, v).ok


def test_the_gradient_of_the_scores_is_the_jacobian_product_of_softmax():
    q, k, v, dy = (x_of(4, 4, seed=seed) for seed in range(4))
    layer = nn.Attention()
    layer.forward(q, k, v)
    (dq, dk, dv), _ = layer.backward(dy)
    P = layer.weights
    dS = nn.Softmax().backward_pass(dy @ v.T, P) / 2  # √4
    np.testing.assert_allclose(dq, dS @ k, atol=1e-14)
    np.testing.assert_allclose(dk, dS.T @ q, atol=1e-14)
    np.testing.assert_allclose(dv, P.T @ dy, atol=1e-14)


@pytest.mark.parametrize(
    "layer",
    [
        nn.MultiHeadAttention(6, 3, causal=True, rng=0),
        nn.TransformerBlock(6, 2, 9, causal=True, rng=0),
    ],
    ids=repr,
)
def test_a_causal_layer_looks_at_nothing_that_comes_later(layer):
    x = x_of(2, 5, 6).astype("f4")
    y = layer.forward(x)
    changed = x.copy()
    changed[:, 3:] += 1
    np.testing.assert_array_equal(layer.forward(changed)[:, :3], y[:, :3])
    dy = np.zeros_like(y)
    dy[:, 2] = 1
    dx, _ = layer.backward(dy)
    assert not dx[:, 3:].any() and dx[:, :3].any()


def test_heads_are_neighbouring_features_and_each_is_an_attention():
    layer = double(nn.MultiHeadAttention(6, 2))
    x = x_of(3, 4, 6)
    p = layer.params
    Q, K, V = (x @ p[f"W_{name}"].T + p[f"b_{name}"] for name in "qkv")
    heads = [
        nn.Attention().forward(*(a[..., s] for a in (Q, K, V))) for s in (np.s_[:3], np.s_[3:])
    ]
    expected = np.concatenate(heads, -1) @ p["W_o"].T + p["b_o"]
    np.testing.assert_allclose(layer.forward(x), expected, atol=1e-13)
    np.testing.assert_allclose(layer.weights.sum(axis=-1), 1)
    assert layer.weights.shape == (3, 2, 4, 4)


def test_self_attention_is_attention_to_oneself_with_the_three_gradients_added():
    layer = double(nn.MultiHeadAttention(6, 2))
    x, dy = x_of(3, 4, 6), x_of(3, 4, 6, seed=1)
    y = layer.forward(x)
    dx, grads = layer.backward(dy)
    np.testing.assert_array_equal(layer.forward(x, x, x), y)
    parts, same = layer.backward(dy)
    np.testing.assert_allclose(sum(parts), dx, atol=1e-13)
    for name, grad in grads.items():
        np.testing.assert_array_equal(grad, same[name])


def test_cross_attention_passes_the_gradient_check():
    layer = double(nn.MultiHeadAttention(6, 2))
    q, k, v = x_of(2, 3, 6), x_of(2, 5, 6, seed=1), x_of(2, 5, 6, seed=2)
    numeric.check_layer(layer, q, k, v)
    assert nn.check_gradients(layer, q, k, v).ok


def test_without_positions_attention_knows_no_order_and_with_them_it_does():
    layer, order = nn.MultiHeadAttention(6, 2, rng=0), [2, 0, 3, 1]
    x = x_of(1, 4, 6).astype("f4")
    np.testing.assert_allclose(layer.forward(x)[:, order], layer.forward(x[:, order]), atol=1e-6)
    model = nn.Sequential(nn.PositionalEncoding(6), layer)
    assert np.abs(model.forward(x)[:, order] - model.forward(x[:, order])).max() > 0.01


def test_dropout_of_a_block_draws_while_training_alone():
    x = x_of(2, 5, 6).astype("f4")
    plain, noisy = (nn.TransformerBlock(6, 2, 9, dropout=p, rng=0) for p in (0.0, 0.5))
    assert not any(hasattr(layer, "rng") for _, layer in plain.walk())
    assert list(plain.params) == list(noisy.params)
    assert (noisy.forward(x) != noisy.forward(x)).any()
    np.testing.assert_array_equal(noisy.eval().forward(x), plain.forward(x))


def test_lengths_pass_causal_attention_and_are_refused_before_one_that_looks_beyond_them():
    def model(causal):
        block = nn.TransformerBlock(6, 2, 9, causal=causal, rng=0)
        return nn.Sequential(block, nn.LastStep())

    x = x_of(2, 5, 6).astype("f4")
    y = model(True).forward(x, lengths=[3, 5])
    np.testing.assert_allclose(y[:1], model(True).forward(x[:1, :3]), atol=1e-6)
    with pytest.raises(ValueError, match=r"TransformerBlock\(6, 2, 9\) .* beyond them; make it"):
        model(False).forward(x, lengths=[3, 5])


def test_large_scores_stay_finite():
    layer = nn.Attention()
    q = np.full((1, 3, 2), 1e4, np.float32)
    y = layer.forward(q, q, q)
    dx, _ = layer.backward(np.ones_like(y))
    assert np.isfinite(y).all() and all(np.isfinite(part).all() for part in dx)


def test_what_does_not_fit_is_refused():
    for layer in (nn.Attention(causal=True), nn.MultiHeadAttention(6, 2, causal=True)):
        with pytest.raises(ValueError, match="3 queries and 5 keys; leave out causal=True"):
            layer.forward(x_of(2, 3, 6), x_of(2, 5, 6), x_of(2, 5, 6))
    with pytest.raises(ValueError, match="give q and k the same features"):
        nn.Attention().forward(x_of(2, 3, 6), x_of(2, 5, 4), x_of(2, 5, 6))
    layer = nn.MultiHeadAttention(6, 2)
    with pytest.raises(ValueError, match="expected x, or q, k and v, received 2 inputs"):
        layer.forward(x_of(2, 3, 6), x_of(2, 3, 6))
    with pytest.raises(ValueError, match=r"make it MultiHeadAttention\(8, 2\)"):
        layer.forward(x_of(2, 3, 8))
    with pytest.raises(ValueError, match=r"a batch of one, x\[np.newaxis\]"):
        layer.forward(x_of(3, 6))
    with pytest.raises(ValueError, match="k and v of one shape"):
        layer.forward(x_of(2, 3, 6), x_of(2, 5, 6), x_of(2, 4, 6))
    with pytest.raises(ValueError, match=r"heads that divide the features, received 6 .* 4 heads"):
        nn.MultiHeadAttention(6, 4)
    with pytest.raises(ValueError, match=r"make it PositionalEncoding\(7\)"):
        nn.PositionalEncoding(6).forward(x_of(3, 7))
    for fresh in (nn.Attention(), layer):
        fresh.forget()
        with pytest.raises(RuntimeError, match="no weights yet; call forward first"):
            fresh.weights  # noqa: B018
