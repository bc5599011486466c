"""Rotation, crops, cutout and mixup: what they do to a batch, and how a trainer uses them."""

import numpy as np
import pytest
from scipy import ndimage

import nnscratch as nn
from nnscratch.data import Crop, Cutout, Mixup, Rotate, ShiftAndFlip
from nnscratch.data.resample import taken, turned

EVERY = [ShiftAndFlip(2, flip=True), Rotate(30), Crop(0.5), Cutout(3)]


def images(count=40, height=6, width=9, seed=0):
    return np.random.default_rng(seed).random((count, 2, height, width)) + 0.5


@pytest.mark.parametrize("change", EVERY, ids=repr)
@pytest.mark.parametrize("dtype", ["f4", "f8", "u1"])
def test_images_keep_shape_and_dtype_and_are_only_read(change, dtype):
    x = (100 * images()).astype(dtype)
    before = x.copy()
    y = change(x, np.random.default_rng(1))
    np.testing.assert_array_equal(x, before)
    assert y.shape == x.shape
    assert y.dtype == ("f4" if dtype == "u1" and isinstance(change, Rotate | Crop) else dtype)
    again = change(x, np.random.default_rng(1))
    np.testing.assert_array_equal(y, again)
    other = change(x, np.random.default_rng(2))
    assert not np.array_equal(y, other)
    assert change(x[:0], np.random.default_rng(1)).shape == (0, 2, 6, 9)
    x.setflags(write=False)
    change(x, np.random.default_rng(1))


@pytest.mark.parametrize("change", EVERY, ids=repr)
def test_each_image_of_a_batch_is_changed_in_its_own_way(change):
    x = np.repeat(images(1), 12, axis=0)
    y = change(x, np.random.default_rng(0))
    assert len({image.tobytes() for image in y}) > 4


def test_turning_agrees_with_scipys_transform():
    x = images(5, 6, 9)
    angles = np.random.default_rng(3).uniform(-np.pi, np.pi, 5)
    found = turned(x, angles)
    centre = (np.array(x.shape[2:]) - 1) / 2
    for image, angle, y in zip(x, angles, found, strict=True):
        matrix = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        for channel, expected_of in zip(y, image, strict=True):
            expected = ndimage.affine_transform(
                expected_of, matrix, centre - matrix @ centre, order=1, mode="grid-constant"
            )
            np.testing.assert_allclose(channel, expected, atol=1e-12)


def test_quarter_turns_move_pixels_and_no_turn_leaves_them():
    x = images(4, 7, 7)
    quarters = turned(x, np.pi / 2 * np.arange(4))
    for k, (image, y) in enumerate(zip(x, quarters, strict=True)):
        np.testing.assert_allclose(y, np.rot90(image, -k, axes=(1, 2)), atol=1e-12)


def test_angles_fill_the_range_evenly():
    x = np.zeros((4000, 1, 3, 31))
    x[:, 0, 1, 25] = 1  # 10 pixels from the centre: sin(angle) is how far it leaves the row
    wide = np.pad(x, ((0, 0), (0, 0), (14, 14), (0, 0)))
    y = Rotate(20)(wide, np.random.default_rng(0))
    rows = (y.sum(axis=(1, 3)) * np.arange(31)).sum(1) / y.sum(axis=(1, 2, 3)) - 15
    angles = np.degrees(np.arcsin(np.clip(rows / 10, -1, 1)))
    assert 18 < np.abs(angles).max() < 22
    counts = np.histogram(angles, 4, (-20, 20))[0]
    assert counts.min() > 850


def test_a_crop_shows_a_part_of_the_image_stretched():
    height, width = 6, 9
    x = np.zeros((200, 2, height, width))
    x[:, 0], x[:, 1] = np.arange(height)[:, np.newaxis], np.arange(width)
    y = Crop(0.5)(x, np.random.default_rng(0))
    steps = np.diff(y[:, 0, :, 0], axis=1), np.diff(y[:, 1, 0, :], axis=1)
    for step in steps:
        np.testing.assert_allclose(step, step[:, :1] * np.ones(step.shape[1]), atol=1e-12)
        assert 0.5 <= step.min() < 0.52 and 0.98 < step.max() <= 1
    np.testing.assert_allclose(steps[0][:, 0], steps[1][:, 0])  # shapes stay as they are
    assert y.min() >= 0 and y[:, 1].max() <= width - 1


def test_what_is_taken_far_outside_is_zero():
    far = np.full((1, 1, 1), 1e6)
    assert (taken(images(1), far, far) == 0).all()
    assert (taken(images(1), -far, far) == 0).all()


def test_cutout_covers_one_square_that_may_reach_over_the_border():
    y = Cutout(4)(images(400), np.random.default_rng(0))
    assert np.array_equal(y[:, 0] == 0, y[:, 1] == 0)
    sizes = set()
    for covered in y[:, 0] == 0:
        rows, columns = np.flatnonzero(covered.any(1)), np.flatnonzero(covered.any(0))
        assert covered[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].all()
        sizes.add((len(rows), len(columns)))
    assert max(sizes) == (4, 4) and min(sizes)[0] == 2
    even = Cutout(1)(np.ones((3000, 1, 2, 3)), np.random.default_rng(0)) == 0
    assert even.sum() == 3000 and even.sum(0).min() > 400


# Mixup -----------------------------------------------------------------------------------------


