"""Curves that grow while a model trains: in a notebook, in a window, in a file."""

import base64
import io

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib import image

import nnscratch as nn
from nnscratch.plots import LiveCurves
from tests import headless_window
from tests.test_trainer_options import problem, trainer

NOTEBOOK = """
import nnscratch as nn
data, model = nn.load_dataset("digits"), nn.mlp([64, 16, 10], rng=0)
live = nn.plots.LiveCurves(every=0)
trainer = nn.Trainer(model, nn.SoftmaxCrossEntropy(), nn.Adam(model), callbacks=[live],
                     progress=False)
history = trainer.fit(data.x_train[:256], data.y_train[:256], validation=0.2, epochs=2, rng=0)
"""


@pytest.fixture
def windows(monkeypatch):
    """Windows that nobody sees, for this test alone."""
    from matplotlib import pyplot

    monkeypatch.setattr("nnscratch.plots.live.SHARE", np.inf)  # as if drawing took no time
    before = mpl.get_backend()
    pyplot.switch_backend("module://tests.headless_window")
    headless_window.asked.clear()
    yield headless_window.asked
    pyplot.close("all")
    pyplot.switch_backend(before)


def drawn(live, name):
    """The points of a line, of which the figure has one."""
    x, y = live._curves.lines[name].get_data()
    return np.asarray(x), np.asarray(y)


# In a window -----------------------------------------------------------------------------------


def test_a_window_is_opened_once_and_drawn_again_with_the_points_of_the_history(windows):
    x, y = problem()
    live = LiveCurves(every=0)
    run = trainer(callbacks=[live], metrics={"f1": lambda p, t: 0.5})
    history = run.fit(x, y, validation=0.2, epochs=3, batch_size=16, rng=0)
    assert windows[0] == "show" and windows.count("show") == 1
    assert windows.count("draw") == 9 + 3 + 1  # each step, each epoch, the end
    for name in ("train_loss", "valid_loss", "train_accuracy", "valid_accuracy", "valid_f1"):
        epochs, values = drawn(live, name)
        np.testing.assert_array_equal(epochs, [1, 2, 3])
        np.testing.assert_array_equal(values, history[name])
    places, losses = drawn(live, "step_loss")
    np.testing.assert_allclose(places, np.arange(1, 10) / 3)
    np.testing.assert_array_equal(losses, history.steps["loss"])
    assert [axes.get_ylabel() for axes in live._curves.panels] == [
        "loss (mean per sample)",
        "accuracy (share correct)",
        "f1",
    ]


def test_the_lines_stay_the_same_and_only_their_points_change(windows):
    x, y = problem()
    seen = []

    class Look(nn.Callback):
        def after_step(self, trainer):
            seen.append(dict(live._curves.lines))

    live = LiveCurves(every=0)
    trainer(callbacks=[live, Look()]).fit(x, y, epochs=3, batch_size=16, rng=0)
    assert len({id(lines["step_loss"]) for lines in seen}) == 2  # epoch 1 knows of no accuracy
    assert len({id(lines["train_loss"]) for lines in seen[4:]}) == 1


def test_a_window_that_was_closed_stays_closed_and_training_goes_on(windows):
    from matplotlib import pyplot

    x, y = problem()

    def close(trainer, values):
        pyplot.close("all")

    history = trainer(callbacks=[close, LiveCurves(every=0)]).fit(x, y, epochs=3, rng=0)
    assert len(history) == 3
    assert windows.count("show") == 1
    assert windows.count("draw") == 1  # the first step, of one in each epoch


def test_drawing_takes_a_small_part_of_the_time_and_a_window_is_served_meanwhile(
    windows, monkeypatch
):
    x, y = problem()
    monkeypatch.setattr("nnscratch.plots.live.SHARE", 1e-9)
    monkeypatch.setattr("nnscratch.plots.live.BREATH", 0)
    trainer(callbacks=[LiveCurves(every=0)]).fit(x, y, epochs=2, batch_size=16, rng=0)
    assert windows.count("draw") == 1 + 2 + 1  # the first step, the epochs, the end
    assert windows.count("flush") == 4 + 7  # at each of them, and at the other steps


