"""Histories of any numbers are drawn."""

import io

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from nnscratch.plots import plot_history

COLUMNS = ["train_loss", "valid_loss", "train_accuracy", "valid_accuracy"]


# A picture takes too long to shrink a failing example by drawing it a thousand times.
@settings(max_examples=25, deadline=None, phases=set(Phase) - {Phase.shrink, Phase.explain})
@given(
    st.integers(1, 20).flatmap(
        lambda n: st.fixed_dictionaries(
            {name: st.lists(st.floats(), min_size=n, max_size=n) for name in COLUMNS}
        )
    ),
    st.booleans(),
)
def test_any_floats_are_drawn_without_a_warning(run, log):
    plot_history(run, log=log).savefig(io.BytesIO())
