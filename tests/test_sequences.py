"""Characters as numbers, and the sequences that are drawn."""

import os

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnscratch.data import Text, addition, reversals, sines, text
from nnscratch.data.sequences import ADDITION


@given(st.text(min_size=2, max_size=60), st.integers(1, 8), st.integers(1, 8))
def test_windows_ask_for_each_next_character(content, length, step):
    found = Text(content)
    assert found.vocabulary == tuple(sorted(set(content)))
    assert found.decode(found.codes) == content
    assert found.decode(found.encode(content)) == content
    if length >= len(content):
        with pytest.raises(ValueError, match="windows expected"):
            found.windows(length, step)
        return
    x, y = found.windows(length, step)
    starts = range(0, len(content) - length, step)
    assert [found.decode(row) for row in x] == [content[s : s + length] for s in starts]
    assert [found.decode(row) for row in y] == [content[s + 1 : s + length + 1] for s in starts]


def test_one_hot_has_a_single_1_at_the_number():
    found = Text("banana")
    (codes, _), (rows, _) = found.windows(2), found.windows(2, one_hot=True)
    assert (rows.shape, rows.dtype) == ((2, 2, 3), np.float32)
    np.testing.assert_array_equal(rows.argmax(axis=-1), codes)
    np.testing.assert_array_equal(rows.sum(axis=-1), 1)


def test_without_a_path_there_are_twenty_sonnets():
    sonnets = text()
    poems = sonnets.content.strip().split("\n\n")
    assert [len(poem.splitlines()) for poem in poems] == [14] * 20
    assert "Shall I compare thee to a summer's day?" in sonnets.content
    assert repr(sonnets) == "Text of 12,300 characters, 59 different ones"


def test_a_text_of_ones_own(tmp_path):
    (tmp_path / "own.txt").write_text("zwölf Boxkämpfer", "utf-8")
    assert text(tmp_path / "own.txt").content == "zwölf Boxkämpfer"
    with pytest.raises(ValueError, match="the vocabulary has no 'q'"):
        text(tmp_path / "own.txt").encode("quer")


def test_what_is_no_text_is_refused(tmp_path):
    (tmp_path / "empty").write_text("")
    (tmp_path / "bytes").write_bytes(b"\xff\xfe")
    os.mkfifo(tmp_path / "pipe")
    with (tmp_path / "large").open("wb") as file:
        file.truncate(1 << 30)
    for name, message in (
        ("empty", "is empty"),
        ("bytes", "utf-8"),
        ("pipe", "no regular file"),
        ("large", "at most"),
    ):
        with pytest.raises(ValueError, match=message):
            text(tmp_path / name)
    with pytest.raises(FileNotFoundError):
        text(tmp_path / "none")


@given(st.integers(1, 20), st.integers(1, 17), st.integers(0, 99))
def test_sums_are_right(samples, digits, seed):
    x, y = addition(samples, digits, rng=seed)
    assert (x.shape, y.shape) == ((samples, 2 * digits + 2), (samples, digits + 1))
    for question, answer in zip(x, y, strict=True):
        words = "".join(ADDITION[code] for code in question)
        u, v = words.rstrip("=").split("+")
        assert int("".join(map(str, answer))) == int(u) + int(v)


def test_sequences_are_reversed():
    x, y = reversals(50, length=7, symbols=5, rng=0)
    np.testing.assert_array_equal(y, x[:, ::-1])
    assert set(x.ravel()) == set(range(5))


def test_sines_are_the_next_values_without_the_noise():
    clean, _ = sines(40, steps=30, noise=0, rng=3)
    x, y = sines(40, steps=30, noise=0.2, rng=3)
    np.testing.assert_array_equal(y[:, :-1], clean[:, 1:])
    assert abs((x - clean).std() - 0.2) < 0.02
    assert (x.dtype, x.shape, y.shape) == (np.float32, (40, 30, 1), (40, 30, 1))


@pytest.mark.parametrize("draw", [addition, reversals, sines])
def test_a_seed_repeats_a_draw_and_none_is_refused(draw):
    for first, second in zip(draw(5, rng=1), draw(5, rng=1), strict=True):
        np.testing.assert_array_equal(first, second)
    with pytest.raises(ValueError, match="at least 1, received 0"):
        draw(0)
