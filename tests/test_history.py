"""The history of a run: columns of one float per epoch, and its file, read as it was written."""

import math
import struct
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnscratch.training.history import COLUMNS, History


def history_of(epochs=3, columns=("train_loss", "learning_rate")):
    history = History()
    for epoch in range(epochs):
        history.append(**{name: 0.1 * epoch + i for i, name in enumerate(columns)})
    return history


def bits(values):
    return [struct.pack("<d", value) for value in values]


histories = st.lists(st.sampled_from(COLUMNS), unique=True, min_size=1).flatmap(
    lambda names: st.lists(st.fixed_dictionaries({n: st.floats() for n in names}), max_size=5)
)


def test_the_columns_are_a_frame_of_pandas():
    pandas = pytest.importorskip("pandas")
    history = History()
    history.append(train_loss=0.5, train_accuracy=0.25)
    history.append(train_loss=0.25, train_accuracy=1)
    frame = history.to_frame()
    assert isinstance(frame, pandas.DataFrame)
    assert frame.index.tolist() == [1, 2]
    assert frame.index.name == "epoch"
    assert frame.to_dict("list") == {"train_loss": [0.5, 0.25], "train_accuracy": [0.25, 1.0]}
    assert History().to_frame().empty


def test_without_pandas_a_frame_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ModuleNotFoundError, match="pip install pandas"):
        History().to_frame()


def test_columns_are_plain_lists_with_one_float_per_epoch():
    history = History()
    history.append(train_loss=np.float32(0.5), train_accuracy=1)
    history.append(train_loss=np.array(0.25), train_accuracy=np.int64(0))
    assert history["train_loss"] == [0.5, 0.25]
    assert history["train_accuracy"] == [1.0, 0.0]
    assert len(history) == 2
    for name in history:
        assert type(history[name]) is list
        assert {type(value) for value in history[name]} == {float}


def test_columns_come_in_one_order_whatever_the_order_of_the_arguments():
    history = History()
    history.append(**dict.fromkeys(reversed(COLUMNS), 1.0))
    assert list(history) == list(history.keys()) == list(dict(history.items())) == list(COLUMNS)


def test_what_was_not_recorded_has_no_column():
    history = history_of(columns=("train_loss", "seconds"))
    assert list(history) == ["train_loss", "seconds"]
    assert "seconds" in history
    assert "valid_loss" not in history
    with pytest.raises(KeyError, match=r"valid_loss.*train_loss, seconds"):
        history["valid_loss"]


def test_an_empty_history_has_no_columns_and_no_epochs():
    history = History()
    assert len(history) == 0
    assert list(history.items()) == []
    assert history.stopped == ""
    with pytest.raises(KeyError, match="no epoch was recorded"):
        history["train_loss"]


def test_a_list_handed_out_is_a_copy():
    history = history_of(2)
    history["train_loss"].append(7.0)
    dict(history.items())["train_loss"].clear()
    assert history == history_of(2)


@pytest.mark.parametrize(
    "values, message",
    [
        ({"train_loss": 1.0}, "missing learning_rate"),
        ({"train_loss": 1.0, "learning_rate": 1.0, "seconds": 1.0}, "received also seconds"),
        ({"train_loss": 1.0, "seconds": 1.0}, "received also seconds; missing learning_rate"),
        ({"train_loss": 1.0, "learning_rate": 1.0, "loss": 1.0}, "no column loss; known are"),
        ({"train_loss": 1.0, "learning_rate": None}, "learning_rate must be a number.*None"),
        ({"train_loss": 1.0, "learning_rate": "fast"}, "learning_rate must be a number.*fast"),
        ({"train_loss": 1.0, "learning_rate": np.ones(2)}, "learning_rate must be a number"),
        ({}, "at least one value"),
    ],
)
def test_a_refused_epoch_leaves_nothing_behind(values, message):
    history = history_of(2)
    with pytest.raises(ValueError, match=message):
        history.append(**values)
    assert history == history_of(2)
    assert {len(column) for _, column in history.items()} == {2}


@pytest.mark.parametrize("values", [{"loss": 1.0}, {"train_loss": 1.0, "seconds": None}, {}])
def test_a_refused_first_epoch_fixes_no_columns(values):
    history = History()
    with pytest.raises(ValueError):
        history.append(**values)
    assert list(history) == []
    history.append(valid_loss=1.0)
    assert list(history) == ["valid_loss"]


def test_equality_is_that_of_columns_and_values():
    assert history_of(3) == history_of(3)
    assert history_of(3) != history_of(2)
    assert history_of(3) != history_of(3, ("train_loss", "seconds"))
    assert history_of(3) != history_of(3, ("train_loss",))
    other = history_of(2)
    other.append(train_loss=0.2, learning_rate=1.3)
    assert history_of(3) != other
    assert history_of(3) != [1.0]
    assert History() == History()


def test_nan_equals_nan_and_the_ending_does_not_count():
    one, other = History(), History()
    one.append(train_loss=math.nan)
    other.append(train_loss=np.float32("nan"))
    one.stopped = "interrupted"
    assert one == other
    other.append(train_loss=1.0)
    assert one != other


