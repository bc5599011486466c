"""One thread for the products, which are small in tests and wait otherwise; and Ctrl-C.

Files in LONG are marked `long`: they start processes, train nets or try very many cases. The rest
is what the README's second command runs. `--by-file` prints what each file took.
"""

import os
import signal
from collections import Counter
from fnmatch import fnmatch

import pytest

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")

# A shell's background jobs ignore Ctrl-C, and so would the processes that tests interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)

collect_ignore = ["failing_ranks.py", "ranks_against_one.py"]  # programs for mpiexec

# Those that take longest come first, so that several processes end at the same time.
LONG = """
    attacks mutation_study grading_sandbox ranks benchmarks homework_assignments grading_prove
    torch_samples runs_command checker_names examples cli tutorial defaults data_parallel
    sklearn_estimators documentation checker_conventions checker_kinks completion
    convolution_proofs correlation damaged_files datasets_command downloads grading_* killed_runs
    live_curves models onnx_export onnx_load onnx_public_models own_model pictures_*
    printed_mistakes right_layers
"""
SPENT = pytest.StashKey[float]()


def pytest_addoption(parser):
    parser.addoption("--by-file", action="store_true", help="print the time that each file took")


def place_in_long(path):
    """Its place among the files that take long, or None."""
    fits = (i for i, name in enumerate(LONG.split()) if fnmatch(path.stem, f"test_{name}"))
    return next(fits, None)


def pytest_ignore_collect(collection_path, config):
    """Files of the other kind are not even imported, which takes as long as many a test."""
    if collection_path.suffix != ".py" or collection_path.stem in ("conftest", "__init__"):
        return None
    kind = {"long": False, "not long": True}.get(config.option.markexpr)
    is_long = place_in_long(collection_path) is not None
    return True if is_long == kind else None


def pytest_collection_modifyitems(config, items):
    for item in items:
        if item.get_closest_marker("slow") and "slow" not in config.option.markexpr:
            item.add_marker(pytest.mark.skip(reason="slow; run with -m slow"))
        if place_in_long(item.path) is not None:
            item.add_marker(pytest.mark.long)
    items.sort(key=lambda item: place_in_long(item.path) or 0)  # the others as they were


def pytest_collection_finish(session):
    session.config.stash[SPENT] = sum(os.times()[:4])


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Processor time since the report before, that of processes that have ended included."""
    report = yield
    now = sum(os.times()[:4])
    report.processor = now - item.config.stash[SPENT]
    item.config.stash[SPENT] = now
    return report


def pytest_terminal_summary(terminalreporter, config):
    if not config.getoption("by_file"):
        return
    seconds, processor, tests = Counter(), Counter(), Counter()
    for reports in terminalreporter.stats.values():
        for report in reports:
            if hasattr(report, "processor"):
                name = report.nodeid.partition("::")[0]
                seconds[name] += report.duration
                processor[name] += report.processor
                tests[name] += report.when == "call"
    total = f"{seconds.total():.0f} s in all, {processor.total():.0f} s of processor time"
    terminalreporter.section(f"time by file: {total}")
    for name, took in processor.most_common():
        if took >= 1 or seconds[name] >= 1:
            times = f"{took:7.1f} s of processor time  {seconds[name]:7.1f} s"
            terminalreporter.write_line(f"{times}  {tests[name]:5} tests  {name}")
