"""The runs of a sweep, over processes: each is finished, failed, or goes on another time."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nnscratch.commands.settings import Config

LOOK = 0.2  # seconds between two looks of a process at whether the sweep still lives


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Hold the folder of a sweep; it is free again when this process ends, however it ends.

    Raises
    ------
    ValueError
        Another sweep holds it.
    """
    try:
        import fcntl
    except ImportError:  # not a system that has such locks
        yield
        return
    with (folder / ".lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise ValueError(
                f"another sweep is at work in {folder}; wait for it, or choose another --out"
            ) from None
        yield


def train_all(
    configs: Sequence[Config], folders: Sequence[Path], jobs: int | None, dask: str | None
) -> tuple[dict[str, str], bool]:
    """Train what is not finished.

    Returns
    -------
    failed : dict of str to str
        Why, by the folder's name.
    interrupted : bool
        Whether Ctrl-C ended it before all were done.
    """
    try:
        import joblib
    except ImportError:
        raise ImportError(
            "sweep needs the package joblib; pip install 'nnscratch[sweep]'"
        ) from None
    from tqdm import tqdm

    from nnscratch.commands.run_folder import read_results

    pairs = zip(configs, folders, strict=True)
    todo = [(c, f.resolve()) for c, f in pairs if read_results(f) is None]
    if len(todo) < len(folders):
        print(f"{len(folders) - len(todo)} of {len(folders)} runs are finished", file=sys.stderr)
    # The helpers of processes that are ended clean up after them, and would say so.
    os.environ.setdefault("PYTHONWARNINGS", "ignore:resource_tracker:UserWarning")
    failed: dict[str, str] = {}
    cluster = _cluster(dask) if dask else nullcontext()
    with cluster, tqdm(total=len(todo), unit="run", disable=None) as bar:
        parallel = joblib.Parallel(jobs or (-1 if dask else 1), return_as="generator_unordered")
        try:
            for name, reason in parallel(
                joblib.delayed(_train)(c, f, os.getpid()) for c, f in todo
            ):
                if reason:
                    failed[name] = reason
                bar.update()
        except KeyboardInterrupt:
            _end_workers()
            return failed, True
    return failed, False


def _train(config: Config, folder: Path, sweep: int) -> tuple[str, str]:
    """One run; its folder's name and why it failed, "" if it did not."""
    from nnscratch.commands.training_run import Run
    from nnscratch.files import remove_unfinished

    if os.getppid() == sweep:
        _end_with(sweep)
    try:
        job = Run(config)
        folder.mkdir(parents=True, exist_ok=True)
        remove_unfinished(folder)
        resume = (folder / "checkpoint.npz").exists()
        if not resume:
            job.config.write(folder)  # again, where a kill has left it half written
        history = job.train(folder, resume, progress=False)
        if history.stopped == "interrupted":
            raise KeyboardInterrupt
        job.finish(folder, history)
    except (OSError, ValueError, RuntimeError, MemoryError) as error:
        return folder.name, str(error) or type(error).__name__
    return folder.name, ""


def _end_with(sweep: int) -> None:
    """End this process soon after the sweep's, which may be killed without a word to anybody.

    It would go on to train, and write into a folder in which the same sweep, started again, goes
    on with the same run.
    """

    def watch() -> None:
        while os.getppid() == sweep:
            time.sleep(LOOK)
        os._exit(1)

    name = "ends with the sweep"
    if name not in [thread.name for thread in threading.enumerate()]:
        threading.Thread(target=watch, name=name, daemon=True).start()


def _end_workers() -> None:
    """End the processes that joblib keeps for the next sweep; what they were at has checkpoints."""
    with suppress(Exception):  # whatever state the Ctrl-C has left them in
        from joblib.externals.loky import get_reusable_executor

        get_reusable_executor().shutdown(wait=True, kill_workers=True)


def _cluster(address: str) -> Any:
    """The workers of a dask cluster in place of processes."""
    try:
        import joblib
        from dask.distributed import Client
    except ImportError:
        raise ImportError("--dask needs the package distributed; pip install distributed") from None
    Client(address)
    return joblib.parallel_config(backend="dask")
