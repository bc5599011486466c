"""One contestant in a process of its own, and the time of its steps.

Idle threads of a BLAS spin for a while and slow down whoever comes next, so that each burst is
followed by a pause; and a processor takes a while to wake, so that each begins with a warm-up.
Absolute times mean little on a shared machine: contestants take turns, and ratios are taken within
one turn.
"""

import contextlib
import importlib
import math
import multiprocessing
import time
from pathlib import Path

from tests.benchmarks import nets
from tests.benchmarks.contestants import CONTESTANTS
from tests.benchmarks.threads import THREADS, limited_threads

WARM_UP, SHORTEST_BURST, PAUSE = 0.08, 0.3, 0.35  # seconds
FEWEST_STEPS = 100  # of a burst: what `fit` costs once, such as starting workers, is their share


class Runner:
    """A process that trains as one contestant does.

    Parameters
    ----------
    name : str
        Of the contestant.
    threads : int
        That its process may use.
    clock : "wall" or "processor"
        What the seconds of `burst` are of; the processor's are those of its process alone.

    Raises
    ------
    RuntimeError
        From every method: what went wrong in the process.
    """

    def __init__(self, name, threads=THREADS, clock="wall"):
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=serve, args=(theirs, name, clock))
        with limited_threads(threads):
            self.process.start()
        theirs.close()

    def prepare(self, case):
        """Make the case's data and model, and take the first steps, compilation included.

        Returns the megabytes that training took at most on top of the libraries and the data, or
        None where the system does not tell.
        """
        self._ask("load", case)
        before = peak = resident(self.process.pid)
        self._ask("make")
        self.pipe.send(("burst", SHORTEST_BURST, 1))
        while not self.pipe.poll(0.005):
            peak = max(peak, resident(self.process.pid))
        self._answer()
        time.sleep(PAUSE)
        return (peak - before) / 2**20 if before else None

    def burst(self, seconds, steps=FEWEST_STEPS):
        """The seconds that a step takes, from about so many seconds, and at least as many steps."""
        step = self._ask("burst", seconds, steps)
        time.sleep(PAUSE)
        return step

    def load(self, case):
        """Make the case's data and model, without a step."""
        self._ask("load", case)
        self._ask("make")

    def train(self, samples, epochs):
        """The mean loss of the last of some epochs."""
        return self._ask("train", samples, epochs)

    def close(self):
        self.pipe.close()
        self.process.join()

    def _ask(self, *request):
        self.pipe.send(request)
        return self._answer()

    def _answer(self):
        try:
            answer = self.pipe.recv()
        except EOFError:
            raise RuntimeError("its process died") from None
        if isinstance(answer, Exception):
            raise answer
        return answer


def serve(pipe, name, clock):
    """Answer a Runner's requests, in a process of its own."""
    contestant = CONTESTANTS[name]
    with contextlib.suppress(EOFError):  # the Runner has closed its end
        while True:
            request, *arguments = pipe.recv()
            try:
                if request == "load":
                    (case,) = arguments
                    importlib.import_module(contestant.package)
                    parts = (*nets.data(case), nets.weights(case.net))
                    answer = train = None  # a model of the case before goes
                elif request == "make":
                    train = contestant.make(case, *parts)
                    answer = parts = None  # what the contestant does not keep need not be here
                elif request == "train":
                    answer = train(*arguments)
                else:
                    answer = time_of_step(train, case, clock, *arguments)
            except Exception as error:
                answer = RuntimeError(f"{type(error).__name__}: {error}")
            pipe.send(answer)


def time_of_step(train, case, clock, seconds, fewest):
    """Warm up, then train for about so many seconds, at least `SHORTEST_BURST`, and steps."""
    steps, passed = 1, 0.0
    while passed < WARM_UP:
        took, done = timed(train, case, clock, steps)
        passed += took
        steps *= 2
    steps = done
    while took < max(SHORTEST_BURST, 0.75 * seconds) or steps < fewest:
        steps = max(math.ceil(max(seconds, SHORTEST_BURST) / took * steps), fewest)
        took, steps = timed(train, case, clock, steps)
    return took / steps


def timed(train, case, clock, steps):
    """(seconds, steps) of at least so many steps; more than an epoch are whole epochs."""
    per_epoch = case.samples // case.batch_size
    epochs = math.ceil(steps / per_epoch)
    steps = min(steps, per_epoch)
    now = {"wall": time.perf_counter, "processor": time.process_time}[clock]
    start = now()
    train(steps * case.batch_size, epochs)
    return now() - start, steps * epochs


def resident(pid):
    """Bytes of memory of a process and its children, shared pages counted once; 0 if unknown."""
    total = 0
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                total += int(line.split()[1]) * 1024
        for children in Path(f"/proc/{pid}/task").glob("*/children"):
            total += sum(resident(int(child)) for child in children.read_text().split())
    except OSError:  # no Linux, or a child that has just ended
        pass
    return total
