"""Proofs: a sound assignment passes, and each unsoundness is found."""

import zlib
from functools import cache

import numpy as np
import pytest

from nnscratch.grading.mutants import mutants
from nnscratch.grading.planted import changed
from nnscratch.grading.prove import prove
from nnscratch.grading.sandbox.slot import detect_level
from nnscratch.grading.spec import GraderFault, read
from nnscratch.grading.starter import starter_of, write_starters
from nnscratch.grading.variants import merged
from tests.grading_assignment import ITEMS, SOLUTION, STARTER, write_assignment

LEVEL = detect_level().level


@pytest.fixture
def folder(tmp_path):
    return write_assignment(tmp_path).folder


def failures(folder):
    return prove(read(folder), 1, LEVEL, jobs=2).failures


def test_a_sound_assignment_is_proved(folder):
    proof = prove(read(folder), 2, LEVEL, jobs=2)
    assert proof.ok, proof.text()
    kinds = {"solution": 1, "right": 1, "starter": 1, "planted": 11, "mutant": 13, "odd": 25}
    assert dict(proof.cases) == kinds
    assert proof.confusion["transposed", "transposed"] == 2
    assert proof.text().splitlines()[-1] == "hw0_layer: proved"
    assert "(other numbers)" in proof.text()


# By the proof in which it is found: changes that hide nothing of one another are proved together.
UNSOUND = [
    ("files", "README.md", "10 + 30", "10 + 31", "the points sum to 101"),
    ("files", "right/loop.py", "axis=0", "axis=1", "right loop: linear_gradients is"),
    ("files", "starter/layers.py", "raise NotImplementedError", "pass", "--write-starter"),
    ("files", "starter/layers.py", "", "", "starter itself: double is none"),
    ("files", "mistakes.toml", "sign =", "factor_2 =", "double.factor_2: double is sign, expected"),
    ("files", "mistakes.toml", "'x * x'", "'x * x', 'x', 'x'", "times in double"),
    ("files", "mistakes.toml", '"Linear.__init__', '"Linear.__init', "which loses something"),
    ("files", "mistakes.toml", "", "", "loses nothing"),
    (
        "solution",
        "solution/layers.py",
        "return 2 * x",
        "return 3 * x",
        "solution itself: double is",
    ),
    (
        "no mistake",
        "mistakes.toml",
        "-2 * x",
        "2 * x",
        "double.sign: double is pass, expected sign",
    ),
    (
        "no mistake",
        "mistakes.toml",
        "squared = ['2 * x', 'x * x']",
        "",
        "no planted mistake reaches",
    ),
    ("no Python", "mistakes.toml", "'-2 * x'", "'(-2 * x'", "double.sign is no Python then"),
    ("no item", "mistakes.toml", "[double]", "[doubled]", "there is no item doubled"),
    ("import", "items.py", "import nnscratch", "1 / 0\nimport nnscratch", "ZeroDivisionError"),
    ("item", "items.py", "2 * x, {", "2 * x['a'], {", "fault of the grader"),
]


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """What the proof of a group of changes finds, which is made once."""

    @cache
    def of_group(group):
        folder = write_assignment(tmp_path_factory.mktemp("unsound")).folder
        for _, file, old, new, _ in [row for row in UNSOUND if row[0] == group]:
            path = folder / file
            content = path.read_text(encoding="utf-8")
            assert old in content
            path.write_text(content.replace(old, new, 1), encoding="utf-8")
        try:
            return failures(folder)
        except GraderFault as fault:
            return [str(fault)]

    return of_group


@pytest.mark.parametrize(("group", "file", "old", "new", "failure"), UNSOUND)
def test_what_is_not_sound_is_found(group, file, old, new, failure, found):
    assert [words for words in found(group) if failure in words], found(group)


def test_an_item_that_passes_anything_is_found(folder):
    lenient = ITEMS.replace("yield compare(", "yield compare('y', 1, 1) or (")
    (folder / "items.py").write_text(lenient, encoding="utf-8")
    assert any("odd returns" in found and "double passes" in found for found in failures(folder))


def test_what_runs_all_together_needs_no_planted_mistake(folder):
    path = folder / "mistakes.toml"
    text = path.read_text(encoding="utf-8").replace("squared = ['2 * x', 'x * x']", "")
    path.write_text(text, encoding="utf-8")
    items = ITEMS.replace('@check("double")', '@check("double", together=True)')
    (folder / "items.py").write_text(items, encoding="utf-8")
    assert not [found for found in failures(folder) if "no planted mistake reaches" in found]


