"""nnscratch homework: start and check an assignment; grade a class; prove an assignment sound."""

from __future__ import annotations

import argparse
import os
from typing import Any

from nnscratch.commands.homework_chosen import told
from nnscratch.commands.homework_class import run_grade, run_gradescope, run_prove
from nnscratch.commands.homework_student import run_check, run_list, run_start
from nnscratch.commands.options import COUNT, NUMBER

STUDENTS = """\
for students:
  nnscratch homework list
  nnscratch homework start hw3            makes the folder hw3_mlp
  nnscratch homework start hw3 --notebook
  nnscratch homework check hw3_mlp        as often as you like
  nnscratch homework check hw3_mlp --item linear_gradient --seed 7

for instructors:
  nnscratch homework grade hw3 submissions -j 8 --out grades
  nnscratch homework prove hw3
  nnscratch homework gradescope hw3

exit status: 0 done, 1 the job failed, 2 wrong usage, 3 a fault of the grader, never a grade
"""
RAW = argparse.RawDescriptionHelpFormatter


def register(commands: Any) -> None:
    """Add the command's parser to the command line's."""
    homework = commands.add_parser(
        "homework",
        help="start, check and grade homework",
        description="Assignments whose checker says which mistake it was.",
        epilog=STUDENTS,
        formatter_class=RAW,
    )
    homework.set_defaults(command=lambda _: homework.error("which command?"), parser=homework)
    homework.add_argument(
        "--homework",
        type=_own_assignments,
        metavar="DIR",
        help="a folder of further assignments (or the variable NNSCRATCH_HOMEWORK)",
    )
    kinds = homework.add_subparsers(title="commands", metavar="COMMAND")
    _for_students(kinds)
    _for_instructors(kinds)


def _own_assignments(folder: str) -> str:
    """Let the assignments of a folder be known to everything that this process does."""
    known = os.environ.get("NNSCRATCH_HOMEWORK")
    os.environ["NNSCRATCH_HOMEWORK"] = os.pathsep.join([folder, *([known] if known else [])])
    return folder


def _for_students(kinds: Any) -> None:
    listing = kinds.add_parser("list", help="which assignments there are")
    listing.set_defaults(command=run_list, parser=listing)

    start = kinds.add_parser("start", help="get an assignment's files")
    start.set_defaults(command=run_start, parser=start)
    start.add_argument("assignment", metavar="NAME", help="such as hw3")
    start.add_argument("folder", metavar="DIR", nargs="?", help="default the assignment's name")
    start.add_argument("--notebook", action="store_true", help="notebooks instead of .py files")

    check = kinds.add_parser("check", help="check your work, and hear what is wrong")
    check.set_defaults(command=told(run_check), parser=check)
    check.add_argument("folder", metavar="DIR", nargs="?", default=".", help="default this one")
    check.add_argument("--item", metavar="ID", help="only this item")
    check.add_argument("--seed", type=NUMBER, metavar="S", default=0, help="default 0")
    check.add_argument("--assignment", metavar="NAME", help="where the folder does not tell")
    check.add_argument("--save", metavar="FILE.npz", help="write what the first failure was given")
    check.add_argument("--json", action="store_true", help="print results.json instead of words")
    check.add_argument(
        "--allow-weak-sandbox", action="store_true", help="run another user's code below level 2"
    )
    _sandbox_option(check)


def _for_instructors(kinds: Any) -> None:
    grade = kinds.add_parser("grade", help="grade a class")
    grade.set_defaults(command=told(run_grade), parser=grade)
    grade.add_argument("assignment", metavar="NAME", help="such as hw3")
    grade.add_argument(
        "submissions",
        nargs="+",
        metavar="SUBMISSIONS",
        help="export of Canvas, Moodle, Gradescope or Blackboard, zipped or not, or a plain folder",
    )
    grade.add_argument("--out", metavar="DIR", required=True, help="where the results go")
    _jobs_option(grade)
    grade.add_argument("--roster", metavar="CSV", help="the gradebook, as Canvas exports it")
    grade.add_argument("--due", metavar="TIME", help="such as 2026-10-01T23:59, local time")
    grade.add_argument("--late-penalty", metavar="P", help="such as 10%%/day, of the score")
    grade.add_argument("--secret-file", metavar="F", help="holds the secret (default: drawn once)")
    grade.add_argument(
        "--tell-seed", action="store_true", help="tell students their seeds, after the deadline"
    )
    grade.add_argument(
        "--allow-weak-sandbox", action="store_true", help="run strangers' code below level 2"
    )
    _sandbox_option(grade)

    prove = kinds.add_parser("prove", help="show that assignments are sound (needs a checkout)")
    prove.set_defaults(command=told(run_prove), parser=prove)
    prove.add_argument("assignments", metavar="NAME", nargs="*", help="default all")
    prove.add_argument(
        "--write-starter", action="store_true", help="first make starter/ from solution/"
    )
    prove.add_argument("--seeds", type=COUNT, metavar="N", default=20, help="default 20")
    _jobs_option(prove)
    _sandbox_option(prove)

    scope = kinds.add_parser("gradescope", help="write the autograder zip for Gradescope")
    scope.set_defaults(command=run_gradescope, parser=scope)
    scope.add_argument("assignment", metavar="NAME", help="such as hw3")
    scope.add_argument("--out", metavar="FILE", help="default NAME-gradescope.zip")
    scope.add_argument(
        "--allow-weak-sandbox", action="store_true", help="grade there below level 2 too"
    )


def _jobs_option(parser: argparse.ArgumentParser) -> None:
    cores = os.cpu_count() or 1
    parser.add_argument(
        "-j", "--jobs", type=COUNT, metavar="N", default=cores, help="at a time (default: cores)"
    )


def _sandbox_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--sandbox", type=int, choices=range(4), metavar="LEVEL", help="0 to 3 (default: the best)"
    )
