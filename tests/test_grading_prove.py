"""Proofs: a sound assignment passes, and each unsoundness is found."""

import pytest

from nnscratch.grading.prove import prove
from nnscratch.grading.sandbox.slot import detect_level
from nnscratch.grading.spec import read
from nnscratch.grading.variants import merged
from tests.grading_assignment import ITEMS, README, SOLUTION, TOML, write_assignment

LEVEL = detect_level().level


@pytest.fixture
def folder(tmp_path):
    return write_assignment(tmp_path).folder


def failures(folder):
    return prove(read(folder), 1, LEVEL, jobs=2).failures


def test_a_sound_assignment_is_proved(folder):
    proof = prove(read(folder), 2, LEVEL, jobs=2)
    assert proof.ok, proof.text()
    assert dict(proof.cases) == {"solution": 1, "right": 1, "starter": 1, "wrong": 10, "odd": 16}
    assert proof.confusion["transposed", "transposed"] == 2
    assert proof.text().splitlines()[-1] == "hw0_layer: proved"


@pytest.mark.parametrize(
    ("file", "old", "new", "failure"),
    [
        ("homework.toml", "points = 40", "points = 41", "the points sum to 101"),
        ("homework.toml", "points = 40", "points = 41", "README.md has linear_gradients as"),
        ("README.md", "| `double` | Doubling | 30 |", "", "README.md has no row | `double`"),
        ("README.md", "| `double`", "| `x` | X | 1 |\n| `double`", "a row for x"),
        ("solution/layers.py", "return 2 * x", "return 3 * x", "solution itself: double is"),
        ("right/loop.py", "axis=0", "axis=1", "right loop: linear_gradients is"),
        (
            "starter/layers.py",
            "raise NotImplementedError",
            "pass",
            "starter itself: double is none",
        ),
        (
            "wrong/wrong.toml",
            '"sign"',
            '"factor_2"',
            "wrong negative: double is sign, expected factor_2",
        ),
        ("wrong/wrong.toml", '"sign"', '"sign"\nlinear_forward = "sign"', "linear_forward is pass"),
        ("wrong/negative.py", "-2 * x", "2 * x", "wrong negative: double is pass, expected sign"),
        ("wrong/wrong.toml", "[negative]", "[absent]", "wrong absent is in only one of"),
        ("wrong/squared.py", "x * x", "-2 * x", "no wrong file reaches the items' own squared"),
        ("items.py", "unpack=2", "", "fault of the grader"),
    ],
)
def test_what_is_not_sound_is_found(folder, file, old, new, failure):
    path = folder / file
    content = path.read_text(encoding="utf-8")
    assert old in content
    path.write_text(content.replace(old, new, 1), encoding="utf-8")
    assert [found for found in failures(folder) if failure in found], failures(folder)


def test_an_item_that_passes_anything_is_found(folder):
    lenient = ITEMS.replace("yield compare(", "yield compare('y', 1, 1) or (")
    (folder / "items.py").write_text(lenient, encoding="utf-8")
    assert any("odd returns" in found and "double passes" in found for found in failures(folder))


def test_without_solutions_there_is_no_proof(folder):
    (folder / "solution" / "layers.py").unlink()
    with pytest.raises(ValueError, match="proofs need a checkout"):
        failures(folder)


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


def test_constants_agree():
    assert README.count("| 30 |") == TOML.count("points = 30")