def test_mixup_mixes_inputs_and_targets_in_the_same_shares():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, 50)
    x = np.eye(3)[y] @ np.diag([1.0, 10.0, 100.0])  # whose classes can be read off
    mixed, target = Mixup(1.0, classes=3)(x, y, rng)
    np.testing.assert_allclose(mixed, target @ np.diag([1.0, 10.0, 100.0]), rtol=1e-6)
    np.testing.assert_allclose(target.sum(1), 1, rtol=1e-6)
    assert ((target > 0) & (target < 1)).any()


def test_mixup_of_floats_needs_no_classes_and_keeps_dtypes():
    rng = np.random.default_rng(0)
    for dtype in ("f4", "f8"):
        x, y = rng.random((7, 2)).astype(dtype), rng.random((7, 3)).astype(dtype)
        mixed, target = Mixup(0.4)(x, y, np.random.default_rng(1))
        assert mixed.dtype == target.dtype == dtype
    mixed, target = Mixup(0.4, classes=2)(np.ones((4, 2), int), np.array([0, 1, 1, 0]), rng)
    assert mixed.dtype == target.dtype == "f4"


def test_shares_follow_the_beta_distribution():
    rng = np.random.default_rng(0)
    change = Mixup(0.3)
    x = np.array([[0.0], [1.0]])
    shares = []
    while len(shares) < 4000:
        mixed, _ = change(x, x, rng)
        if not np.array_equal(mixed, x) and mixed[0] != 0:  # it was mixed with the other one
            shares.append(float(mixed[1, 0]))
    expected = np.random.default_rng(1).beta(0.3, 0.3, 4000)
    for share in (0.1, 0.25, 0.5, 0.9):
        assert np.quantile(shares, share) == pytest.approx(np.quantile(expected, share), abs=0.05)


# In a trainer ----------------------------------------------------------------------------------


def trainer(augment, rng=0, **options):
    model = nn.mlp([64, 32, 10], rng=rng)
    optimizer = nn.Adam(model, 0.005)
    return nn.Trainer(
        model, nn.SoftmaxCrossEntropy(), optimizer, progress=False, augment=augment, **options
    )


def test_a_list_of_changes_is_applied_in_its_order_and_targets_are_seen():
    seen = []

    def double(x, rng):
        seen.append("double")
        return 2 * x

    def other(x, y, rng):
        seen.append("other")
        assert x.max() > 1
        return x, 9 - y

    digits = nn.load_dataset("digits")
    run = trainer([double, other])
    run.fit(digits.x_train, digits.y_train, epochs=8, batch_size=64, rng=0)
    assert seen[:4] == ["double", "other", "double", "other"]
    right = nn.accuracy(nn.predict(run.model, 2 * digits.x_test), 9 - digits.y_test)
    assert right > 0.9


def test_training_on_changed_digits_is_the_same_for_the_same_seed_and_learns():
    digits = nn.load_dataset("digits")
    changes = [Rotate(10), Crop(0.9), Cutout(2), Mixup(0.2, classes=10)]
    runs = [trainer(changes) for _ in range(2)]
    histories = [
        run.fit(digits.x_train, digits.y_train, epochs=12, batch_size=64, rng=3) for run in runs
    ]
    assert histories[0].steps["loss"] == histories[1].steps["loss"]
    for name, array in runs[0].model.params.items():
        np.testing.assert_array_equal(array, runs[1].model.params[name])
    assert nn.accuracy(nn.predict(runs[0].model, digits.x_test), digits.y_test) > 0.9


def test_weights_of_samples_do_not_go_with_changed_targets():
    digits = nn.load_dataset("digits")
    run = trainer(Mixup(0.2, classes=10))
    weight = np.ones(len(digits.y_train))
    with pytest.raises(ValueError, match=r"Mixup\(0.2, classes=10\) changes targets, which sample"):
        run.fit(digits.x_train, digits.y_train, sample_weight=weight)


@pytest.mark.parametrize(
    ("augment", "message"),
    [
        (3, r"augment is a function \(x, rng\) -> x .* received 3"),
        (Rotate, "received the class Rotate"),
        (lambda x: x, r"which takes \(x\)"),
        ([Rotate(5), None], "received None"),
        (lambda x, y, rng: x, r"expected to return \(x, y\), it returned ndarray"),
        (lambda x, rng: x[1:], r"as many inputs as it was given, \(20, 64\), it returned \(19, 64"),
        (lambda x, rng: None, "as many inputs as it was given"),
        (lambda x, y, rng: (x, y[:3]), "as many targets as it was given"),
    ],
)
def test_what_is_no_change_of_a_batch_is_refused(augment, message):
    with pytest.raises(ValueError, match=message):
        trainer(augment).fit(np.ones((20, 64)), np.arange(20) % 10, epochs=1)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Rotate(0), r"degrees in \(0, 180\]"),
        (lambda: Rotate(181), r"degrees in \(0, 180\]"),
        (lambda: Crop(1.0), r"a share in \(0, 1\)"),
        (lambda: Crop(-0.5), r"a share in \(0, 1\)"),
        (lambda: Cutout(0), "a size of at least 1"),
        (lambda: Mixup(0), "a positive alpha"),
        (lambda: Mixup(0.2, classes=1), "at least 2 classes"),
        (lambda: Mixup()(np.ones((3, 2)), np.arange(3), None), r"Mixup\(0.2, classes=3\)"),
        (lambda: Mixup(1, 2)(np.ones((3, 2)), np.arange(3), None), "labels .* from 0 to 1"),
        (lambda: Rotate(5)(np.ones((3, 64)), np.random.default_rng(0)), "augment only images"),
        (lambda: Cutout(5)(None, np.random.default_rng(0)), "received NoneType"),
    ],
)
def test_settings_and_inputs_that_make_no_sense_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
