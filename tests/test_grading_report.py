"""Reports: what a student reads, and that nothing of theirs acts on the reader."""

import html.parser

import numpy as np

from nnscratch.gradient_check.report import Finding
from nnscratch.grading.grade import ItemResult, PartResult, Result
from nnscratch.grading.gradebook import grades_csv
from nnscratch.grading.page import page
from nnscratch.grading.report import dump, gradescope_json, text
from nnscratch.grading.roster import COLUMNS
from nnscratch.grading.submission import Submission
from tests.grading_assignment import write_assignment

EVIL = "</pre><script>alert(1)</script>\x1b[2J\u202e100 / 100\x00\udcff"


def result(tmp_path, *findings, output="", student="ada"):
    assignment = write_assignment(tmp_path)
    items = [
        ItemResult(item, tuple(PartResult(points, (finding,), output) for points in item.parts))
        for item, finding in zip(assignment.items, findings, strict=True)
    ]
    submission = Submission(student, {"layers.py": b""})
    return Result(assignment, submission, 11, 2, tuple(items))


PASS = Finding("y", "pass")
WRONG = Finding("dW", "fail", "transposed", "dW has shape (5, 3)\nit is the transpose")
TODO = Finding("linear_gradients", "fail", "not_implemented", "not implemented yet")


def test_what_failed_comes_first_and_the_points_last(tmp_path):
    lines = text(result(tmp_path, PASS, WRONG, TODO), "hw0").splitlines()
    assert lines[0] == "linear_forward: Linear: forward pass  transposed"
    assert lines[1:3] == ["    dW has shape (5, 3)", "    it is the transpose"]
    assert lines[3] == "    again: nnscratch homework check hw0 --item linear_forward --seed 11"
    assert lines[-1] == "30 / 100"
    assert [line.split()[0] for line in lines[-5:-2]] == ["pass", "fail", "todo"]


def test_colours_are_only_where_they_are_asked_for(tmp_path):
    found = result(tmp_path, PASS, WRONG, TODO)
    assert "\x1b[" not in text(found)
    assert "\x1b[31m" in text(found, colour=True)


def test_the_same_error_is_told_once(tmp_path):
    lines = text(result(tmp_path, PASS, WRONG, WRONG)).splitlines()
    assert "    the same in linear_gradients" in lines
    assert sum("it is the transpose" in line for line in lines) == 1
    content = page(result(tmp_path, PASS, WRONG, WRONG)).decode()
    assert content.count("it is the transpose") == 1
    assert "<code>transposed</code>\nthe same as in linear_forward\n</section>" in content
    tests = gradescope_json(result(tmp_path, PASS, WRONG, WRONG))["tests"]
    assert tests[2]["output"] == "transposed\nthe same as in linear_forward"


def test_who_handed_in_nothing_of_use_is_not_told_to_try_an_item(tmp_path):
    nothing = Finding("", "fail", "unreadable", "there is no layers.py in it")
    content = page(result(tmp_path, nothing, nothing, nothing)).decode()
    assert content.count("there is no layers.py in it") == 1
    assert "try:" not in content


def test_control_characters_never_reach_a_reader(tmp_path):
    evil = Finding(EVIL, "fail", "exception", EVIL)
    found = result(tmp_path, evil, evil, PASS, output=EVIL)
    for written in (text(found), page(found).decode(), dump(gradescope_json(found)).decode()):
        assert not set(written) & set("\x1b\u202e\x00")
    assert r"\x1b[2J" in text(found)


class Tags(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.seen, self.attributes = set(), []

    def handle_starttag(self, tag, attrs):
        self.seen.add(tag)
        self.attributes += attrs


def test_page_is_static_and_has_nothing_of_the_students_markup(tmp_path):
    evil = Finding("y", "fail", "exception", EVIL)
    content = page(result(tmp_path, evil, WRONG, PASS, output=EVIL, student=EVIL)).decode()
    tags = Tags()
    tags.feed(content)
    assert tags.seen == {
        "html", "head", "meta", "title", "style", "body",
        "h1", "p", "section", "h2", "pre", "code", "strong", "small",
    }  # fmt: skip
    assert not [name for name, _ in tags.attributes if name.startswith("on") or name == "href"]
    assert ("name", "viewport") in tags.attributes
    assert "&lt;script&gt;" in content


def test_a_section_names_the_item_and_sets_the_cause_apart_from_the_numbers(tmp_path):
    error = Finding("y", "fail", "exception", "NameError: name 'z'\n  File layers.py, line 3")
    sections = page(result(tmp_path, WRONG, error, TODO)).decode().split("<section")[1:]
    assert [section.split("<h2>")[1].split(":")[0] for section in sections] == [
        "double", "linear_forward", "linear_gradients",
    ]  # fmt: skip
    wrong, error, todo = sections
    assert "<p>dW has shape (5, 3)</p>\n<strong>it is the transpose</strong>" in wrong
    again = "nnscratch homework check --item double"
    assert f"<p>try: <code>{again}</code></p>" in wrong
    assert error.index("<strong>NameError") < error.index("<pre>  File layers.py")
    assert "<p>not implemented yet</p>" in todo and "again" not in todo


def test_a_finding_without_words_is_no_fault_of_the_grader(tmp_path):
    found = result(tmp_path, Finding("y", "fail", "limit", ""), PASS, TODO)
    assert "double" in text(found) and b"<code>limit</code>" in page(found)


def test_the_first_finding_is_told_in_full_and_the_others_in_short(tmp_path):
    assignment = write_assignment(tmp_path)
    other = Finding("db", "fail", "sum_over_batch", "db has shape (4, 3)")
    item = ItemResult(assignment.items[0], (PartResult(30, (Finding("dx", "pass"), WRONG, other)),))
    found = Result(assignment, Submission("ada"), 0, 2, (item,))
    assert text(found).splitlines()[1:4] == [
        "    dW has shape (5, 3)", "    it is the transpose", "    also: db, sum_over_batch",
    ]  # fmt: skip


def test_output_of_a_failing_item_is_shown_but_not_without_end(tmp_path):
    found = result(tmp_path, PASS, WRONG, TODO, output="\n".join(map(str, np.arange(50))))
    lines = text(found).splitlines()
    assert "    | 11" in lines and "    | 12" not in lines
    assert "    | ... 38 more lines" in lines


def test_a_name_that_a_terminal_would_act_upon_is_written_out():
    rows = [(dict.fromkeys(COLUMNS, "") | {"Student": "a\x1b[2J\x9b1A"}, "a")]
    assert b"a\\x1b[2J\\x9b1A" in grades_csv("hw1", rows, {"a": {"score": 1}})


def test_cells_that_a_spreadsheet_would_run_are_neutralized():
    names = ("=1+1", "+1", "-1", "@a", "a=b")
    rows = [(dict.fromkeys(COLUMNS, "") | {"Student": n, "SIS Login ID": n}, n) for n in names]
    written = grades_csv("hw1", rows, {n: {"score": 1} for n in names})
    names = [line.split(",")[0] for line in written.decode().splitlines()[1:]]
    assert names == ["'=1+1", "'+1", "'-1", "'@a", "a=b"]
