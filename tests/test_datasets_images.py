"""Images that are bytes in memory and float32 to whoever looks."""

import copy
import pickle
import tracemalloc

import numpy as np
import pytest

import nnscratch as nn
from nnscratch.data import Images, load_dataset, minibatches
from nnscratch.data.idx import save_idx
from nnscratch.data.images import samples_of, subset

PIXELS = np.random.default_rng(0).integers(0, 256, (30, 3, 5, 4), dtype=np.uint8)
FLOATS = np.divide(PIXELS, np.float32(255), dtype=np.float32)


@pytest.fixture
def images():
    return Images(PIXELS.copy())


@pytest.mark.parametrize(
    "index",
    [
        0,
        -1,
        slice(3, 20, 4),
        np.array([5, 5, 2]),
        np.arange(30) % 3 == 0,
        [4, 1],
        (slice(None), 0),
        (3, 1, 2, 0),
        (np.array([1, 2]), np.array([0, 2])),
        ...,
        np.array([], dtype=np.int64),
    ],
    ids=repr,
)
def test_an_index_gives_what_it_gives_of_the_float_array(images, index):
    got = images[index]
    assert got.dtype == np.float32
    assert type(got) is type(FLOATS[index])
    np.testing.assert_array_equal(got, FLOATS[index])


def test_an_index_gives_an_array_of_its_own(images):
    images[:][...] = 0
    images[np.arange(3)][...] = 0
    np.testing.assert_array_equal(images.pixels, PIXELS)


def test_everything_else_is_that_of_the_float_array(images):
    assert (images.shape, images.ndim, images.size, len(images)) == ((30, 3, 5, 4), 4, 1800, 30)
    assert (images.dtype, images.nbytes) == (np.float32, 1800)
    assert (images.min(), images.max()) == (FLOATS.min(), FLOATS.max())
    assert images.mean() == np.mean(images) == FLOATS.mean()
    np.testing.assert_array_equal(images, FLOATS)
    np.testing.assert_array_equal(np.array(images), FLOATS)
    np.testing.assert_array_equal(images.reshape(30, -1), FLOATS.reshape(30, -1))
    np.testing.assert_array_equal((1 - images) / 2, (1 - FLOATS) / 2)
    np.testing.assert_array_equal(images > 0.5, FLOATS > 0.5)
    np.testing.assert_array_equal(images - images, np.zeros_like(FLOATS))
    np.testing.assert_array_equal(np.concatenate([images, images]), np.concatenate([FLOATS] * 2))
    np.testing.assert_array_equal(np.stack(list(images)), FLOATS)
    np.testing.assert_array_equal(np.array_split(images, 4)[1], np.array_split(FLOATS, 4)[1])
    assert np.asarray(images, dtype=np.float64).dtype == np.float64
    assert (images * 2).dtype == np.float32
    assert images.flags.c_contiguous


def test_a_layer_and_a_metric_take_them_as_the_float_array(images):
    model = nn.mlp([60, 7, 4], rng=0)
    logits = model.forward(FLOATS)
    np.testing.assert_array_equal(model.forward(images), logits)
    convolution = nn.Conv2d(3, 2, 3, rng=0)
    np.testing.assert_array_equal(convolution.forward(images), convolution.forward(FLOATS))


def test_a_copy_and_a_pickle_are_equal_and_separate(images):
    for twin in (copy.deepcopy(images), pickle.loads(pickle.dumps(images))):
        np.testing.assert_array_equal(twin, images)
        twin.pixels[...] = 0
    np.testing.assert_array_equal(images.pixels, PIXELS)


def test_they_are_read_only_with_a_remedy(images):
    with pytest.raises(TypeError, match=r"x = np.array\(x\)"):
        images[0] = 1
    with pytest.raises(TypeError, match=r"x = np.array\(x\)"):
        images += 1
    with pytest.raises(ValueError, match="always a new one"):
        np.asarray(images, copy=False)
    with pytest.raises(AttributeError):
        _ = images.nonsense


@pytest.mark.parametrize(
    ("pixels", "what"), [(FLOATS, "float32"), ([1, 2], "list"), (np.uint8(3), "uint8")]
)
def test_pixels_are_bytes(pixels, what):
    with pytest.raises(ValueError, match=f"expected pixels as a uint8 array, received {what}"):
        Images(pixels)


def test_a_subset_stays_bytes(images):
    rows = np.array([3, 1, 4])
    few = subset(images, rows)
    assert isinstance(few, Images)
    np.testing.assert_array_equal(few.pixels, PIXELS[rows])
    np.testing.assert_array_equal(subset(FLOATS, rows), FLOATS[rows])
    assert samples_of(images) is images
    assert type(samples_of([1, 2])) is np.ndarray


@pytest.mark.parametrize("rng", [None, 3])
def test_batches_are_those_of_the_float_array_bit_for_bit(images, rng):
    y = np.arange(30)
    pairs = zip(minibatches(images, y, 7, rng), minibatches(FLOATS, y, 7, rng), strict=True)
    for (x_batch, y_batch), (x_expected, y_expected) in pairs:
        assert (type(x_batch), x_batch.dtype) == (np.ndarray, np.float32)
        np.testing.assert_array_equal(x_batch, x_expected)
        np.testing.assert_array_equal(y_batch, y_expected)


def test_bytes_that_are_no_images_keep_their_values():
    tokens = np.arange(6, dtype=np.uint8).reshape(3, 2)
    (batch, _), *_ = minibatches(tokens, range(3), 3)
    assert batch.dtype == np.uint8
    np.testing.assert_array_equal(batch, tokens)


def trained(x, y):
    model = nn.Sequential(nn.Flatten(), nn.Linear(60, 5, rng=0))
    optimizer = nn.SGD(model, learning_rate=0.1, momentum=0.9)
    trainer = nn.Trainer(model, nn.SoftmaxCrossEntropy(), optimizer, progress=False)
    history = trainer.fit(x, y, (x, y), epochs=3, batch_size=8, rng=0)
    return model.params["1.W"], history["valid_loss"]


def test_training_on_bytes_is_training_on_floats_bit_for_bit(images):
    y = np.arange(30) % 5
    (W, losses), (W_floats, losses_floats) = trained(images, y), trained(FLOATS, y)
    np.testing.assert_array_equal(W, W_floats)
    assert losses == losses_floats


def test_training_on_bytes_never_makes_floats_of_all():
    pixels = np.random.default_rng(0).integers(0, 256, (20_000, 1, 8, 8), dtype=np.uint8)
    images, y = Images(pixels), np.arange(20_000) % 5
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 5, rng=0))
    trainer = nn.Trainer(model, nn.SoftmaxCrossEntropy(), nn.SGD(model), progress=False)
    trainer.fit(images, y, epochs=1, batch_size=100, rng=0)  # what is imported and kept once
    tracemalloc.start()
    trainer.fit(images, y, (images, y), epochs=1, batch_size=100, rng=0)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 * pixels.nbytes / 2  # float32 would be 4 * nbytes


@pytest.mark.parametrize("ending", ["", ".gz"])
def test_files_named_with_a_dot_are_found(tmp_path, ending):
    images = np.zeros((3, 28, 28), np.uint8)
    for part, count in (("train", 3), ("t10k", 2)):
        save_idx(tmp_path / f"{part}-images.idx3-ubyte{ending}", images[:count])
        save_idx(tmp_path / f"{part}-labels.idx1-ubyte{ending}", images[:count, 0, 0])
    data = load_dataset("mnist", root=tmp_path)
    assert (len(data.x_train), len(data.x_test)) == (3, 2)
