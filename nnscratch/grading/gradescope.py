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
apt-get update
apt-get install -y --no-install-recommends python3 python3-venv
python3 -m venv /autograder/venv
/autograder/venv/bin/pip install 'numpy>=2.0' 'scipy>=1.13' 'matplotlib>=3.9' 'tqdm>=4.66'
"""
RUN = """\
#!/usr/bin/env bash
# Runs for each submission; what it prints is for the instructor.
root=$(cd "$(dirname "$0")" && pwd)
python=$root/venv/bin/python
[ -x "$python" ] || python=python3
cd "$root/source"
PYTHONPATH=$root/source exec "$python" -m nnscratch.grading.gradescope \\
    {name} {seed} {level} "$root/submission" "$root/results/results.json"
"""
WHEN = (2020, 1, 1, 0, 0, 0)  # the same files give the same zip


def write_autograder(assignment: Assignment, path: Path, seed: int, level: int = 2) -> None:
    """Write the autograder's zip.

    Parameters
    ----------
    assignment : Assignment
    path : Path
        A zip that is there is replaced.
    seed : int
        Of all submissions. It is in the zip, which students never see.
    level : int
        Of the sandbox, below which nothing is graded there.
    """
    files: dict[str, tuple[bytes, bool]] = {
        "setup.sh": (SETUP.encode(), True),
        "run_autograder": (RUN.format(name=assignment.name, seed=seed, level=level).encode(), True),
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


def run(name: str, seed: int, least: int, submission: Path, target: Path) -> int:
    """Grade the one submission in a folder; 3 and no results.json for a fault of the grader."""
    from nnscratch.grading.grade import grade
    from nnscratch.grading.report import dump, gradescope_json
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
        result = grade(assignment, handed_in, seed, level)
    except (GraderFault, SandboxError) as fault:
        print(f"fault of the grader: {fault}", file=sys.stderr)
        return 3
    with atomic_write(target) as file:
        file.write(dump(gradescope_json(result)))
    return 0


if __name__ == "__main__":
    _, name, seed, least, submission, target = sys.argv
    sys.exit(run(name, int(seed), int(least), Path(submission), Path(target)))