def test_a_mutant_that_is_listed_as_equal_must_be_equal_on_every_seed(folder):
    """Here the first seed's numbers pass everything, and the second's do not."""
    first = float(np.random.default_rng([0, zlib.crc32(b"double")]).normal(size=(4, 3))[0, 0])
    lenient = f"if x[0, 0] == {first!r}:\n        yield compare('y', 1, 1)\n        return\n"
    items = ITEMS.replace("    squared =", f"    {lenient}    squared =")
    (folder / "items.py").write_text(items, encoding="utf-8")
    with (folder / "mistakes.toml").open("a", encoding="utf-8") as file:
        file.write('"double: 2 -> 3 in return 2 * x" = "it is not"\n')
    found = prove(read(folder), 2, LEVEL).failures
    words = "mutant double: 2 -> 3 in return 2 * x: is listed as equal, and loses double (seed 1)"
    assert words in found


def test_without_solutions_there_is_no_proof(folder):
    (folder / "solution" / "layers.py").unlink()
    with pytest.raises(ValueError, match="proofs need a checkout"):
        failures(folder)


def test_a_starter_is_written_where_it_is_not_up_to_date(folder):
    path = folder / "starter" / "layers.py"
    path.write_text("old", encoding="utf-8")
    assert write_starters(folder) == [path]
    assert path.read_text(encoding="utf-8") == STARTER
    assert write_starters(folder) == []


@pytest.mark.parametrize(
    "source", ["# BEGIN SOLUTION\n", "# END SOLUTION\n", "# BEGIN SOLUTION\n# BEGIN SOLUTION\n"]
)
def test_a_mark_without_its_other_is_refused(source):
    with pytest.raises(ValueError, match="without"):
        starter_of(source)


def test_mutants_delete_swap_and_move():
    names = [name for name, _, _ in mutants({"f.py": b"def f(x, y):\n    return g(x, y, 2)"})]
    assert names == [
        "f: delete return g(x, y, 2)",
        "f: swap x, y in g(x, y, 2)",
        "f: swap y, 2 in g(x, y, 2)",
        "f: 2 -> 3 in return g(x, y, 2)",
    ]


def test_equal_mutants_have_names_of_their_own():
    names = [name for name, _, _ in mutants({"f.py": b"def f():\n    return 1 + 1"})]
    assert names[1:] == ["f: 1 -> 2 in return 1 + 1", "f: 1 -> 2 in return 1 + 1 (2)"]


def test_a_new_text_takes_the_old_one_s_indentation():
    solution = {"f.py": b"class A:\n    def f(self):\n        x = 1\n        return x\n"}
    change = ["return x", "if x:\n    x = 2\nreturn x"]
    text = changed(solution, change, ["A"], "two")["f.py"].decode()
    assert text.endswith("        if x:\n            x = 2\n        return x\n")


def test_a_text_is_looked_for_in_the_judged_class_alone():
    solution = {"f.py": b"class A:\n    x = 1\n\n\nclass B:\n    x = 1\n"}
    text = changed(solution, ["x = 1", "x = 2"], ["B"], "two")["f.py"].decode()
    assert text == "class A:\n    x = 1\n\n\nclass B:\n    x = 2\n"


def test_merging_keeps_the_rest():
    source = merged(
        {"layers.py": SOLUTION.encode()},
        b"import math\nclass Linear:\n    def forward(self, x):\n        return math.pi\n",
        "wrong.py",
    )["layers.py"].decode()
    names = {}
    exec(source, names)
    assert names["Linear"](5, 3).forward(None) == pytest.approx(3.14159, abs=1e-5)
    assert hasattr(names["Linear"], "backward")
    assert names["double"](4) == 8


def test_merging_takes_the_bases_that_a_variant_names():
    solution = {"layers.py": b"class A:\n    pass\nclass B:\n    pass\n"}
    names = {}
    exec(merged(solution, b"class B(A):\n    x = 1\n", "wrong.py")["layers.py"], names)
    assert issubclass(names["B"], names["A"])


def test_a_variant_of_nothing_is_refused():
    with pytest.raises(ValueError, match="has nothing that the solution has"):
        merged({"layers.py": SOLUTION.encode()}, b"def other(): pass", "wrong.py")
