"""Splits, minibatches and named data sets: from files to the batch that a layer sees."""

import dataclasses
import gzip
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnscratch.data import digits, files, load_dataset, minibatches, stratified_split
from nnscratch.data.catalogue import source_of
from nnscratch.data.idx import save_idx

REPOSITORY = Path(__file__).parents[1]
SYSTEM = Path("/usr/share/datasets/fashion-mnist")
FILES = [file.name.removesuffix(".gz") for file in source_of("fashion-mnist").files]
needs_fashion_mnist = pytest.mark.skipif(
    not SYSTEM.is_dir(), reason=f"needs {SYSTEM}: apt install dataset-fashion-mnist"
)

# --- stratified_split ---


@given(
    labels=st.lists(st.integers(-3, 4), max_size=60), share=st.floats(0, 1), seed=st.integers(0, 99)
)
def test_a_split_is_a_sorted_partition_with_each_class_in_proportion(labels, share, seed):
    count = round(share * len(labels))
    rest, held_out = stratified_split(labels, count, rng=seed)
    assert rest.dtype == held_out.dtype == np.int64
    assert len(held_out) == count
    assert sorted([*rest, *held_out]) == list(range(len(labels)))
    for rows in (rest, held_out):
        assert list(rows) == sorted(rows)
    for label in set(labels):
        drawn = sum(labels[row] == label for row in held_out)
        assert abs(drawn - count * labels.count(label) / len(labels)) < 1


@pytest.mark.parametrize(
    ("labels", "count", "drawn"),
    [
        # due 0.6, 0.9, 1.5: whole parts 0, 0, 1; the two missing go to .9 and .6
        ([0] * 2 + [1] * 3 + [2] * 5, 3, [1, 1, 1]),
        # due 1.2, 1.4, 0.4: 1, 1, 0; the one missing is a tie of .4 for the smaller label
        ([5] * 6 + [7] * 7 + [9] * 2, 3, [1, 2, 0]),
        # due 0.5 each: the smaller labels get theirs, whatever the order of the rows
        ([8, 3, 1, 2], 2, [1, 1, 0, 0]),
    ],
)
def test_what_does_not_divide_goes_to_the_largest_remainder_then_the_smaller_label(
    labels, count, drawn
):
    for seed in range(5):
        held_out = [labels[row] for row in stratified_split(labels, count, rng=seed)[1]]
        assert [held_out.count(label) for label in sorted(set(labels))] == drawn


def test_a_seed_repeats_a_split_and_a_generator_moves_on():
    labels = np.arange(200) % 4
    first, second = (stratified_split(labels, 40, rng=3)[1] for _ in range(2))
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(
        first, stratified_split(labels, 40, rng=np.random.default_rng(3))[1]
    )
    rng = np.random.default_rng(3)
    first, second = (stratified_split(labels, 40, rng=rng)[1] for _ in range(2))
    assert list(first) != list(second)
    assert list(stratified_split(labels, 40)[1]) != list(stratified_split(labels, 40)[1])


def test_every_row_of_a_class_can_be_drawn():
    drawn = np.concatenate([stratified_split([1, 1, 1, 1], 1, rng=s)[1] for s in range(60)])
    assert set(drawn) == {0, 1, 2, 3}


@pytest.mark.parametrize(
    ("labels", "count", "message"),
    [
        ([[0, 1]], 1, r"labels of shape \(samples,\).*received shape \(1, 2\).*argmax"),
        ([0.5, 1.0], 1, "float64"),
        ([0, 1], 3, "between 0 and the 2 samples there are, received 3"),
        ([0, 1], -1, "received -1"),
        ([0, 1], 0.2, r"received 0.2; for a share p"),
    ],
)
def test_a_split_that_cannot_be_is_refused_with_the_remedy(labels, count, message):
    with pytest.raises(ValueError, match=rf"stratified_split expected.*{message}"):
        stratified_split(labels, count)


# --- minibatches ---


