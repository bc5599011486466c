"""Files of strangers, damaged in many ways: python -m tests.damaged_files prints the count."""

import os

import numpy as np
import pytest

import nnscratch as nn
from nnscratch.data import text
from tests.damaged_files.kinds import kinds
from tests.damaged_files.study import study

KINDS = {kind.name: kind for kind in kinds()}


@pytest.mark.parametrize("name", KINDS)
def test_a_damaged_file_is_read_or_refused_by_what_a_terminal_can_show(name, tmp_path):
    counts, _ = study(KINDS[name], 60, tmp_path)
    assert not [what for what in counts if what.startswith("!")]
    assert counts.total() == 60


@pytest.mark.slow
@pytest.mark.parametrize("name", KINDS)
def test_a_file_damaged_in_a_thousand_ways_is_answered_within_two_seconds(name, tmp_path):
    counts, slowest = study(KINDS[name], 1000, tmp_path, seed=2)
    assert not [what for what in counts if what.startswith("!")]
    assert slowest < 2


def test_a_text_in_another_encoding_is_refused_with_the_byte_and_the_remedy(tmp_path):
    (tmp_path / "words.txt").write_bytes("grüße".encode("latin-1"))
    with pytest.raises(ValueError, match=r"words.txt' is no text: its byte 2, 0xfc, is not utf-8"):
        text(tmp_path / "words.txt")


def test_numbers_that_float32_cannot_hold_are_refused_with_their_sample(tmp_path):
    np.savez(tmp_path / "own.npz", x=np.array([[1.0], [1e300]]), y=np.array([0, 1]))
    with pytest.raises(ValueError, match="sample 1 to train on holds NaN or infinity"):
        nn.load_dataset(tmp_path / "own.npz")
    np.savez(tmp_path / "own.npz", x=np.array([[1.0], [2.0]]), y=np.array([0, 1e300]))
    with pytest.raises(ValueError, match="labels are whole numbers or text"):
        nn.load_dataset(tmp_path / "own.npz")


def test_a_history_is_no_pipe_and_not_larger_than_any_run_writes(tmp_path):
    os.mkfifo(tmp_path / "history.csv")
    with pytest.raises(ValueError, match="is no regular file"):
        nn.History.from_csv(tmp_path / "history.csv")
    with (tmp_path / "large.csv").open("wb") as file:
        file.truncate(1 << 30)
    with pytest.raises(ValueError, match="which no history has"):
        nn.History.from_csv(tmp_path / "large.csv")


def test_a_number_is_no_path_though_it_may_be_an_open_file_of_this_process():
    for wrong in (1, True, np.int64(2)):
        with pytest.raises((TypeError, ValueError), match="path"):
            nn.History.from_csv(wrong)
    os.fstat(1)


def test_the_picture_of_a_webp_is_no_larger_than_its_decoder_has_memory_for(tmp_path):
    image = pytest.importorskip("PIL.Image")
    image.new("L", (8000, 4000)).save(tmp_path / "large.png")
    image.new("RGB", (8000, 4000)).save(tmp_path / "large.webp", quality=0, method=0)
    from nnscratch.data.picture_files import open_picture, picture_size

    assert picture_size(tmp_path / "large.png") == (4000, 8000)
    with pytest.raises(ValueError, match="8000 x 4000 pixels, too many"):
        open_picture(tmp_path / "large.webp")


def test_words_of_a_strangers_header_are_shown_escaped(tmp_path):
    pytest.importorskip("safetensors")
    header = b'{"W": {"dtype": "F\\u001b[31m", "shape": [1], "data_offsets": [0, 4]}}'
    path = tmp_path / "model.safetensors"
    path.write_bytes(len(header).to_bytes(8, "little") + header + bytes(4))
    with pytest.raises(ValueError, match=r"damaged or no \.safetensors") as error:
        nn.load(nn.Linear(1, 1), path)
    assert str(error.value).isprintable()
    assert r"\x1b[31m" in str(error.value)
