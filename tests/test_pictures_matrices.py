"""Matrices as fields of colour."""

import numpy as np
import pytest

from nnscratch.plots import plot_matrices
from tests.picture_checks import look_right

P = np.random.default_rng(0).random((3, 12))


def test_each_matrix_has_a_panel_on_one_scale_with_names_at_its_places():
    figure = plot_matrices({"a": P, "b": 2 * P}, "xy ", [*"hello world", "\n"], "mine")
    a, b, scale = figure.axes
    for axes, matrix in ((a, P), (b, 2 * P)):
        (image,) = axes.images
        np.testing.assert_array_equal(image.get_array(), matrix)
        assert image.get_clim() == (0, 2 * P.max())
        assert [label.get_text() for label in axes.get_yticklabels()] == ["x", "y", "␣"]
        assert "".join(t.get_text() for t in axes.get_xticklabels()) == "hello␣world¶"
    assert scale.get_ylim() == (0, 2 * P.max())
    look_right(figure)


def test_names_may_be_given_to_some_panels_alone():
    a, b, _ = plot_matrices({"a": P, "b": P}, {"b": "xyz"}).axes
    assert not len(a.get_yticks()) and len(b.get_yticks()) == 3


def test_what_cannot_be_drawn_is_refused():
    for wrong in ({}, {"a": P, "b": P.T}, {"a": P[0]}, {"a": np.ones((91, 2))}):
        with pytest.raises(ValueError, match="expected matrices of one shape, of at most 90"):
            plot_matrices(wrong)
    with pytest.raises(ValueError, match="expected 3 names, received 2: 'ab'"):
        plot_matrices({"a": P}, rows="ab")


def test_a_long_name_stays_within_its_panel():
    look_right(plot_matrices({"a long name of a matrix " * 6: np.ones((2, 3))}))