@given(
    samples=st.integers(0, 20),
    batch_size=st.integers(1, 25),
    seed=st.none() | st.integers(0, 9),
    drop_last=st.booleans(),
)
def test_batches_hold_each_sample_once_beside_its_target(samples, batch_size, seed, drop_last):
    x = np.arange(samples * 6, dtype=np.float32).reshape(samples, 2, 3)
    batches = list(minibatches(x, np.arange(samples), batch_size, rng=seed, drop_last=drop_last))
    full, left = divmod(samples, batch_size)
    sizes = [batch_size] * full + [left] * (left > 0 and not drop_last)
    assert [len(y_batch) for _, y_batch in batches] == sizes
    for x_batch, y_batch in batches:
        assert x_batch.dtype == np.float32
        np.testing.assert_array_equal(x_batch, x[y_batch])
    seen = [row for _, y_batch in batches for row in y_batch]
    assert len(set(seen)) == len(seen) == sum(sizes)
    if seed is None:
        assert seen == list(range(len(seen)))


def order(samples, rng):
    return [
        int(y) for _, batch in minibatches(range(samples), range(samples), 7, rng) for y in batch
    ]


def test_a_generator_gives_each_epoch_its_own_order_and_a_seed_repeats_it():
    rng = np.random.default_rng(0)
    first, second = order(50, rng), order(50, rng)
    assert first != second
    assert sorted(first) == sorted(second) == list(range(50))
    assert order(50, 0) == order(50, 0) == first


def test_the_order_is_drawn_when_minibatches_is_called():
    rng = np.random.default_rng(0)
    early, late = (minibatches(range(50), range(50), 50, rng) for _ in range(2))
    next(late)
    assert list(next(early)[1]) == order(50, 0)


@pytest.mark.parametrize("rng", [None, 0])
@pytest.mark.parametrize("view", [np.asarray, np.asfortranarray, lambda a: a[:, ::2]])
def test_batches_are_copies_of_any_memory_order(rng, view):
    x, y = view(np.arange(40.0).reshape(5, 8)), np.arange(5)
    before = x.copy()
    for x_batch, y_batch in minibatches(x, y, 5, rng):
        np.testing.assert_array_equal(x_batch, x[y_batch])
        x_batch[...] = y_batch[...] = -1
    np.testing.assert_array_equal(x, before)
    np.testing.assert_array_equal(y, np.arange(5))


@pytest.mark.parametrize(
    ("x", "y", "batch_size", "message"),
    [
        (np.zeros((3, 2)), np.zeros(2), 1, r"received shapes \(3, 2\) and \(2,\)"),
        (np.zeros(()), np.zeros(()), 1, r"received shapes \(\) and \(\)"),
        (np.zeros(2), np.zeros(2), 0, "received 0"),
        (np.zeros(2), np.zeros(2), -4, "received -4"),
        (np.zeros(2), np.zeros(2), 1.5, "received 1.5"),
    ],
)
def test_wrong_arguments_are_refused_before_the_first_batch(x, y, batch_size, message):
    with pytest.raises(ValueError, match=rf"minibatches expected.*{message}"):
        minibatches(x, y, batch_size)  # no next()


# --- digits ---


@pytest.mark.parametrize(
    ("split", "train", "test"),
    [
        # of 178 182 177 183 181 182 181 179 174 180; test: a fifth of each, largest remainder
        (None, "142 145 142 146 145 146 145 143 139 144", "36 37 35 37 36 36 36 36 35 36"),
        ("writers", "143 146 142 146 144 145 144 143 141 143", "35 36 35 37 37 37 37 36 33 37"),
    ],
)
def test_digits_have_their_shapes_ranges_and_class_counts(split, train, test):
    digits = load_dataset("digits", split=split)
    for x, y, counts in (
        (digits.x_train, digits.y_train, train),
        (digits.x_test, digits.y_test, test),
    ):
        assert (x.dtype, y.dtype) == (np.float32, np.int64)
        assert x.shape == (len(y), 1, 8, 8)
        assert x.flags.c_contiguous
        assert x.flags.writeable
        assert (x.min(), x.max()) == (0, 1)
        assert set(np.unique(x * 16)) == set(range(17))
        assert " ".join(map(str, np.bincount(y))) == counts
    assert digits.class_names == tuple("0123456789")
    assert digits.name == "digits"


