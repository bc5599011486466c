"""Somebody's own files as a data set: npz, CSV, IDX, pictures; and what is wrong with them."""

import os

import numpy as np
import pytest
from PIL import Image

import nnscratch as nn
from nnscratch.data import Images, load_dataset
from nnscratch.data.idx import save_idx
from tests.command_line import caller

RNG = np.random.default_rng(0)


def parts(data):
    return data.x_train, data.y_train, data.x_test, data.y_test


def test_an_npz_with_four_arrays_is_taken_as_it_is(tmp_path):
    arrays = {
        "x_train": RNG.normal(size=(6, 5)),
        "y_train": np.array([0, 1, 2, 0, 1, 2]),
        "x_test": RNG.normal(size=(2, 5)),
        "y_test": np.array([2, 0]),
    }
    np.savez(tmp_path / "own.npz", **arrays, rest=np.ones(3))
    data = load_dataset(tmp_path / "own.npz")
    for found, name in zip(parts(data), arrays, strict=True):
        np.testing.assert_array_equal(found, arrays[name].astype(found.dtype))
    assert (data.x_train.dtype, data.y_train.dtype) == (np.float32, np.int64)
    assert (data.name, data.class_names) == ("own.npz", ("0", "1", "2"))
    assert data.notes == ("skipped the array rest", "3 classes: 0, 1, 2")


@pytest.mark.parametrize("shape", [(9, 7), (9, 7, 3), (3, 9, 7)])
def test_bytes_of_three_axes_or_more_are_images_channels_first_or_last(tmp_path, shape):
    x = RNG.integers(0, 256, (10, *shape), dtype=np.uint8)
    np.savez_compressed(tmp_path / "own.npz", x=x, y=np.arange(10) % 2, class_names=["no", "yes"])
    data = load_dataset(str(tmp_path / "own.npz"))
    assert isinstance(data.x_train, Images)
    first = x[:, None] if len(shape) == 2 else x if shape[0] == 3 else x.transpose(0, 3, 1, 2)
    every = np.concatenate([data.x_train, data.x_test])
    assert every.shape == first.shape
    key = sorted(image.tobytes() for image in (first.astype(np.float32) / np.float32(255)))
    assert sorted(image.tobytes() for image in every) == key
    assert data.class_names == ("no", "yes")


def test_a_fifth_is_the_test_drawn_from_each_class_and_always_the_same(tmp_path):
    labels = np.repeat([0, 1], [80, 20])
    np.savez(tmp_path / "own.npz", x=np.arange(100.0), y=labels)
    first, second = (load_dataset(tmp_path / "own.npz") for _ in range(2))
    assert np.bincount(first.y_test).tolist() == [16, 4]
    np.testing.assert_array_equal(first.x_test, second.x_test)
    every = np.concatenate([first.x_train, first.x_test]).ravel()
    assert sorted(every) == list(range(100))
    assert "the test is a fifth, 20 of 100 samples" in first.notes[0]