def test_the_repr_shows_the_last_epochs_and_the_ending():
    history = history_of(7)
    history.stopped = "early stopping"
    lines = repr(history).splitlines()
    assert lines[0] == "History of 7 epochs (early stopping), the last 5"
    assert lines[1].split() == ["epoch", "train_loss", "learning_rate"]
    assert [line.split()[0] for line in lines[2:]] == ["3", "4", "5", "6", "7"]
    assert lines[-1].split() == ["7", "0.6", "1.6"]
    assert len({len(line) for line in lines[1:]}) == 1
    assert repr(History()) == "History of 0 epochs"
    assert repr(history_of(1)).startswith("History of 1 epoch\n")


@given(histories)
def test_a_csv_file_gives_the_same_floats_bit_for_bit(tmp_path_factory, epochs):
    history = History()
    for values in epochs:
        history.append(**values)
    path = tmp_path_factory.getbasetemp() / "bits.csv"
    history.to_csv(path)
    again = History.from_csv(path)
    assert again == history
    assert list(again) == list(history)
    assert [bits(again[name]) for name in again] == [bits(history[name]) for name in history]


def test_a_nan_of_the_other_sign_is_the_same_after_reading(tmp_path):
    history = History()
    history.append(train_loss=-math.nan)
    history.to_csv(tmp_path / "h.csv")
    again = History.from_csv(tmp_path / "h.csv")
    assert bits(again["train_loss"]) == bits(history["train_loss"])


def test_the_file_counts_epochs_from_one(tmp_path):
    history = History()
    history.append(train_loss=0.1, seconds=math.inf)
    history.append(train_loss=1e-300, seconds=math.nan)
    history.to_csv(str(tmp_path / "h.csv"))
    expected = b"epoch,train_loss,seconds\n1,0.1,inf\n2,1e-300,nan\n"
    assert (tmp_path / "h.csv").read_bytes() == expected


def test_an_empty_history_survives_its_file(tmp_path):
    History().to_csv(tmp_path / "h.csv")
    assert (tmp_path / "h.csv").read_bytes() == b"epoch\n"
    assert History.from_csv(tmp_path / "h.csv") == History()


def test_a_spreadsheet_may_have_saved_the_file(tmp_path):
    path = tmp_path / "h.csv"
    path.write_bytes(b'\xef\xbb\xbf"epoch",train_loss\r\n1,"0.5"\r\n')
    assert History.from_csv(path)["train_loss"] == [0.5]


@pytest.mark.parametrize(
    "data, line, message",
    [
        (b"", 1, "header"),
        (b"name,age\nAda,36\n", 1, "header"),
        (b"train_loss\n0.5\n", 1, "header"),
        (b"epoch,loss\n1,0.5\n", 1, "header"),
        (b"epoch,train_loss,train_loss\n1,0.5,0.5\n", 1, "twice"),
        (b"epoch,train_loss\n", 1, "no epochs"),
        (b"epoch\n1\n", 2, "at least one value"),
        (b"epoch,train_loss\n1,0.5\n2\n", 3, "expected 2 fields, found 1"),
        (b"epoch,train_loss\n1,0.5,0.5\n", 2, "expected 2 fields, found 3"),
        (b"epoch,train_loss\n1,0.5\n\n2,0.5\n", 3, "expected 2 fields, found 0"),
        (b"epoch,train_loss\n1,0.5\n3,0.5\n", 3, "expected epoch 2, found '3'"),
        (b"epoch,train_loss\n0,0.5\n", 2, "expected epoch 1, found '0'"),
        (b"epoch,train_loss\n1,high\n", 2, "high"),
        (b"epoch,train_loss\n1,\n", 2, "float"),
        (b"epoch,train_loss\n1,0.5\n2,0.2", 3, "cut short"),
        (b"epoch,train_loss\n1,0.5\n2,\xff\n", 3, "utf-8"),
        (b'epoch,train_loss\n1,"0.5', 2, "unexpected end"),
        (b"PK\x03\x04\x00\x00\x93NUMPY\n", 1, "utf-8"),
    ],
)
def test_a_foreign_or_damaged_file_is_an_error_with_path_and_line(tmp_path, data, line, message):
    path = tmp_path / "h.csv"
    path.write_bytes(data)
    with pytest.raises(ValueError, match=message) as caught:
        History.from_csv(path)
    assert f"{path}, line {line}: " in str(caught.value)


def test_a_missing_file_is_file_not_found(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"h\.csv"):
        History.from_csv(tmp_path / "h.csv")


def test_a_write_that_fails_keeps_the_file_before(tmp_path, monkeypatch):
    path = tmp_path / "h.csv"
    history_of(2).to_csv(path)

    def fail(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(OSError, match="No space"):
        history_of(3).to_csv(path)
    assert History.from_csv(path) == history_of(2)
    assert [file.name for file in tmp_path.iterdir()] == ["h.csv"]


def test_plot_returns_the_figure_and_saves_it_where_a_path_is_given(tmp_path):
    history = history_of(3)
    figure = history.plot(tmp_path / "loss.png", log=True, title="a title")
    assert figure.axes[0].get_yscale() == "log"
    assert figure.get_suptitle() == "a title"
    assert (tmp_path / "loss.png").read_bytes().startswith(b"\x89PNG")
    history.plot()
    assert [file.name for file in tmp_path.iterdir()] == ["loss.png"]


def test_importing_history_loads_neither_matplotlib_nor_scipy():
    code = (
        "import sys, nnscratch.training.history; print({'matplotlib', 'scipy'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
