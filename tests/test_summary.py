"""The table of a model: what is in it, and that making it changes nothing."""

import pickle
import re
import time
from itertools import cycle
from unittest.mock import ANY

import numpy as np
import pytest

import nnscratch as nn
from nnscratch.inspection.summary import summary
from nnscratch.inspection.timing import time_passes


def nested():
    """A model with a layer that stands at two places, in containers inside containers."""
    tied = nn.Linear(16, 16, rng=0)
    inner = nn.Sequential(tied, nn.ReLU(), nn.Residual(nn.BatchNorm(16)))
    return nn.Sequential(nn.Flatten(), nn.Linear(12, 16, rng=1), tied, nn.Residual(inner))


def cells(table):
    """The table's cells: the columns are apart by two spaces or more."""
    lines = str(table).splitlines()
    return [re.split(r"  +", line.strip()) for line in lines[1:2] + lines[3:]]


X = np.arange(7 * 12, dtype=np.float32).reshape(7, 3, 4)


def test_without_inputs_the_table_has_layers_and_parameters():
    found = summary(nested())
    assert str(found).splitlines()[0] == "Sequential: 512 parameters, 2.05 kB"
    assert cells(found) == [
        ["layer", "parameters"],
        ["0 Flatten()"],
        ["1 Linear(12, 16)", "208"],
        ["2 Linear(16, 16)", "272"],
        ["3 Residual"],
        ["3.0 Sequential"],
        ["3.0.0 Linear(16, 16)", "as 2"],
        ["3.0.1 ReLU()"],
        ["3.0.2 Residual"],
        ["3.0.2.0 BatchNorm(16)", "32"],
    ]


def test_nested_layers_are_indented():
    lines = str(summary(nested())).splitlines()[3:]
    assert [len(line) - len(line.lstrip()) for line in lines] == [0, 0, 0, 0, 2, 4, 4, 4, 6]


def test_with_inputs_the_table_has_outputs_and_shares_of_the_time():
    found = summary(nested(), X)
    table = cells(found)
    assert table[0] == ["layer", "output", "parameters", "time"]
    assert [row[1] for row in table[1:]] == ["(7, 12)"] + 8 * ["(7, 16)"]
    shares = [float(row[-1].removesuffix(" %")) for row in table[1:]]
    assert sum(shares) == pytest.approx(100, abs=5)  # each is rounded
    assert re.match(
        r"Sequential: 512 parameters, 2.05 kB; forward and backward over \(7, 3, 4\) in "
        r"[\d.]+ .?s, [\d.]+ kB kept between them",
        str(found),
    )


def test_a_pass_over_given_inputs():
    found = summary(nn.lenet(rng=0), np.zeros((5, 1, 28, 28), np.uint8))
    assert [row.output for row in found.rows][:4] == [
        (5, 8, 24, 24),
        (5, 8, 24, 24),
        (5, 8, 12, 12),
        (5, 16, 8, 8),
    ]
    assert found.inputs == [(5, 1, 28, 28)]
    assert found.parameters == sum(row.parameters for row in found.rows) == 5994
    assert found.parameter_bytes == 4 * 5994
    with pytest.raises(ValueError, match=r"Conv2d\(1, 8, 5\) expected"):
        summary(nn.lenet(rng=0), np.zeros((5, 3, 28, 28)))


def test_a_summary_changes_nothing():
    rng = np.random.default_rng(4)
    model = nn.Sequential(nn.Linear(6, 8, rng=0), nn.BatchNorm(8), nn.Dropout(0.5, rng=rng))
    x = np.random.default_rng(0).normal(size=(5, 6))
    model.forward(x)
    before = pickle.dumps((model, rng.bit_generator.state))
    cache = model.cache
    dx, _ = model.backward(np.ones((5, 8)))
    summary(model, 2 * x)
    assert pickle.dumps((model, rng.bit_generator.state)) == before
    assert model.cache is cache
    np.testing.assert_array_equal(model.backward(np.ones((5, 8)))[0], dx)
    assert "forward_pass" not in vars(model[0])