@pytest.mark.parametrize(
    ("labels", "names", "numbers"),
    [
        ([[1, 0, 0], [0, 0, 1], [0, 1, 0]], ("0", "1", "2"), [0, 2, 1]),
        ([5.0, 7.0, 5.0], ("5", "7"), [0, 1, 0]),
        (["cat", "dog", "cat"], ("cat", "dog"), [0, 1, 0]),
        ([[1], [0], [1]], ("0", "1"), [1, 0, 1]),
        ([True, False, True], ("0", "1"), [1, 0, 1]),
    ],
)
def test_labels_of_any_kind_become_numbers_from_0_on(tmp_path, labels, names, numbers):
    x = np.ones((3, 2))
    np.savez(tmp_path / "own.npz", x_train=x, y_train=labels, x_test=x, y_test=labels)
    data = load_dataset(tmp_path / "own.npz")
    assert (data.class_names, data.y_test.tolist()) == (names, numbers)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"y_train": None}, "lacks y_train and has x_test, x_train, y_test"),
        ({"y_train": np.zeros(5)}, "one label for each of the 6 samples to train on"),
        ({"y_train": np.linspace(0, 1, 6)}, "whole numbers or text, found float64"),
        ({"x_train": np.full((6, 5), np.nan)}, "sample 0 to train on holds NaN or infinity"),
        ({"x_test": np.ones((2, 4))}, "of shape (5,), those to test on (4,)"),
        ({"x_train": np.array(["a"] * 6)}, "holds <U1 of shape (6,)"),
        ({"x_train": np.ones((6, 5), complex)}, "holds complex128"),
        ({"y_train": np.zeros(6, int), "y_test": np.zeros(2, int)}, "every label is"),
        ({"class_names": ["a"]}, "expected labels 0 to 0, one for each of its class names"),
        ({"class_names": [1, 2]}, "class_names as one axis of text"),
        ({"x_train": np.ones((0, 5)), "y_train": np.zeros(0, int)}, "no sample to train on"),
    ],
)
def test_an_npz_that_does_not_fit_says_what_and_where(tmp_path, changed, message):
    arrays = {
        "x_train": np.ones((6, 5)),
        "y_train": np.arange(6) % 2,
        "x_test": np.ones((2, 5)),
        "y_test": np.arange(2),
    }
    arrays = {name: array for name, array in {**arrays, **changed}.items() if array is not None}
    np.savez(tmp_path / "own.npz", **arrays)
    with pytest.raises(ValueError, match=r"own\.npz") as caught:
        load_dataset(tmp_path / "own.npz")
    assert message in str(caught.value)


def csv(path, text, encoding="utf-8"):
    path.write_text(text, encoding=encoding)
    return path


ROWS = [(f"{k % 3}", f"{k}", f"{k / 8}") for k in range(30)]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_the_column_named_label_is_found_anywhere(tmp_path, separator, place, encoding):
    lines = [["u", "v"], *([u, v] for _, u, v in ROWS)]
    for line, label in zip(lines, ["label", *(row[0] for row in ROWS)], strict=True):
        line.insert(place, label)
    text = "\r\n".join(separator.join(line) for line in lines)
    data = load_dataset(csv(tmp_path / "own.csv", text, encoding))
    assert (data.x_train.shape, data.x_test.shape) == ((24, 2), (6, 2))
    for x, y in zip(data.x_train, data.y_train, strict=True):
        assert y == x[0] % 3
        assert x[1] == x[0] / 8
    assert data.notes[0] == "labels from the column label, 2 features"


def test_without_a_header_the_first_column_has_the_labels(tmp_path):
    text = "\n".join(",".join(row) for row in ROWS)
    data = load_dataset(csv(tmp_path / "own.csv", text))
    assert len(data.y_train) + len(data.y_test) == 30
    assert data.x_train.shape[1] == 2


def test_another_column_can_be_named(tmp_path):
    text = "size,kind,colour\n" + "\n".join(f"{k},{'ab'[k % 2]},red" for k in range(20))
    data = load_dataset(csv(tmp_path / "own.csv", text), label="kind")
    assert data.class_names == ("a", "b")
    assert "skipped the columns without numbers: colour" in data.notes
    with pytest.raises(ValueError, match="no column is named 'weight'; the first row is size"):
        load_dataset(tmp_path / "own.csv", label="weight")


def test_rows_that_lack_something_are_skipped_and_counted(tmp_path):
    good = [f"{'xy'[k % 2]},{k},{k * k}" for k in range(20)]
    bad = ["x,1", "x,1,2,3", ",1,2", "x,,2", "x,nan,2", "x,one,2", "x,inf,2", "x,1e99,1"]
    text = "label,u,v\n" + "\n".join([*good[:7], *bad, *good[7:]])
    data = load_dataset(csv(tmp_path / "own.csv", text))
    assert len(data.y_train) + len(data.y_test) == 20
    missing = f"skipped {len(bad)} rows in which a number or the label is missing"
    assert any(note.startswith(missing) for note in data.notes)
    assert any(note.startswith("features reach 3") for note in data.notes)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "two columns or more"),
        (b"one\n2\n3\n", "two columns or more"),
        (b"label,u\n\xff\xfe,1\n0,2\n", "expected text in UTF-8"),
        (b"label,word\na,b\nb,c\n", "no column but the labels' holds numbers"),
        (b"label,u\n" + b"".join(b"%d.5,1\n" % k for k in range(50)), "which is no class"),
        (b"label,u\n" + b"".join(b"%d,1\n" % k for k in range(50)), "50 different labels for 50"),
        (b"label,u\n0," + b"1" * 200_000 + b"\n1,2\n", "expected a CSV file"),
        (b"label,u\n0,1\0\n1,2\n", "1 samples are too few"),
        (b"label,u\n" + b"1" * (1 << 25), "a line of more than 16 MB"),
    ],
)
def test_a_csv_that_is_no_data_set_is_refused(tmp_path, content, message):
    (tmp_path / "own.csv").write_bytes(content)
    with pytest.raises(ValueError, match=message):
        load_dataset(tmp_path / "own.csv")


