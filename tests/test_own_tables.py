"""Somebody's own tables and pictures as they come: what spreadsheets, pandas and cameras write."""

import numpy as np
import pytest
from PIL import Image

from nnscratch.data import load_dataset
from nnscratch.data.idx import save_idx
from tests.command_line import caller

ROWS = [("ab"[k % 2], k / 8, k % 5) for k in range(40)]


def written(path, lines, ending="\n"):
    path.write_text(ending.join(lines), encoding="utf-8")
    return path


def table(path, header="label,u,v", line="{},{:.3f},{}", ending="\n"):
    return written(path, [header, *(line.format(*row) for row in ROWS)], ending)


def features(data):
    return np.sort(np.concatenate([data.x_train, data.x_test])[:, 0])


def test_numbers_with_decimal_commas_are_read_between_semicolons_and_tabs(tmp_path):
    plain = load_dataset(table(tmp_path / "plain.csv"))
    for delimiter in ";\t":
        text = (tmp_path / "plain.csv").read_text().replace(",", delimiter).replace(".", ",")
        data = load_dataset(written(tmp_path / "own.csv", [text]))
        np.testing.assert_array_equal(data.x_train, plain.x_train)
        assert "commas are decimal: 0,000 is 0.000" in data.notes
    mixed = [f"{label};{u:.3f};1,234" for label, u, _ in ROWS]
    data = load_dataset(written(tmp_path / "own.csv", ["label;u;v", *mixed]))
    assert "skipped the columns without numbers: v" in data.notes  # it may be 1234


def test_the_line_that_excel_begins_with_says_what_parts_the_columns(tmp_path):
    path = table(tmp_path / "own.csv", "sep=;\nlabel;u,w;v", "{};{};{}", "\r\n")
    assert load_dataset(path).x_train.shape == (32, 2)


def test_the_column_in_which_pandas_numbers_the_rows_is_no_feature(tmp_path):
    for order in (range(40), np.random.default_rng(0).permutation(40)):
        lines = [f"{k},{','.join(map(str, ROWS[k]))}" for k in order]
        data = load_dataset(written(tmp_path / "own.csv", [",label,u,v", *lines]))
        assert data.x_train.shape == (32, 2)
        assert "skipped the column that numbers the rows: number 1" in data.notes
    lines = [f"{k % 7},{','.join(map(str, row))}" for k, row in enumerate(ROWS)]
    data = load_dataset(written(tmp_path / "own.csv", [",label,u,v", *lines]))
    assert data.x_train.shape == (32, 3)  # which numbers nothing


@pytest.mark.parametrize("cell", ["A/5", "", "nan"])
def test_a_column_with_few_numbers_is_left_out_instead_of_the_rows(tmp_path, cell):
    lines = [f"{a},{u},{v},{7 if k % 9 == 3 else cell}" for k, (a, u, v) in enumerate(ROWS)]
    data = load_dataset(written(tmp_path / "own.csv", ["label,u,v,ticket", *lines]))
    assert data.x_train.shape == (32, 2)
    assert "skipped the columns of which less than half are numbers: ticket" in data.notes


def test_the_column_for_which_most_rows_are_skipped_is_named(tmp_path):
    lines = [f"{a},{u},{'NA' if k % 5 == 0 else v}" for k, (a, u, v) in enumerate(ROWS)]
    data = load_dataset(written(tmp_path / "own.csv", ["label,u,v", *lines, ",1,1", "a,1"]))
    note = "skipped 10 rows in which a number or the label is missing, most often in the column v"
    assert note in data.notes


def test_rows_that_end_with_a_comma_are_whole(tmp_path):
    assert load_dataset(table(tmp_path / "own.csv", line="{},{},{},")).x_train.shape == (32, 2)
    with pytest.raises(ValueError, match="the first row has 3 columns, those below it 4; give"):
        load_dataset(table(tmp_path / "own.csv", line="1,{},{},{}"))


def test_labels_of_a_table_without_a_header_are_found_by_the_columns_number(tmp_path):
    path = written(tmp_path / "own.csv", [f"{u + 0.1},{v},{label}" for label, u, v in ROWS])
    with pytest.raises(ValueError, match=r"column 1 holds 0\.1, .* \(--label\), of 1, 2, 3"):
        load_dataset(path)
    data = load_dataset(path, label="3")
    assert (data.class_names, data.x_train.shape) == (("a", "b"), (32, 2))
    with pytest.raises(ValueError, match="a number counts columns from 1 on"):
        load_dataset(path, label="4")