def test_a_slow_layer_has_the_largest_share_and_a_container_not_that_of_its_layers():
    class Slow(nn.Identity):
        def forward_pass(self, x):
            time.sleep(0.01)
            return super().forward_pass(x)

        def backward_pass(self, dy, cache):
            time.sleep(0.02)
            return dy

    inner = nn.Sequential(nn.Tanh(), Slow())
    model = nn.Sequential(nn.Linear(3, 3, rng=0), nn.Residual(inner))
    rows = {row.path: row for row in summary(model, np.ones((2, 3))).rows}
    assert 0.03 <= rows["1.0.1"].seconds < 0.3
    assert max(row.seconds for path, row in rows.items() if path != "1.0.1") < 0.01


def test_the_uses_of_a_shared_layer_are_told_apart():
    class Pause(nn.Identity):
        """Sleeps backwards, and the longer the larger the input is."""

        def forward_pass(self, x):
            return x, x.shape[1]

        def backward_pass(self, dy, features):
            time.sleep(0.002 * features)
            return dy

    pause = Pause()
    model = nn.Sequential(nn.Bias(20), pause, nn.Linear(20, 1, rng=0), pause)
    rows = summary(model, np.ones((2, 20))).rows
    assert [row.output for row in rows] == [(2, 20), (2, 20), (2, 1), (2, 1)]
    assert rows[1].seconds > 0.04 > rows[3].seconds > 0.002


def test_a_shared_container_has_its_rows_at_each_place():
    same = nn.Sequential(nn.Linear(4, 4, rng=0), nn.ReLU())
    model = nn.Sequential(same, nn.Residual(same), nn.Linear(4, 2, rng=1), nn.ReLU())
    assert cells(summary(model, np.ones((3, 4))))[1:-1] == [
        ["0 Sequential", "(3, 4)", ANY],
        ["0.0 Linear(4, 4)", "(3, 4)", "20", ANY],
        ["0.1 ReLU()", "(3, 4)", ANY],
        ["1 Residual", "(3, 4)", ANY],
        ["1.0 Sequential", "(3, 4)", ANY],
        ["1.0.0 Linear(4, 4)", "(3, 4)", "as 0.0", ANY],
        ["1.0.1 ReLU()", "(3, 4)", ANY],
        ["2 Linear(4, 2)", "(3, 2)", "10", ANY],
    ]


class Own(nn.Layer):
    """Holds a layer in an attribute, which it calls at each step, and a parameter."""

    def __init__(self):
        self.step = nn.Linear(4, 4, rng=0)
        self.params = {"scale": np.ones(4, np.float32)}

    def forward_pass(self, x):
        found = [self.step.forward_pass(x[:, t]) for t in range(x.shape[1])]
        y = np.stack([y for y, _ in found], 1)
        return (y * self.params["scale"], y.sum(axis=1)), [cache for _, cache in found]

    def backprop(self, dy, caches, out=None, need_dx=True):
        parts = [self.step.backprop(dy[1], cache)[0] for cache in caches]
        return np.stack(parts, 1), {"scale": np.zeros(4, np.float32)}


def test_a_layer_that_runs_several_times_has_one_row_that_says_so():
    found = summary(nn.Residual(nn.Sequential()), np.ones((5, 3, 4)))
    assert [row.times for row in found.rows] == [1]
    found = summary(Own(), np.ones((5, 3, 4)))
    assert cells(found)[1:] == [
        ["Own", "(5, 3, 4) and (5, 4)", "4", ANY],
        ["step Linear(4, 4)", "3 times (5, 4)", "20", ANY],
    ]


def test_the_seconds_of_all_uses_at_a_place_add_up():
    class Slow(nn.Linear):
        def forward_pass(self, x):
            time.sleep(0.01)
            return super().forward_pass(x)

    model = Own()
    model.step = Slow(4, 4, rng=0)
    outer, step = summary(model, np.ones((5, 3, 4), np.float32)).rows
    assert outer.seconds < 0.01 < 0.03 <= step.seconds


def test_a_node_is_not_inside_one_whose_name_its_own_begins_with():
    x = nn.Input("x")
    graph = nn.Graph([x], nn.Sin()(nn.Tanh()(x, name="a"), name="ab"))
    assert [(row.path, row.depth) for row in summary(graph).rows] == [("a", 0), ("ab", 0)]


def test_parameters_in_a_cache_are_not_what_is_kept():
    class Scale(nn.Layer):
        def __init__(self):
            self.params = {"s": np.ones(100, np.float32)}

        def forward_pass(self, x):
            return x * self.params["s"], (x, self.params["s"])

        def backprop(self, dy, cache, out=None, need_dx=True):
            return dy * cache[1], {"s": (dy * cache[0]).sum(axis=0)}

    assert summary(Scale(), np.ones((10, 100), np.float32)).kept_bytes == 4 * 10 * 100


