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

LONG = """
    attacks benchmarks checker_conventions checker_kinks checker_names cli completion
    convolution_proofs correlation data_parallel datasets_command documentation downloads
    examples grading_* homework_assignments live_curves models mutation_study onnx_export
    onnx_load onnx_public_models own_model pictures_* printed_mistakes ranks runs_command
    sklearn_estimators torch_samples tutorial
"""


def pytest_addoption(parser):
    parser.addoption("--by-file", action="store_true", help="print the time that each file took")


def pytest_collection_modifyitems(config, items):
    for item in items:
        if item.get_closest_marker("slow") and "slow" not in config.option.markexpr:
            item.add_marker(pytest.mark.skip(reason="slow; run with -m slow"))
        if any(fnmatch(item.path.stem, f"test_{name}") for name in LONG.split()):
            item.add_marker(pytest.mark.long)


def pytest_terminal_summary(terminalreporter, config):
    if not config.getoption("by_file"):
        return
    seconds, tests = Counter(), Counter()
    for reports in terminalreporter.stats.values():
        for report in reports:
            if hasattr(report, "duration"):
                name = report.nodeid.partition("::")[0]
                seconds[name] += report.duration
                tests[name] += report.when == "call"
    terminalreporter.section(f"time by file: {sum(seconds.values()):.0f} s in all")
    for name, took in seconds.most_common():
        if took >= 1:
            terminalreporter.write_line(f"{took:7.1f} s  {tests[name]:5} tests  {name}")