def test_a_folder_of_idx_files_with_or_without_a_test(tmp_path):
    images = RNG.integers(0, 256, (20, 6, 5), dtype=np.uint8)
    save_idx(tmp_path / "my-images-idx3-ubyte", images)
    save_idx(tmp_path / "my-labels-idx1-ubyte.gz", np.arange(20, dtype=np.uint8) % 4)
    data = load_dataset(tmp_path)
    assert (data.x_train.shape, data.x_test.shape) == ((16, 1, 6, 5), (4, 1, 6, 5))
    save_idx(tmp_path / "t10k-images-idx3-ubyte", images[:3])
    with pytest.raises(ValueError, match="lacks the IDX file of the labels to test on"):
        load_dataset(tmp_path)
    save_idx(tmp_path / "t10k-labels-idx1-ubyte", np.arange(3, dtype=np.uint8))
    data = load_dataset(tmp_path)
    assert (len(data.y_train), len(data.y_test)) == (20, 3)
    np.testing.assert_array_equal(data.x_train.pixels[:, 0], images)


def photos(folder, classes=("cat", "dog"), count=6, size=(8, 8), mode="RGB"):
    for number, name in enumerate(classes):
        (folder / name).mkdir(parents=True)
        for k in range(count):
            colour = (200 * number + k, 90, 10) if mode == "RGB" else 200 * number + k
            Image.new(mode, size[::-1], colour).save(folder / name / f"{k}.png")
    return folder