def test_what_is_kept_between_the_passes_counts_each_array_once():
    model = nn.Sequential(nn.Linear(100, 50, rng=0), nn.ReLU())  # keep x, and y of the ReLU
    found = summary(model, np.ones((10, 100), np.float32))
    assert found.kept_bytes == 4 * (10 * 100 + 10 * 50)
    twice = summary(nn.Sequential(nn.Tanh(), nn.Identity()), np.ones((10, 100), np.float32))
    assert twice.kept_bytes == 4 * 10 * 100


@pytest.mark.parametrize(
    ("model", "x", "paths"),
    [
        (nn.Linear(3, 2, rng=0), np.ones((4, 3)), [""]),
        (nn.Sequential(), np.ones((4, 3)), []),
        (nn.Sequential(nn.Embedding(9, 4, rng=0)), np.ones((2, 5), int), ["0"]),
        (nn.Scan(nn.Linear(6, 2, rng=0), window=2), np.ones((2, 5, 3)), ["0"]),
        (
            nn.Graph([x := nn.Input("x")], nn.Linear(3, 3, rng=0)(x) + nn.Tanh()(x)),
            np.ones((2, 3)),
            ["linear1", "tanh1", "add1"],
        ),
    ],
    ids=["a layer alone", "no layer", "integers", "scan", "graph"],
)
def test_any_layer_can_be_summed_up(model, x, paths):
    assert [row.path for row in summary(model).rows] == paths
    found = summary(model, x)
    assert [row.path for row in found.rows] == paths
    assert all(row.output and row.seconds >= 0 for row in found.rows)
    assert found.seconds > 0
    str(found)


def test_two_inputs():
    found = summary(nn.Sequential(nn.MatMul(), nn.Tanh()), np.ones((2, 3)), np.ones((3, 4)))
    assert "over (2, 3) and (3, 4) in" in str(found)
    assert [row.output for row in found.rows] == [(2, 4), (2, 4)]


def test_a_graph_of_ten_thousand_nodes_is_summed_up():
    node = x = nn.Input("x")
    for _ in range(10_000):
        node = nn.Tanh()(node)
    assert len(summary(nn.Graph([x], node)).rows) == 10_000


def test_print_shows_the_model_as_in_code():
    model = nn.Sequential(nn.Linear(3, 2, rng=0))
    listing = "Sequential(\n  Linear(3, 2),\n)"
    assert repr(model) == str(model) == f"{model}" == listing
    with pytest.raises(RuntimeError, match=r"(?s)^Sequential\(\n  Linear.*\(x\) first$"):
        model.backward(np.ones(2))


def test_print_makes_no_copy_and_no_pass():
    class Untouched(nn.Layer):
        def __deepcopy__(self, memo):
            raise AssertionError("print copied the model")

        def forward_pass(self, x):
            raise AssertionError("print ran the model")

    assert str(nn.Sequential(Untouched())) == "Sequential(\n  Untouched(),\n)"


def test_parameters_of_two_dtypes_are_weighed_by_their_size():
    model = nn.Sequential(nn.Bias(1000).astype("f8"), nn.Bias(500))
    assert str(summary(model)).startswith("Sequential: 1,500 parameters, 10 kB\n")


def test_the_whole_takes_what_the_quickest_round_took():
    pauses = cycle([0.05, 0, 0.05])

    class Disturbed(nn.Identity):
        def forward_pass(self, x):
            time.sleep(next(pauses))
            return super().forward_pass(x)

    found = summary(nn.Sequential(Disturbed()), np.ones((5, 3)))
    assert found.seconds < 0.04


def test_the_shortest_time_of_each_layer_counts():
    pauses = cycle([0.05, 0, 0, 0.05])

    class Disturbed(nn.Identity):
        def forward_pass(self, x):
            time.sleep(next(pauses))
            return super().forward_pass(x)

    # In one round the first one is held up, in the next round the other.
    passes, own = time_passes(nn.Sequential(Disturbed(), Disturbed()), np.ones((5, 3)))
    whole, *inside = passes
    assert max(own["0"], own["1"]) < 0.04
    assert whole.inside <= whole.seconds == max(use.seconds for use in passes)
    assert sum(use.seconds for use in inside) == pytest.approx(whole.inside)