def test_the_name_of_the_labels_column_may_be_in_capitals(tmp_path):
    path = table(tmp_path / "own.csv", "u,v,Label", "{1},{2},{0}")
    assert load_dataset(path).class_names == ("a", "b")


def save(path, y, x=None, **others):
    np.savez(path, x=np.ones((len(y), 2)) if x is None else x, y=y, **others)
    return path


def test_text_labels_are_numbered_by_the_names_of_the_classes(tmp_path):
    y = np.array(["cat", "dog"])[np.arange(20) % 2]
    names = np.array(["dog", "cat", "cow"])
    data = load_dataset(save(tmp_path / "own.npz", y, class_names=names))
    assert data.class_names == ("dog", "cat", "cow")
    assert set(data.y_train) == {0, 1}
    assert "no sample to train on is of cow" in data.notes
    with pytest.raises(ValueError, match="the label cat is none of its class names, dog, cow"):
        load_dataset(save(tmp_path / "own.npz", y, class_names=names[[0, 2]]))
    assert load_dataset(save(tmp_path / "own.npz", y.astype("S"))).class_names == ("cat", "dog")


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (np.eye(4)[np.arange(12) % 4] + np.eye(4)[0], "found shape"),
        (np.tri(12, 4), "sample 1 is of 2 of the 4 classes, and a row of labels has one 1"),
        (np.eye(12, 4), "sample 4 is of 0 of the 4 classes"),
        (np.r_[0, 1, np.nan, np.ones(9)], "nan for sample 2 to train on; leave it out"),
        (np.r_[0, 1, 2.5, np.ones(9)], "2.5 for sample 2 to train on; for a regression write"),
        (np.zeros(12, "M8[D]"), r"save them as text, y\.astype\(str\)"),
        (np.array(["a"] * 12, object), r"never read; save it as array\.astype\(str\)"),
        (np.array(["a"] * 12), "every label is a; two classes are needed"),
    ],
)
def test_labels_that_are_no_classes_say_what_to_do(tmp_path, y, message):
    with pytest.raises(ValueError, match=message.replace("found shape", "found labels of shape")):
        load_dataset(save(tmp_path / "own.npz", y))


def test_images_of_four_channels_may_have_them_last(tmp_path):
    x = np.random.default_rng(0).integers(0, 256, (10, 6, 5, 4), dtype=np.uint8)
    data = load_dataset(save(tmp_path / "own.npz", np.arange(10) % 2, x))
    assert data.x_train.shape == (8, 4, 6, 5)


def pictures(folder, count=5):
    for name, grey in (("cat", 10), ("dog", 200)):
        (folder / name).mkdir(parents=True)
        for k in range(count):
            Image.new("L", (8, 8), grey + k).save(folder / name / f"{k}.png")


def test_validation_pictures_are_the_test_where_there_is_no_other(tmp_path):
    pictures(tmp_path / "own" / "Train")
    data = load_dataset(tmp_path / "own")
    assert (len(data.y_train), data.class_names) == (8, ("cat", "dog"))
    pictures(tmp_path / "own" / "val", 3)
    data = load_dataset(tmp_path / "own")
    assert (len(data.y_train), len(data.y_test)) == (10, 6)
    assert "the test is the folder val" in data.notes
    pictures(tmp_path / "own" / "test", 2)
    data = load_dataset(tmp_path / "own")
    assert (len(data.y_test), "skipped the folder val" in data.notes) == (4, True)