def rows_of(digits):
    """Each sample as bytes, to compare samples without their order."""
    x, y = np.concatenate([digits.x_train, digits.x_test]), [*digits.y_train, *digits.y_test]
    return sorted(image.tobytes() + bytes([label]) for image, label in zip(x, y, strict=True))


def test_train_and_test_of_digits_partition_the_1797_rows_in_both_splits():
    drawn, writers = load_dataset("digits"), load_dataset("digits", split="writers")
    assert len(rows_of(drawn)) == 1797
    assert rows_of(drawn) == rows_of(writers)
    test = np.loadtxt(REPOSITORY / "datasets/digits/test_rows.txt", dtype=int).ravel()
    assert len(set(test)) == 360
    assert list(test) == sorted(test)
    # The splits agree row by row with the order of the file, which "writers" keeps.
    images = np.concatenate([writers.x_train, writers.x_test])
    np.testing.assert_array_equal(drawn.x_test, images[test])
    np.testing.assert_array_equal(drawn.x_train, np.delete(images, test, axis=0))
    labels = np.concatenate([writers.y_train, writers.y_test])
    np.testing.assert_array_equal(drawn.y_test, labels[test])
    np.testing.assert_array_equal(drawn.y_train, np.delete(labels, test))


def test_the_rows_of_the_test_are_those_of_the_seeded_stratified_draw():
    writers = load_dataset("digits", split="writers")
    labels = np.concatenate([writers.y_train, writers.y_test])
    test = np.loadtxt(REPOSITORY / "datasets/digits/test_rows.txt", dtype=int).ravel()
    np.testing.assert_array_equal(stratified_split(labels, 360, rng=0)[1], test)


def test_digits_are_those_of_scikit_learn_and_made_again_byte_for_byte(tmp_path):
    sklearn = pytest.importorskip("sklearn", reason="the source of the digits is scikit-learn's")
    source = Path(sklearn.__file__).parent / "datasets/data/digits.csv.gz"
    table = np.loadtxt(source, delimiter=",")
    writers = load_dataset("digits", split="writers")
    images = np.concatenate([writers.x_train, writers.x_test])
    np.testing.assert_array_equal(images.reshape(-1, 64) * 16, table[:, :64])
    np.testing.assert_array_equal(np.concatenate([writers.y_train, writers.y_test]), table[:, 64])
    script = REPOSITORY / "datasets/make_digits.py"
    command = [sys.executable, str(script), str(source), "--out", str(tmp_path)]
    subprocess.run(command, check=True, env={"PYTHONPATH": str(REPOSITORY)})
    for path in tmp_path.iterdir():
        embedded = (REPOSITORY / "datasets/digits" / path.name).read_bytes()
        if path.suffix == ".gz":  # another zlib may compress the same content to other bytes
            assert gzip.decompress(path.read_bytes()) == gzip.decompress(embedded)
        else:
            assert path.read_bytes() == embedded
    assert len(list(tmp_path.iterdir())) == 3


def test_another_source_of_digits_is_refused(tmp_path):
    (tmp_path / "digits.csv.gz").write_bytes(gzip.compress(b"0,1\n"))
    script = REPOSITORY / "datasets/make_digits.py"
    command = [sys.executable, str(script), str(tmp_path / "digits.csv.gz"), "--out", str(tmp_path)]
    done = subprocess.run(
        command, capture_output=True, text=True, env={"PYTHONPATH": str(REPOSITORY)}, check=False
    )
    assert done.returncode == 2
    assert "SHA-256" in done.stderr
    assert len(list(tmp_path.iterdir())) == 1


