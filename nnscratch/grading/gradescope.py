"""The zip that Gradescope runs: setup.sh, run_autograder, the package and the assignment's name.

There a container is made from setup.sh once, and run_autograder grades one submission in it:
/autograder/submission to /autograder/results/results.json. `run` is what it calls.
"""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path

import nnscratch
from nnscratch.files import atomic_write
from nnscratch.grading.spec import WITHHELD, Assignment

SETUP = """\
#!/usr/bin/env bash
# Runs once, when Gradescope builds the container.
set -euo pipefail
root=${{AUTOGRADER:-/autograder}}
apt-get update
apt-get install -y --no-install-recommends python3 python3-venv
if python3 -c 'import sys; sys.exit(sys.version_info < ({python}))'; then
    python3 -m venv "$root/venv"
else  # the image's Python is too old: fetch one beside it
    python3 -m venv "$root/fetch"
    "$root/fetch/bin/pip" install uv
    export UV_PYTHON_INSTALL_DIR=$root/python
    "$root/fetch/bin/uv" venv --seed --python {newer} "$root/venv"
fi
"$root/venv/bin/pip" install {needs}
"""
RUN = """\
#!/usr/bin/env bash
# Runs for each submission; what it prints is for the instructor.
root=$(cd "$(dirname "$0")" && pwd)
python=$root/venv/bin/python
[ -x "$python" ] || python=python3
cd "$root/source"
PYTHONPATH=$root/source exec "$python" -m nnscratch.grading.gradescope \\
    {name} {secret} {level} "$root/submission" "$root/results/results.json"
"""
PYTHON = "3, 11"  # the oldest that the package runs with
NEWER = "3.12"
NEEDS = ("numpy>=2.0", "scipy>=1.13", "matplotlib>=3.9", "tqdm>=4.66", "pooch>=1.8")
WHEN = (2020, 1, 1, 0, 0, 0)  # the same files give the same zip


def write_autograder(assignment: Assignment, path: Path, secret: str, level: int = 2) -> None:
    """Write the autograder's zip.

    Parameters
    ----------
    assignment : Assignment
    path : Path
        A zip that is there is replaced.
    secret : str
        From which each submission's numbers are drawn. It is in the zip, which students never
        see; letters and digits.
    level : int
        Of the sandbox, below which nothing is graded there.
    """
    files: dict[str, tuple[bytes, bool]] = {
        "setup.sh": (setup_script().encode(), True),
        "run_autograder": (
            RUN.format(name=assignment.name, secret=secret, level=level).encode(),
            True,
        ),
    }
    package = Path(nnscratch.__file__).parent
    for source in sorted(package.rglob("*.py")):
        inner = source.relative_to(package)
        if not {"__pycache__", "_homework", "_datasets"} & set(inner.parts):
            files[f"nnscratch/{inner.as_posix()}"] = (source.read_bytes(), False)
    for source in sorted(assignment.folder.rglob("*")):
        inner = source.relative_to(assignment.folder.parent)
        if source.is_file() and not set(WITHHELD) & set(inner.parts[1:]):
            files[f"homework/{inner.as_posix()}"] = (source.read_bytes(), False)
    with atomic_write(path) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, (content, executable) in files.items():
            member = zipfile.ZipInfo(name, WHEN)
            member.external_attr = (0o100755 if executable else 0o100644) << 16
            member.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(member, content)


def setup_script() -> str:
    """What builds the container, with a Python that is new enough."""
    needs = " ".join(f"'{need}'" for need in NEEDS)
    return SETUP.format(python=PYTHON, newer=NEWER, needs=needs)


def run(name: str, secret: str, least: int, submission: Path, target: Path) -> int:
    """Grade the one submission in a folder; 3 and no results.json for a fault of the grader."""
    from nnscratch.grading.classroom import Class
    from nnscratch.grading.grade import grade
    from nnscratch.grading.report import Circumstances, dump, gradescope_json
    from nnscratch.grading.sandbox.errors import SandboxError
    from nnscratch.grading.sandbox.slot import detect_level
    from nnscratch.grading.spec import GraderFault, find
    from nnscratch.grading.submission import read_submission

    assignment = find(name)
    level = detect_level().level
    if level < least:
        print(f"the sandbox reaches level {level} here, expected {least}", file=sys.stderr)
        return 3
    handed_in = read_submission(submission, assignment.starter, "submission")
    try:
        seed = Class(assignment, target.parent, secret, level).seed(handed_in)
        result = grade(assignment, handed_in, seed, level)
    except (GraderFault, SandboxError) as fault:
        print(f"fault of the grader: {fault}", file=sys.stderr)
        return 3
    with atomic_write(target) as file:
        file.write(dump(gradescope_json(result, Circumstances(handed_in.notes))))
    return 0


if __name__ == "__main__":
    _, name, secret, least, submission, target = sys.argv
    sys.exit(run(name, secret, int(least), Path(submission), Path(target)))