def test_a_folder_of_pictures_for_each_class(tmp_path):
    photos(tmp_path / "pets", count=5)
    (tmp_path / "pets" / "cat" / "._0.png").write_bytes(b"what macOS leaves")
    (tmp_path / "pets" / "cat" / "notes.txt").write_text("no picture")
    (tmp_path / "pets" / "dog" / "broken.jpg").write_bytes(b"no picture")
    (tmp_path / "pets" / ".hidden").mkdir()
    data = load_dataset(tmp_path / "pets")
    assert data.class_names == ("cat", "dog")
    assert (data.x_train.shape, data.x_test.shape) == ((8, 3, 8, 8), (2, 3, 8, 8))
    reds = np.asarray(data.x_train)[:, 0, 0, 0] * 255
    np.testing.assert_array_equal(np.round(reds) // 100, 2 * data.y_train)
    skipped = [note for note in data.notes if note.startswith("skipped")]
    assert len(skipped) == 1
    assert skipped[0].startswith("skipped 2 files, the first is ")


def test_pictures_that_are_all_grey_have_one_channel_and_parts_are_kept(tmp_path):
    photos(tmp_path / "own" / "train", mode="L", count=4)
    photos(tmp_path / "own" / "test", mode="L", count=2)
    data = load_dataset(tmp_path / "own")
    assert (data.x_train.shape, data.x_test.shape) == ((8, 1, 8, 8), (4, 1, 8, 8))
    assert data.y_test.tolist() == [0, 0, 1, 1]


def test_pictures_of_several_or_large_sizes_are_brought_to_one(tmp_path):
    photos(tmp_path / "own", count=5, size=(100, 200))
    Image.new("RGB", (50, 50)).save(tmp_path / "own" / "cat" / "small.png")
    data = load_dataset(tmp_path / "own")
    assert data.x_train.shape[1:] == (3, 32, 64)
    assert "10 of 11 pictures are 100 x 200; all are brought to 32 x 64" in data.notes


def test_a_picture_in_its_own_data_sets_size_is_predicted_as_it_was_trained(tmp_path):
    from nnscratch.commands.settings import Config
    from nnscratch.data.pictures import read_picture

    photos(tmp_path / "own", count=5, size=(7, 9))
    data = load_dataset(tmp_path / "own")
    config = Config(data=str(tmp_path / "own")).of(data)
    seen = read_picture(tmp_path / "own" / "cat" / "0.png", config.source)
    every = np.concatenate([data.x_train, data.x_test])
    assert any(np.allclose(seen, image, atol=1e-7) for image in every)


@pytest.mark.parametrize("name", ["none.npz", "none", "no/folder", "x.docx"])
def test_what_is_not_there_or_of_no_kind_is_refused(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.docx").write_text("")
    with pytest.raises((FileNotFoundError, ValueError), match=f"{name}"):
        load_dataset(name)
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="holds no pictures in folders; expected an"):
        load_dataset("empty")


def test_a_name_of_a_data_set_is_no_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    photos(tmp_path / "moons")
    assert load_dataset("moons").x_train.shape == (400, 2)
    assert load_dataset("./moons").x_train.shape[1:] == (3, 8, 8)


def test_what_names_a_stranger_gave_is_escaped(tmp_path):
    photos(tmp_path / "own", classes=("a\x1b[31m", "b"))
    data = load_dataset(tmp_path / "own")
    assert data.class_names[0] == "a\\x1b[31m"
    assert "".join(data.notes).isprintable()


def test_pipes_and_links_to_nowhere_are_skipped(tmp_path):
    photos(tmp_path / "own")
    os.mkfifo(tmp_path / "own" / "cat" / "pipe.png")
    (tmp_path / "own" / "cat" / "link.png").symlink_to(tmp_path / "nowhere")
    assert len(load_dataset(tmp_path / "own").y_train) == 10


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    return caller(capsys)


def test_train_evaluate_and_predict_on_ones_own_pictures(run, tmp_path):
    photos(tmp_path / "my pets", count=10)
    status, out, _ = run("train", "--data", "my pets", "--epochs", 3)
    assert status == 0
    assert "2 classes: cat, dog" in out
    assert "the test is a fifth, 4 of 20 samples" in out
    accuracy = out.splitlines()[-1]
    folder = "runs/my_pets-mlp-1"
    assert (tmp_path / folder / "config.json").exists()
    assert run("evaluate", folder)[1].endswith(accuracy + "\n")
    (tmp_path / "my pets").rename(tmp_path / "moved")
    status, out, _ = run("predict", folder, "moved/cat/0.png", "moved/dog/1.png")
    assert status == 0
    assert [line.split()[1] for line in out.splitlines()] == ["cat:", "dog:"]
    status, _, err = run("evaluate", folder)
    assert (status, err.count("\n")) == (1, 1)
    assert "there is no file or folder" in err


def test_train_on_a_csv_with_a_named_column(run, tmp_path):
    x = RNG.normal(size=(60, 2))
    lines = [f"{u:.3f},{v:.3f},{'left' if u < 0 else 'right'}" for u, v in x]
    csv(tmp_path / "points.csv", "\n".join(["u,v,side", *lines]))
    status, out, _ = run("train", "--data", "points.csv", "--label", "side", "--out", "r")
    assert status == 0
    assert float(out.split()[-1]) > 0.8
    assert "2 classes: left, right" in out
    status, _, err = run("train", "--data", "digits", "--label", "side")
    assert "label is for a CSV file" in err
    assert status == 1


def test_datasets_describes_ones_own(run, tmp_path):
    photos(tmp_path / "pets")
    status, out, _ = run("datasets", "pets")
    assert status == 0
    assert "samples of shape (3, 8, 8)" in out
    assert "2 classes: cat, dog" in out


def test_ones_own_data_train_a_model(tmp_path):
    np.savez(tmp_path / "own.npz", x=RNG.normal(size=(50, 3)), y=np.arange(50) % 2)
    data = load_dataset(tmp_path / "own.npz")
    model = nn.mlp([3, 8, 2], rng=0)
    trainer = nn.Trainer(model, nn.SoftmaxCrossEntropy(), nn.SGD(model), progress=False)
    assert len(trainer.fit(data.x_train, data.y_train, epochs=2, rng=0)) == 2