def test_a_dataset_prints_its_shapes_and_cannot_be_reassigned():
    digits = load_dataset("digits")
    assert repr(digits) == (
        "Dataset('digits', x_train (1437, 1, 8, 8), y_train (1437,), "
        "x_test (360, 1, 8, 8), y_test (360,), 10 classes)"
    )
    with pytest.raises(dataclasses.FrozenInstanceError):
        digits.name = "other"


def test_two_loads_share_no_memory():
    first, second = load_dataset("digits"), load_dataset("digits")
    first.x_train[:] = -1
    assert second.x_train.min() == 0


def test_digits_load_from_a_checkout_that_is_not_installed(monkeypatch):
    # None in sys.modules makes the import fail, as where no package maps to datasets/.
    monkeypatch.setitem(sys.modules, "nnscratch._datasets", None)
    assert load_dataset("digits").x_test.shape == (360, 1, 8, 8)
    monkeypatch.setattr(digits, "__file__", "/nowhere/nnscratch/data/digits.py")
    with pytest.raises(FileNotFoundError):
        load_dataset("digits")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"name": "digit"},
            "unknown data set 'digit'; there is digits, mnist, .*, moons; .*'digits'?",
        ),
        ({"name": "Fashion_MNIST"}, "did you mean 'fashion-mnist'"),
        (
            {"name": "imagenet"},
            "there is digits, mnist, fashion-mnist, kmnist, cifar10, spirals, moons$",
        ),
        ({"name": None}, "unknown data set None"),
        ({"name": "digits", "split": "writer"}, "split of digits 'writer'; .* mean 'writers'"),
        ({"name": "fashion-mnist", "split": "writers"}, "split='writers'; leave split out"),
        ({"name": "moons", "split": "writers"}, "moons has one split only"),
    ],
)
def test_an_unknown_name_or_split_is_refused_with_those_there_are(arguments, message):
    with pytest.raises(ValueError, match=message):
        load_dataset(**arguments)


# --- fashion-mnist ---


def make_fashion_mnist(folder, suffix=""):
    """Write four small files of the right form: image i has label i and pixels of value 50 * i."""
    folder.mkdir(parents=True)
    for prefix, count in (("train", 6), ("t10k", 3)):
        rows = np.arange(count, dtype=np.uint8)
        images = np.broadcast_to(rows[:, None, None] * 50, (count, 28, 28))
        save_idx(folder / f"{prefix}-images-idx3-ubyte{suffix}", images)
        save_idx(folder / f"{prefix}-labels-idx1-ubyte{suffix}", rows)
    return folder


@needs_fashion_mnist
def test_fashion_mnist_of_the_system_is_loaded_whole():
    data = load_dataset("fashion-mnist", root=SYSTEM)
    assert data.x_train.shape == (60000, 1, 28, 28)
    assert data.x_test.shape == (10000, 1, 28, 28)
    assert np.bincount(data.y_train).tolist() == [6000] * 10
    assert np.bincount(data.y_test).tolist() == [1000] * 10
    assert (data.x_train.min(), data.x_train.max()) == (0, 1)
    assert data.x_train.flags.c_contiguous
    assert data.class_names[data.y_train[0]] == "Ankle boot"  # as in its README's first picture


@pytest.mark.parametrize("suffix", ["", ".gz"])
@pytest.mark.parametrize("subfolder", ["", "fashion-mnist"])
def test_root_is_the_folder_itself_or_holds_it(tmp_path, suffix, subfolder):
    make_fashion_mnist(tmp_path / "root" / subfolder, suffix)
    data = load_dataset("fashion-mnist", root=str(tmp_path / "root"))
    assert (data.x_train.dtype, data.y_train.dtype) == (np.float32, np.int64)
    assert data.x_train.pixels.dtype == np.uint8
    expected = np.arange(6, dtype=np.float32) * 50 / np.float32(255)
    np.testing.assert_array_equal(data.x_train[:, 0, 27, 27], expected)
    np.testing.assert_array_equal(data.y_test, [0, 1, 2])


