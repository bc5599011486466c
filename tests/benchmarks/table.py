"""From raw figures to the table: medians, ratios within a round, and their spread."""

import os
import platform
import statistics
import sys
from datetime import date
from importlib import metadata
from pathlib import Path

from nnscratch import compiled
from tests.benchmarks.contestants import OURS
from tests.benchmarks.nets import describe
from tests.benchmarks.threads import THREADS

PACKAGES = ("numpy", "scipy", "torch", "jax", "tinygrad", "scikit-learn", "threadpoolctl")


def machine(threads=THREADS):
    """What the figures depend on: date, processor, versions. {name: text}."""
    versions = {"Python": platform.python_version()}
    for name in PACKAGES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            versions[name] = "not installed"
    return {
        "date": date.today().isoformat(),
        "processor": processor(),
        "processors": str(os.cpu_count()),
        "threads": str(threads),
        "kernels": kernels(),
        "loops": compiled.kernels(),
        "system": f"{platform.system()} {platform.machine()}",
        **versions,
    }


def processor():
    """The processor's name as the system tells it, and its widest vectors where that is known."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or "unknown processor"
    fields = {key.strip(): value.strip() for key, _, value in (s.partition(":") for s in lines)}
    flags = fields.get("flags", "").split()
    widest = next((f" with {name}" for name in ("avx512f", "avx2") if name in flags), "")
    return fields.get("model name", platform.processor()) + widest


def kernels():
    """Which instructions NumPy's products use; torch and jax choose by themselves.

    OPENBLAS_CORETYPE in the environment, as on clusters that want equal results everywhere, may
    hold OpenBLAS to older ones than the processor has.
    """
    try:
        from threadpoolctl import threadpool_info
    except ImportError:
        return "unknown without threadpoolctl"
    libraries = [
        f"{x['internal_api']} {x['architecture']}"
        for x in threadpool_info()
        if x.get("user_api") == "blas" and "architecture" in x
    ]
    return ", ".join(sorted(set(libraries))) or "unknown"


def heading(threads=THREADS):
    about = machine(threads)
    date_, name, count, threads, kinds, loops, system = (about.pop(key) for key in list(about)[:7])
    versions = ", ".join(f"{package} {version}" for package, version in about.items())
    return (
        f"{date_}, {count} x {name}, {system}, {threads} threads each\n"
        f"kernels of NumPy's products: {kinds}; nnscratch's loops: {loops}\n{versions}"
    )


def show(case, figures, file=sys.stdout):
    """Print one case.

    Parameters
    ----------
    case : Case
    figures : {contestant: {"steps": seconds of a step in each round, "megabytes": float or None}}
        Or {contestant: "why there is none"}.
    """
    measured = {name: f for name, f in figures.items() if not isinstance(f, str)}
    ours = [name for name in OURS if name in measured]
    rule = {"sgd": "SGD with momentum", "adam": "Adam"}[case.rule]
    print(f"\n{describe(case.net)}, batch {case.batch_size}, {rule}", file=file)
    titles = "".join(f"{name + ' /':^27}" for name in ours)
    print(f"{'':24}{'a step':>10}{'memory':>9}   {titles}", file=file)
    for name, figure in measured.items():
        step = statistics.median(figure["steps"])
        megabytes = figure["megabytes"]
        memory = "-" if megabytes is None else f"{megabytes:.0f} MB"
        line = f"{name:24}{1e3 * step:>7.3f} ms{memory:>9}   "
        for mine in ours:
            middle, low, high = ratio(measured[mine]["steps"], figure["steps"])
            line += "" if mine == name else f"{middle:.2f} ({low:.2f} to {high:.2f})"
            line = line.ljust(46 + 27 * (ours.index(mine) + 1))
        if (target := target_of(case, name)) is not None and ours:
            best = min(ratio(measured[mine]["steps"], figure["steps"])[0] for mine in ours)
            line += f"target {target}: {'reached' if best <= target else 'missed'}"
        print(line.rstrip(), file=file)
    for name, reason in figures.items():
        if isinstance(reason, str):
            print(f"{name:24}{reason}", file=file)
    file.flush()


def ratio(ours, theirs):
    """(median, least, greatest) of ours / theirs, round by round."""
    ratios = [a / b for a, b in zip(ours, theirs, strict=True)]
    return statistics.median(ratios), min(ratios), max(ratios)


def target_of(case, contestant):
    targets = {
        "torch": case.torch,
        "jax.jit": case.jax,
        "scikit-learn": case.sklearn,
    }
    return targets.get(contestant)