def test_pictures_beside_the_folders_of_classes_are_told_of(tmp_path):
    Image.new("L", (8, 8)).save(tmp_path / "cat1.png")
    with pytest.raises(ValueError, match="its pictures lie in no folder of a class"):
        load_dataset(tmp_path)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_photographs_are_turned_upright_as_the_camera_was_held(tmp_path, orientation):
    from nnscratch.data.picture_files import open_picture, picture_size

    upright = np.zeros((16, 24), np.uint8)
    upright[:8, :8] = 255  # a white corner, at the top left
    stored = {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.T,
        6: np.rot90(upright),
        7: upright[::-1, ::-1].T,
        8: np.rot90(upright, -1),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / "photo.jpg"
    Image.fromarray(np.ascontiguousarray(stored)).save(path, exif=exif, quality=95)
    assert picture_size(path) == (16, 24)
    np.testing.assert_allclose(open_picture(path)[:, :, 0], upright / 255, atol=0.05)


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    return caller(capsys)


def large(path, scale=1e6):
    x = np.random.default_rng(0).normal(size=(90, 2)) * scale
    lines = [f"{'lr'[int(u < 0)]},{u:.8g},{v:.8g}" for u, v in x]
    return written(path, ["label,u,v", *lines])


@pytest.mark.parametrize("scale", [1e-6, 1e6, 1e30])
def test_features_of_any_size_train_by_default(run, tmp_path, scale):
    large(tmp_path / "own.csv", scale)
    status, out, _ = run("train", "--data", "own.csv", "--epochs", 20, "--out", "r")
    assert (status, float(out.split()[-1]) > 0.8) == (0, True)
    assert "a model that begins with Normalize(2) trains better on them" in out
    assert run("evaluate", "r")[1].split()[-1] == out.split()[-1]
    assert run("train", "--resume", "r", "--epochs", 21)[0] == 0


def test_a_run_knows_its_data_again(run, tmp_path):
    path = table(tmp_path / "own.csv")
    run("train", "--data", "own.csv", "--epochs", 1, "--out", "r")
    path.write_text(path.read_text().replace("b,", "zebra,"))
    for command in (("evaluate", "r"), ("report", "r"), ("train", "--resume", "r", "--epochs", 2)):
        status, _, err = run(*command)
        assert (status, err.count("\n")) == (1, 1)
        assert "has changed since this run: it had a b, and has a zebra now" in err


@pytest.mark.parametrize("dtype", ["i8", "f4"])
def test_images_stored_as_whole_numbers_up_to_255_are_bytes(tmp_path, dtype):
    x = np.random.default_rng(0).integers(0, 256, (10, 6, 5))
    data = load_dataset(save(tmp_path / "own.npz", np.arange(10) % 2, x.astype(dtype)))
    assert 0.9 < data.x_train.max() <= 1
    data = load_dataset(save(tmp_path / "own.npz", np.arange(10) % 2, (x // 16).astype(dtype)))
    assert data.x_train.max() == 15


def test_pictures_are_not_taken_for_samples_of_another_range(run, tmp_path):
    x = np.random.default_rng(0).uniform(0, 100, (20, 6, 5))
    save(tmp_path / "own.npz", np.arange(20) % 2, x)
    run("train", "--data", "own.npz", "--epochs", 1, "--out", "r")
    Image.new("L", (5, 6)).save(tmp_path / "a.png")
    status, _, err = run("predict", "r", "a.png")
    assert (status, "whose values are not from 0 to 1" in err) == (1, True)


def test_datasets_reads_the_column_that_is_named_and_refuses_what_does_nothing(run, tmp_path):
    table(tmp_path / "own.csv", "u,v,side", "{1},{2},{0}")
    status, out, _ = run("datasets", "own.csv", "--label", "side")
    assert (status, "2 classes: a, b" in out) == (0, True)
    assert run("datasets", "own.csv", "--root", ".")[0] == 2
    assert run("datasets", "digits", "--label", "side")[0] == 2


def idx(folder, name, images):
    labels = (np.arange(len(images)) % 2).astype(np.uint8)
    save_idx(folder / f"{name}-images-idx3-ubyte", images)
    save_idx(folder / f"{name}-labels-idx1-ubyte", labels)


def test_of_several_sets_of_idx_files_the_first_is_read_and_the_others_told_of(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (20, 6, 5), dtype=np.uint8)
    idx(tmp_path, "emnist-digits-train", images)
    save_idx(tmp_path / "emnist-digits-train-images-idx3-ubyte.gz", images)
    assert not any(note.startswith("read") for note in load_dataset(tmp_path).notes)
    idx(tmp_path, "emnist-letters-train", images[:12])
    data = load_dataset(tmp_path)
    assert len(data.y_train) + len(data.y_test) == 20
    told = "read emnist-digits-train-images-idx3-ubyte and its kin; skipped 2 IDX files of other"
    assert data.notes[0].startswith(told)


def test_idx_images_in_colour_may_have_their_channels_last(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (20, 6, 5, 3), dtype=np.uint8)
    idx(tmp_path, "train", images)
    data = load_dataset(tmp_path)
    assert data.x_train.shape == (16, 3, 6, 5)
    every = np.concatenate([data.x_train.pixels, data.x_test.pixels])
    assert sorted(x.tobytes() for x in every) == sorted(
        x.transpose(2, 0, 1).tobytes() for x in images
    )