@pytest.mark.parametrize(
    ("environment", "cache"),
    [
        ({"XDG_CACHE_HOME": "{}/xdg", "HOME": "{}/home"}, "xdg"),
        ({"XDG_CACHE_HOME": "", "HOME": "{}/home"}, "home/.cache"),
        ({"XDG_CACHE_HOME": "relative", "HOME": "{}/home"}, "home/.cache"),
    ],
)
def test_the_cache_comes_before_the_system(tmp_path, monkeypatch, environment, cache):
    for key, value in environment.items():
        monkeypatch.setenv(key, value.format(tmp_path))
    folder = make_fashion_mnist(tmp_path / cache / "nnscratch" / "fashion-mnist")
    assert len(load_dataset("fashion-mnist").x_train) == 6
    (folder / FILES[0]).unlink()  # an incomplete folder is passed over
    assert files.folders("fashion-mnist", None) == [folder, SYSTEM]
    if SYSTEM.is_dir():
        assert len(load_dataset("fashion-mnist").x_train) == 60000


def test_missing_files_are_named_with_the_folders_and_the_remedies(tmp_path):
    folder = make_fashion_mnist(tmp_path / "root")
    (folder / FILES[1]).unlink()
    (folder / FILES[3]).rename(folder / (FILES[3] + ".part"))
    with pytest.raises(FileNotFoundError) as caught:
        load_dataset("fashion-mnist", root=folder)
    message = str(caught.value)
    assert f"{folder / 'fashion-mnist'} (no such folder); " in message
    assert f"{folder} (lacks {FILES[1]}.gz, {FILES[3]}.gz). " in message
    for remedy in (
        "apt install dataset-fashion-mnist",
        f"into {folder / 'fashion-mnist'},",
        "root=",
    ):
        assert remedy in message
    assert "\n" not in message
    assert str(SYSTEM) not in message  # with a root, nowhere else is looked


def test_without_a_home_only_the_system_is_looked_at(monkeypatch):
    def no_home():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", no_home)
    assert files.folders("fashion-mnist", None) == [SYSTEM]


@pytest.mark.parametrize(
    ("file", "array", "message"),
    [
        (FILES[0], np.zeros((6, 28, 27), np.uint8), r"found uint8 of shape \(6, 28, 27\)"),
        (FILES[2], np.zeros((3, 784), np.uint8), r"shape \(samples, 28, 28\), found .*\(3, 784\)"),
        (FILES[0], np.zeros((6, 28, 28), np.int16), "expected uint8 images .* found int16"),
        (FILES[1], np.zeros((6, 1), np.uint8), r"labels .* found uint8 of shape \(6, 1\)"),
        (FILES[1], np.zeros(6, np.int8), "expected uint8 labels .* found int8"),
        (FILES[3], np.zeros(4, np.uint8), "expected 3 labels, .*t10k-images.* found 4; put"),
        (FILES[3], np.array([9, 0, 10], np.uint8), "labels 0 to 9, found 10 in row 2; put"),
    ],
)
def test_a_wrong_file_is_named_with_what_it_should_hold(tmp_path, file, array, message):
    folder = make_fashion_mnist(tmp_path / "root")
    save_idx(folder / file, array)
    with pytest.raises(ValueError, match=f"{file}: expected") as caught:
        load_dataset("fashion-mnist", root=folder)
    assert caught.match(message)


def test_of_two_sets_with_files_of_the_same_names_the_folder_of_the_name_counts(tmp_path):
    make_fashion_mnist(tmp_path / "root")
    folder = make_fashion_mnist(tmp_path / "root" / "kmnist")
    save_idx(folder / FILES[3], np.full(3, 7, np.uint8))
    assert load_dataset("kmnist", root=tmp_path / "root").y_test.tolist() == [7, 7, 7]
    assert load_dataset("mnist", root=tmp_path / "root").y_test.tolist() == [0, 1, 2]
