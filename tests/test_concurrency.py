"""Threads and processes beside one another: what each computes is what it computes alone."""

import io
import multiprocessing
import pickle
import sys
import threading
import warnings
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from itertools import combinations_with_replacement

import numpy as np
import pytest

import nnscratch as nn
from tests.graph_cases import network

SAMPLES = 48
LABELS = np.arange(SAMPLES) % 3
TIMES = 12  # each pair of jobs


def inputs(*shape):
    return np.random.default_rng(3).normal(size=(SAMPLES, *shape)).astype(np.float32)


def mlp():
    return nn.mlp([6, 8, 3], dropout=0.3, rng=0), inputs(6)


def convolutional():
    layers = nn.Conv2d(1, 4, 3, rng=0), nn.BatchNorm(4), nn.ReLU(), nn.MaxPool2d(2)
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(36, 3, rng=1)), inputs(1, 8, 8)


def recurrent():
    layers = nn.LSTM(4, 5, rng=0), nn.LastStep(), nn.LayerNorm(5), nn.GELU()
    return nn.Sequential(*layers, nn.Linear(5, 3, rng=1)), inputs(7, 4)


def attending():
    block = nn.TransformerBlock(6, 2, 9, causal=True, dropout=0.2, rng=0)
    return nn.Sequential(block, nn.LastStep(), nn.Linear(6, 3, rng=1)), inputs(5, 6)


def of_nodes():
    graph = network(dtype="f4")
    return nn.Sequential(nn.Linear(6, 3, rng=0), graph, nn.Linear(2, 3, rng=1)), inputs(6)


OPTIMIZERS = [
    lambda model: nn.Adam(model, groups={"*.b": {"weight_decay": 0.1}}),
    lambda model: nn.SGD(model, 0.05, momentum=0.9),
    lambda model: nn.RMSprop(model, 0.001),
]


def job(build, optimizer=0):
    """All that a script does with a model: its bits in the end."""
    model, x = build()
    loss, optimizer = nn.SoftmaxCrossEntropy(), OPTIMIZERS[optimizer](model)
    schedule = nn.CosineDecay(optimizer, 6)
    trainer = nn.Trainer(model, loss, optimizer, schedule, clip_norm=1.0, progress=False)
    history = trainer.fit(x, LABELS, epochs=2, batch_size=16, rng=0)
    model.train()
    with nn.observe(model) as passes:
        loss.forward(model.forward(x), LABELS)
        _, grads = model.backward(loss.backward())
    seen = [use.output for use in passes if isinstance(use.output, np.ndarray)]
    twin = pickle.loads(pickle.dumps(model)).freeze().astype("f8").eval()
    arrays = [*model.params.values(), *model.buffers.values(), *grads.values(), *seen]
    bits = io.BytesIO()
    for array in [*arrays, nn.predict(model, x), twin.forward(x), history["train_loss"]]:
        np.save(bits, np.asarray(array))
    return bits.getvalue()


JOBS = [mlp, convolutional, recurrent, attending, of_nodes]


@pytest.fixture
def hasty():
    """Threads take turns thousands of times a second."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


@pytest.mark.parametrize(("first", "second"), [*combinations_with_replacement(JOBS, 2)])
def test_two_threads_give_the_bits_that_each_gives_alone(hasty, first, second):
    builds = [first, second]
    alone = [job(build, i) for i, build in enumerate(builds)]
    together, meet = [None, None], threading.Barrier(2)

    def work(i):
        meet.wait(60)
        together[i] = job(builds[i], i)

    for _ in range(TIMES // 2 if first is second else TIMES):
        threads = [threading.Thread(target=work, args=(i,)) for i in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert together == alone


def test_many_threads_read_one_model_at_once(hasty):
    model, x = convolutional()
    model.eval()
    expected = model.forward_pass(x)[0]
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(lambda _: model.forward_pass(x)[0], range(40)))
    for y in found:
        np.testing.assert_array_equal(y, expected)


def made(workers=1):
    model, _ = mlp()
    optimizer = nn.Adam(model)
    schedule = nn.CosineDecay(optimizer, 6)
    return nn.Trainer(
        model, nn.SoftmaxCrossEntropy(), optimizer, schedule, workers=workers, progress=False
    )


def fitted(trainer):
    """(trainer, losses) after three epochs."""
    return trainer, trainer.fit(inputs(6), LABELS, epochs=3, batch_size=16, rng=0)["train_loss"]


def by_workers(workers):
    """What comes of three epochs with `workers=`: the losses, or the error."""
    trainer = made(workers)
    try:
        return fitted(trainer)[1], trainer.workers_chosen
    except RuntimeError as error:
        return str(error)


METHODS = multiprocessing.get_all_start_methods()


@pytest.fixture
def forking():
    """Python 3.12 warns of forks beside threads, such as those of the products."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)
        yield


@pytest.mark.parametrize("method", METHODS)
def test_trainers_are_sent_to_processes_and_come_back_trained(method, forking):
    expected, losses = fitted(made())
    with ProcessPoolExecutor(2, multiprocessing.get_context(method)) as processes:
        for trainer, found in processes.map(fitted, [made(), made()]):
            assert found == losses
            assert trainer.optimizer.model is trainer.model
            assert trainer.optimizer.steps == 9
            for name, array in expected.model.params.items():
                np.testing.assert_array_equal(trainer.model.params[name], array)


@pytest.mark.parametrize("method", METHODS)
def test_processes_give_the_bits_of_this_one(method, forking):
    expected = [job(build) for build in JOBS]
    with multiprocessing.get_context(method).Pool(2) as pool:
        assert pool.map(job, JOBS) == expected


def test_joblib_gives_the_bits_of_this_process():
    joblib = pytest.importorskip("joblib")
    expected = [job(build) for build in JOBS]
    for backend in ("loky", "threading"):
        jobs = [joblib.delayed(job)(build) for build in JOBS]
        assert joblib.Parallel(2, backend=backend)(jobs) == expected


@pytest.mark.skipif("fork" not in METHODS, reason="workers= need a system that forks")
class TestWorkersInsideWorkers:
    def test_a_daemonic_process_is_told_what_to_do(self, forking):
        pytest.importorskip("threadpoolctl")
        with multiprocessing.get_context("fork").Pool(1) as pool:
            alone, told, chosen = pool.map(by_workers, [1, 2, "auto"])
        assert "leave out workers=" in told
        assert "concurrent.futures.ProcessPoolExecutor" in told
        assert chosen == (alone[0], 1)

    def test_auto_chooses_one_in_a_daemonic_process_for_long_runs_too(self, forking, monkeypatch):
        pytest.importorskip("threadpoolctl")
        from nnscratch.training import choosing, updaters

        monkeypatch.setattr(choosing, "SHORT", 0.0)
        monkeypatch.setattr(updaters, "cores", lambda: 2)
        with multiprocessing.get_context("fork").Pool(1) as pool:
            assert pool.map(by_workers, ["auto"])[0][1] == 1

    def test_a_process_of_an_executor_may_have_workers(self, forking):
        pytest.importorskip("threadpoolctl")
        with ProcessPoolExecutor(1, multiprocessing.get_context("fork")) as processes:
            losses, _ = next(processes.map(by_workers, [2]))
        np.testing.assert_allclose(losses, by_workers(1)[0], rtol=1e-5)
