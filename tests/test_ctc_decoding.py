"""Decoding of CTC's scores, beside the sums over all paths."""

import numpy as np
import pytest

import nnscratch as nn
from tests.test_ctc import probabilities, spelled


@pytest.mark.parametrize("blank", [0, 3])
def test_the_best_path_is_the_largest_score_of_each_frame(blank):
    rng = np.random.default_rng(blank)
    scores = np.repeat(rng.normal(size=(5, 8, 4)), 2, axis=1)  # with repetitions
    lengths = np.array([16, 15, 7, 1, 0])
    expected = [
        list(spelled(rows[:length].argmax(1).tolist(), blank))
        for rows, length in zip(scores, lengths, strict=True)
    ]
    found = nn.ctc_decode(scores, lengths, blank=blank)
    assert found == expected
    assert all(type(label) is int for row in found for label in row)


@pytest.mark.parametrize("blank", [0, 2])
def test_a_wide_beam_finds_the_most_probable_labels(blank):
    rng = np.random.default_rng(blank)
    paths_differ = 0
    for _ in range(40):
        scores = rng.normal(size=(5, 3))
        sums = probabilities(scores, blank)
        best = list(max(sums, key=sums.get))
        batch = scores[np.newaxis]
        assert nn.ctc_decode(batch, beam=500, blank=blank) == [best]
        paths_differ += nn.ctc_decode(batch, blank=blank) != [best]
    assert paths_differ > 5


def test_what_a_wider_beam_finds_is_no_less_probable():
    scores = 0.5 * np.random.default_rng(0).normal(size=(6, 30, 5))
    likelihoods = []
    for beam in (1, 2, 8, 64):
        labels = nn.ctc_decode(scores, beam=beam)
        longest = max(map(len, labels))
        target = np.array([row + [0] * (longest - len(row)) for row in labels])
        lengths = np.array([len(row) for row in labels])
        values = nn.CTCLoss(reduction="none").forward(scores, (target, lengths, np.full(6, 30)))
        likelihoods.append(-values.mean())
    assert likelihoods == sorted(likelihoods)
    assert likelihoods[-1] > likelihoods[0] + 0.5


def test_frames_beyond_the_length_are_never_read():
    scores = np.random.default_rng(0).normal(size=(2, 9, 4))
    spoiled = scores.copy()
    spoiled[1, 5:] = np.nan
    for beam in (1, 4):
        expected = nn.ctc_decode(scores[1:, :5], beam=beam)
        assert nn.ctc_decode(spoiled, [9, 5], beam=beam)[1] == expected[0]


def test_a_repeated_label_takes_a_blank_between():
    scores = np.full((1, 5, 3), -50.0)
    scores[0, np.arange(5), [1, 1, 0, 1, 2]] = 50
    for beam in (1, 5):
        assert nn.ctc_decode(scores, beam=beam) == [[1, 1, 2]]


def test_classes_that_are_ruled_out_and_no_frames_at_all():
    scores = np.full((2, 3, 3), -np.inf)
    scores[:, :, 1] = 0
    for beam in (1, 3):
        assert nn.ctc_decode(scores, [3, 0], beam=beam) == [[1], []]
    assert nn.ctc_decode(np.zeros((0, 4, 3))) == []


@pytest.mark.parametrize(
    ("scores", "options", "message"),
    [
        (np.zeros((3, 4)), {}, r"scores \(samples, frames, classes\) .* received \(3, 4\)"),
        (np.zeros((2, 3, 4)), {"blank": 4}, "with a class 4 for the blank"),
        (np.zeros((2, 3, 4)), {"beam": 0}, "beam of at least 1, received 0"),
        (np.zeros((2, 3, 4)), {"lengths": [3]}, r"lengths \(2,\) of integers, received int64 of"),
        (np.zeros((2, 3, 4)), {"lengths": [3, 4]}, r"lengths in 0\.\.3, received 3 to 4"),
        (np.full((2, 3, 4), np.nan), {}, "received NaN or infinity in sample 0"),
        (np.full((2, 3, 4), -np.inf), {"beam": 3}, "a largest score that is finite"),
    ],
)
def test_what_cannot_be_decoded_is_refused(scores, options, message):
    with pytest.raises(ValueError, match=message):
        nn.ctc_decode(scores, **options)