# In a notebook ---------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore")  # those of the notebook's machinery
def test_a_notebook_shows_one_picture_that_is_replaced_in_its_place():
    nbformat = pytest.importorskip("nbformat", reason="the notebook extra is not installed")
    nbclient = pytest.importorskip("nbclient", reason="the notebook extra is not installed")
    pytest.importorskip("ipykernel", reason="the notebook extra is not installed")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(NOTEBOOK)])
    kinds, places = [], set()

    class Client(nbclient.NotebookClient):
        def process_message(self, message, cell, index):
            content = message["content"]
            if "data" in content and "image/png" in content["data"]:
                kinds.append(message["msg_type"])
                places.add(content["transient"]["display_id"])
            assert message["msg_type"] != "clear_output"  # which would flicker
            return super().process_message(message, cell, index)

    Client(notebook, timeout=120, kernel_name="python3").execute()
    assert kinds[0] == "display_data" and {*kinds[1:]} == {"update_display_data"}
    assert len(places) == 1
    (output,) = notebook.cells[0].outputs
    pixels = image.imread(io.BytesIO(base64.b64decode(output["data"]["image/png"])))
    assert pixels.shape[1] == 1200 and pixels[..., :3].min() < 0.5


# In a file -------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", ["png", "svg", "pdf"])
def test_a_file_is_rewritten_after_every_epoch(tmp_path, ending):
    x, y = problem()
    path, seen = tmp_path / f"curves.{ending}", []
    run = trainer(callbacks=[LiveCurves(path), lambda *_: seen.append(path.read_bytes())])
    run.fit(x, y, epochs=3, rng=0)
    assert len(set(seen)) == 3
    starts = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}
    assert all(content.startswith(starts[ending]) for content in seen)


def test_without_a_place_to_be_seen_it_is_refused_before_the_first_epoch():
    x, y = problem()
    run = trainer(callbacks=[LiveCurves()])
    with pytest.raises(ValueError, match=r'neither a notebook nor a display .*"curves\.png"'):
        run.fit(x, y, epochs=1)
    assert run.optimizer.steps == 0
    with pytest.raises(ValueError, match="of at least 0; got -1"):
        LiveCurves(every=-1)


# Where the steps stand -------------------------------------------------------------------------


def test_steps_of_a_stream_stand_evenly_in_epochs_that_end_where_they_ended(tmp_path):
    x, y = problem()
    lengths = iter([3, 5, 2])

    def batches():
        return [(x[:10], y[:10])] * next(lengths)

    live = LiveCurves(tmp_path / "curves.png")
    trainer(callbacks=[live]).fit(batches, epochs=3)
    places, _ = drawn(live, "step_loss")
    epochs = [k + np.arange(1, n + 1) / n for k, n in enumerate((3, 5, 2))]
    np.testing.assert_allclose(places, np.concatenate(epochs))


def test_a_resumed_run_shows_what_came_before(tmp_path):
    x, y = problem()
    trainer(checkpoint=tmp_path / "run.npz").fit(x, y, epochs=2, batch_size=16, rng=0)
    live = LiveCurves(tmp_path / "curves.png", log=True)
    run = trainer(checkpoint=tmp_path / "run.npz", callbacks=[live])
    run.resume()
    run.fit(x, y, epochs=4, batch_size=16)
    places, _ = drawn(live, "step_loss")
    np.testing.assert_allclose(places, np.arange(1, 17) / 4)
    assert len(drawn(live, "train_loss")[0]) == 4
    assert live._curves.panels[0].get_yscale() == "log"


def test_values_that_are_not_finite_have_no_point():
    from matplotlib.figure import Figure

    from nnscratch.plots.live import Curves

    history = nn.History()
    history.append(train_loss=1.0, train_accuracy=0.5)
    history.append(train_loss=np.nan, train_accuracy=0.5)
    history.append(train_loss=1e300, train_accuracy=0.5)
    history.steps["loss"] = [2.0, np.inf, 1.0]
    curves = Curves(Figure(), log=False)
    curves.update(history, 3, np.array([1.0, 2.0, 3.0]))
    assert np.isnan(curves.lines["train_loss"].get_ydata()).tolist() == [False, True, True]
    assert np.isnan(curves.lines["step_loss"].get_ydata()).tolist() == [False, True, False]
    curves.figure.canvas.draw()


def test_a_picture_that_could_not_be_written_is_refused_before_the_first_epoch(tmp_path):
    x, y = np.random.default_rng(0).normal(size=(8, 3)), np.arange(8) % 2
    for path, error, message in (
        (tmp_path / "missing" / "curves.png", FileNotFoundError, "expected a folder .*missing"),
        (tmp_path / "curves.nope", ValueError, "one of the endings .*png.*curves.nope"),
    ):
        model = nn.mlp([3, 4, 2], rng=0)
        before = model.params["1.W"].copy()
        trainer = nn.Trainer(
            model,
            nn.SoftmaxCrossEntropy(),
            nn.SGD(model),
            progress=False,
            callbacks=[nn.plots.LiveCurves(path)],
        )
        with pytest.raises(error, match=message):
            trainer.fit(x, y, epochs=1)
        np.testing.assert_array_equal(model.params["1.W"], before)
