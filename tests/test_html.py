"""HTML for notebooks: well formed, static, escaped, without colours of its own."""

import re
import xml.etree.ElementTree as ElementTree
from dataclasses import replace

import matplotlib.image
import numpy as np
import pytest

import nnscratch as nn
from nnscratch.display.html import Markup, picture, png, table
from nnscratch.inspection.summary import summary


def parsed(html):
    """The elements; an XML parser is stricter than any browser."""
    closed = re.sub(r"(<img [^>]*)>", r"\1/>", html)
    return ElementTree.fromstring(f"<body>{closed}</body>")


def rows(html):
    return [[cell.text or "" for cell in row] for row in parsed(html).iter("tr")]


def history(epochs=3):
    made = nn.History()
    for epoch in range(epochs):
        made.append(train_loss=1 / (epoch + 1), learning_rate=0.1)
    made.stopped = "finished"
    return made


def report():
    class Wrong(nn.Tanh):
        def backward_pass(self, dy, y):
            return dy * (1 - y)

    return nn.check_gradients(Wrong(), np.random.default_rng(0).normal(size=(3, 4)))


def diagnosed():
    digits = nn.load_dataset("digits")
    model = nn.mlp([64, 16, 10], nn.Tanh, rng=0)
    trainer = nn.Trainer(
        model, nn.SoftmaxCrossEntropy(), nn.SGD(model, 100.0), progress=False, diagnose=True
    )
    return trainer.fit(digits.x_train, digits.y_train, epochs=1, rng=0)


FORMS = {
    "history": history,
    "diagnosed history": diagnosed,
    "dataset": lambda: nn.load_dataset("digits"),
    "report": report,
    "summary": lambda: summary(nn.lenet(rng=0), np.zeros((2, 1, 28, 28))),
}


@pytest.mark.parametrize("name", FORMS)
def test_every_form_is_well_formed_static_and_without_colours(name):
    html = FORMS[name]()._repr_html_()
    root = parsed(html)
    assert {element.tag for element in root.iter()} <= {
        *("body", "div", "table", "thead", "tbody", "tr", "th", "td", "img")
    }
    for element in root.iter():
        assert not [key for key in element.attrib if key.startswith("on")]
        style = element.get("style", "")
        colours = re.findall(r"(?:color|background|border[^:]*): ([^;]*)", style)
        assert set(colours) <= {"inherit", "transparent", "collapse", "1px solid rgba(127, "
                                "127, 127, 0.4)"}  # fmt: skip
        assert element.get("src", "data:image/png;base64,").startswith("data:image/png;base64,")


def test_everything_but_markup_is_escaped():
    html = table(["<h>"], [["<script>alert('&')</script>"], [Markup("<img src='x'>")]], "a < b")
    assert "<script" not in html
    assert rows(html.replace("<img src='x'>", "")) == [
        ["<h>"],
        ["<script>alert('&')</script>"],
        [""],
    ]
    assert "<img src='x'>" in html
    assert html.startswith("<div>a &lt; b</div>")
    assert 'alt="&quot;&gt;&lt;b&gt;"' in picture(np.zeros((1, 2, 2)), '"><b>')


def test_names_from_outside_are_escaped():
    digits = nn.load_dataset("digits")
    names = ("<b>zero</b>", *digits.class_names[1:])
    html = replace(digits, class_names=names, name="<i>")._repr_html_()
    assert "<b>" not in html
    assert "<i>" not in html
    assert rows(html)[1][1] == "<b>zero</b>"

    class Named(nn.Tanh):
        def __repr__(self):
            return "<Named & co>"

    assert rows(summary(nn.Sequential(Named()))._repr_html_())[1] == ["0 <Named & co>", ""]


def test_numbers_stand_to_the_right_and_words_to_the_left():
    html = table(["a", "b", "c"], [["x", "1,234", "5 %"], ["y", "", "nan"]])
    assert [cell.get("style")[12:17] for cell in parsed(html).iter("th")] == [
        "left;",
        "right",
        "right",
    ]


def test_a_history_shows_its_epochs():
    html = history()._repr_html_()
    assert "History of 3 epochs (finished)" in html
    assert rows(html) == [
        ["epoch", "train loss", "learning rate"],
        ["1", "1", "0.1"],
        ["2", "0.5", "0.1"],
        ["3", "0.3333", "0.1"],
    ]


def test_a_long_history_leaves_out_the_middle():
    epochs = [row[0] for row in rows(history(100)._repr_html_())[1:]]
    assert epochs == ["1", "2", "3", "…", *map(str, range(93, 101))]
    assert "…" not in history(12)._repr_html_()
    assert "…" in history(13)._repr_html_()


def test_an_empty_history_has_a_form():
    assert "History of 0 epochs" in nn.History()._repr_html_()


def test_a_diagnosed_history_shows_what_looks_wrong():
    assert "divide the learning rate by" in diagnosed()._repr_html_()


def test_a_dataset_shows_its_classes_with_their_counts_and_one_sample_each():
    digits = nn.load_dataset("digits")
    html = digits._repr_html_()
    found = rows(html)[1:]
    assert [row[:2] for row in found] == [[str(digit), str(digit)] for digit in range(10)]
    assert sum(int(row[2]) for row in found) == 1437
    assert sum(int(row[3]) for row in found) == 360
    assert html.count("<img ") == 10
    assert "1,437 samples to train on and 360 to test on, each 1 × 8 × 8 float32" in html


def test_a_dataset_of_points_shows_no_images():
    digits = nn.load_dataset("digits")
    points = replace(digits, x_train=digits.x_train.reshape(-1, 64)[:, :2])
    assert "<img" not in points._repr_html_()


def test_a_report_shows_verdicts_causes_and_the_call():
    found = report()
    html = found._repr_html_()
    (finding,) = found.findings
    assert rows(html)[1] == ["dx", "✗ fail", finding.code, finding.message]
    assert "again: check_gradients(layer, x, rng=0)" in html
    passed = nn.check_gradients(nn.Tanh(), np.random.default_rng(0).normal(size=(3, 4)))
    assert rows(passed._repr_html_())[1][1] == "✓ pass"
    assert "again" not in passed._repr_html_()


@pytest.mark.parametrize("channels", [1, 3])
def test_pictures_are_pngs_that_matplotlib_reads_back(channels, tmp_path):
    shades = np.random.default_rng(0).integers(0, 256, (channels, 5, 7))
    (tmp_path / "image.png").write_bytes(png(shades / 255))
    read = matplotlib.image.imread(tmp_path / "image.png")  # (height, width) or (h, w, 3)
    expected = shades[0] if channels == 1 else shades.transpose(1, 2, 0)
    np.testing.assert_array_equal(np.rint(255 * read), expected)


def test_values_out_of_range_are_cut_off(tmp_path):
    (tmp_path / "image.png").write_bytes(png(np.array([[[-1.0, 0.5, 2.0]]])))
    read = matplotlib.image.imread(tmp_path / "image.png")
    np.testing.assert_array_equal(np.rint(255 * read), [[0, 128, 255]])
