"""Ready-made convolutional nets, and the augmentation they are trained with."""

import numpy as np
import pytest

import nnscratch as nn
from nnscratch.data.augment import ShiftAndFlip
from tests import numeric


@pytest.mark.parametrize("shape", [(1, 8, 8), (1, 28, 28), (3, 9, 13)])
def test_the_cnn_takes_images_of_any_size(shape):
    model = nn.cnn(shape, classes=7, width=4, rng=0)
    assert model.forward(np.zeros((2, *shape))).shape == (2, 7)


@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 32, 32), (1, 16, 17)])
def test_lenet_fits_its_linear_layer_to_the_images(shape):
    model = nn.lenet(shape, classes=7, batch_norm=True, rng=0)
    assert model.forward(np.zeros((2, *shape))).shape == (2, 7)


def test_images_that_poolings_use_up_are_refused():
    with pytest.raises(ValueError, match="at least 16 x 16"):
        nn.lenet((1, 8, 8))
    with pytest.raises(ValueError, match=r"at least 4 x 4, received \(3, 2, 64\); an mlp takes"):
        nn.cnn((3, 2, 64))
    assert nn.cnn((1, 4, 4), rng=0).forward(np.zeros((2, 1, 4, 4))).shape == (2, 10)


def test_the_gradients_of_a_whole_cnn_are_right():
    model = nn.cnn((1, 5, 6), classes=3, width=2, dropout=0.0, rng=0).astype("f8")
    x = np.random.default_rng(1).normal(size=(4, 1, 5, 6))
    numeric.check_layer(model, x, tolerance=1e-5)


@pytest.mark.torch
def test_fifty_steps_of_a_lenet_with_batch_norm_follow_torch():
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    model = nn.lenet((1, 20, 18), classes=5, batch_norm=True, rng=rng).astype("f8")
    features = model[-1].in_features
    layers = [torch.nn.Conv2d(1, 8, 5), torch.nn.BatchNorm2d(8), torch.nn.ReLU()]
    layers += [torch.nn.MaxPool2d(2), torch.nn.Conv2d(8, 16, 5), torch.nn.BatchNorm2d(16)]
    layers += [torch.nn.ReLU(), torch.nn.MaxPool2d(2), torch.nn.Flatten()]
    other = torch.nn.Sequential(*layers, torch.nn.Linear(features, 5)).double()
    names = {"W": "weight", "b": "bias", "gamma": "weight", "beta": "bias"}

    def torch_name(name):
        number, key = name.split(".")
        return f"{number}.{names.get(key, key)}"

    state = other.state_dict()
    for name, array in model.params.items():
        state[torch_name(name)].copy_(torch.tensor(np.array(array)))
    optimizer = nn.SGD(model, learning_rate=0.05, momentum=0.9, weight_decay=1e-4)
    torch_optimizer = torch.optim.SGD(other.parameters(), lr=0.05, momentum=0.9, weight_decay=1e-4)
    loss = nn.SoftmaxCrossEntropy()
    for _ in range(50):
        x, labels = rng.normal(size=(9, 1, 20, 18)), rng.integers(0, 5, 9)
        loss.forward(model.forward(x), labels)
        optimizer.step(model.backward(loss.backward())[1])
        torch_optimizer.zero_grad()
        torch.nn.functional.cross_entropy(other(torch.tensor(x)), torch.tensor(labels)).backward()
        torch_optimizer.step()
    state = other.state_dict()
    for name, array in [*model.params.items(), *model.buffers.items()]:
        np.testing.assert_allclose(array, state[torch_name(name)].numpy(), rtol=0, atol=1e-7)


def test_a_single_last_sample_joins_the_batch_before_it():
    x, y = np.arange(9.0).reshape(9, 1), np.arange(9)
    assert [len(b) for b, _ in nn.minibatches(x, y, 4, join_single=True)] == [4, 5]
    assert [len(b) for b, _ in nn.minibatches(x, y, 4)] == [4, 4, 1]
    assert [len(b) for b, _ in nn.minibatches(x[:1], y[:1], 4, join_single=True)] == [1]
    assert [len(b) for b, _ in nn.minibatches(x[:8], y[:8], 4, join_single=True)] == [4, 4]


def test_the_trainer_spares_batch_norm_a_single_last_sample():
    model = nn.Sequential(nn.Linear(3, 4, rng=0), nn.Residual(nn.BatchNorm(4)), nn.Linear(4, 2))
    trainer = nn.Trainer(model, nn.SoftmaxCrossEntropy(), nn.SGD(model), progress=False)
    x = np.random.default_rng(0).normal(size=(9, 3))
    history = trainer.fit(x, np.arange(9) % 2, epochs=1, batch_size=4)
    assert np.isfinite(history["train_loss"]).all()


def test_shifting_moves_whole_images_and_fills_with_zeros():
    x = np.random.default_rng(0).random((40, 2, 5, 6)) + 1
    before = x.copy()
    y = ShiftAndFlip(2)(x, np.random.default_rng(1))
    np.testing.assert_array_equal(x, before)
    seen = set()
    for image, moved in zip(x, y, strict=True):
        padded = np.pad(image, ((0, 0), (2, 2), (2, 2)))
        places = [(i, j) for i in range(5) for j in range(5)]
        fits = [
            p for p in places if np.array_equal(padded[:, p[0] : p[0] + 5, p[1] : p[1] + 6], moved)
        ]
        assert len(fits) == 1
        seen.add(fits[0])
    assert {i for i, _ in seen} == {j for _, j in seen} == set(range(5))


def test_flipping_mirrors_about_half_of_the_images():
    x = np.random.default_rng(0).random((200, 1, 3, 4))
    y = ShiftAndFlip(flip=True)(x, np.random.default_rng(1))
    mirrored = [np.array_equal(a[:, :, ::-1], b) for a, b in zip(x, y, strict=True)]
    same = [np.array_equal(a, b) for a, b in zip(x, y, strict=True)]
    assert all(a != b for a, b in zip(mirrored, same, strict=True))
    assert 70 < sum(mirrored) < 130


def test_the_same_seed_augments_alike():
    x = np.random.default_rng(0).random((20, 1, 5, 5))
    change = ShiftAndFlip(1, flip=True)
    first, second = (change(x, np.random.default_rng(7)) for _ in range(2))
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ShiftAndFlip(-1), "at least 0, received -1"),
        (lambda: ShiftAndFlip(1)(np.zeros((3, 64)), np.random.default_rng(0)), "augment only"),
    ],
)
def test_wrong_use_of_augmentation_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_the_trainer_augments_what_it_trains_on_alone():
    seen = []

    def change(x, rng):
        seen.append(len(x))
        return x

    model = nn.Linear(3, 2, rng=0)
    trainer = nn.Trainer(
        model, nn.SoftmaxCrossEntropy(), nn.SGD(model), progress=False, augment=change
    )
    x, y = np.zeros((5, 3)), np.zeros(5, int)
    trainer.fit(x, y, validation=(x, y), epochs=2, batch_size=3)
    assert seen == [3, 2, 3, 2]
