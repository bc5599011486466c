"""Pictures of one's own: any size, either polarity; placed as the data are; and the command."""

import os
import struct
import tracemalloc
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.image import imsave
from PIL import Image

import nnscratch as nn
from nnscratch.cli import main
from nnscratch.commands.training_run import trained_model
from nnscratch.data.catalogue import source_of
from nnscratch.data.picture_files import open_picture
from nnscratch.data.pictures import find_pictures, read_picture

DIGITS, MNIST, FASHION, CIFAR, MOONS = map(
    source_of, ["digits", "mnist", "fashion-mnist", "cifar10", "moons"]
)


def seven(height=200, width=300, top=30, left=90, thickness=16):
    """A 7 of 120 x 80 pixels, 1 on 0, somewhere on the paper."""
    rows, columns = np.mgrid[:height, :width] - np.array([top, left])[:, None, None]
    bar = (rows >= 0) & (rows < thickness) & (columns >= 0) & (columns < 80)
    slope = np.abs(columns - (80 - thickness / 2 - rows / 3)) < thickness / 2
    return (bar | (slope & (rows >= 0) & (rows < 120))).astype(float)


def as_is(ink):
    return ink


def negative(ink):
    return 1 - ink


def coloured(ink):
    """Dark blue on cream."""
    paper, pen = np.array([1, 0.95, 0.8]), np.array([0.1, 0.1, 0.5])
    return paper + ink[:, :, None] * (pen - paper)


def transparent(ink):
    return np.dstack([np.zeros((*ink.shape, 3)), ink])


def transparent_and_light(ink):
    return np.dstack([np.ones((*ink.shape, 3)), ink])


def faint(ink):
    return 0.7 - 0.25 * ink


def photographed(ink):
    """Under a lamp at the right, with grain and dust."""
    rng = np.random.default_rng(0)
    light = 0.6 + 0.35 * np.linspace(0, 1, ink.shape[1])
    grey = light * (1 - 0.75 * ink) + rng.normal(0, 0.02, ink.shape)
    grey[5:7, 5:7] = 0.1
    return np.clip(np.dstack([grey, 0.95 * grey, 0.9 * grey]), 0, 1)


KINDS = [as_is, negative, coloured, transparent, transparent_and_light, faint, photographed]


def save(path, picture):
    if picture.ndim == 2:
        picture = np.repeat(picture[:, :, None], 3, axis=2)
    imsave(path, picture)
    return path


@pytest.mark.parametrize("source", [DIGITS, MNIST], ids=lambda source: source.name)
@pytest.mark.parametrize("kind", KINDS)
def test_a_digit_looks_the_same_on_any_paper(tmp_path, source, kind):
    plain = read_picture(save(tmp_path / "plain.png", seven()), source)
    other = read_picture(save(tmp_path / "other.png", kind(seven())), source)
    assert (other.dtype, other.shape) == (np.float32, source.shape)
    assert (other.min(), other.max()) == (0, 1)
    assert np.abs(other - plain).mean() < 0.03
    assert np.corrcoef(other.ravel(), plain.ravel())[0, 1] > 0.95


@pytest.mark.parametrize("shape", [(140, 100), (600, 900), (1300, 400)])
def test_neither_place_nor_size_of_the_paper_matters(tmp_path, shape):
    plain = read_picture(save(tmp_path / "plain.png", seven()), MNIST)
    top, left = (shape[0] - 120) // 2, (shape[1] - 80) // 3
    other = read_picture(save(tmp_path / "other.png", seven(*shape, top, left)), MNIST)
    assert np.corrcoef(other.ravel(), plain.ravel())[0, 1] > 0.97


@pytest.mark.parametrize("factor", [2, 3, 5])
def test_a_smaller_picture_gives_nearly_the_same(tmp_path, factor):
    plain = read_picture(save(tmp_path / "plain.png", seven(240, 240)), MNIST)
    side = 240 // factor
    small = seven(240, 240).reshape(side, factor, side, factor).mean(axis=(1, 3))
    other = read_picture(save(tmp_path / "other.png", small), MNIST)
    assert np.corrcoef(other.ravel(), plain.ravel())[0, 1] > 0.9


def extent(image):
    rows, columns = (np.flatnonzero((image > 0.3).any(axis=axis)) for axis in (1, 0))
    return rows[0], rows[-1], columns[0], columns[-1]


def test_mnist_has_a_box_of_20_and_the_centre_of_mass_in_the_middle(tmp_path):
    image = read_picture(save(tmp_path / "seven.png", negative(seven())), MNIST)[0]
    top, bottom, left, right = extent(image)
    assert bottom - top + 1 == 20
    assert abs((right - left + 1) / 20 - 80 / 120) < 0.08  # proportions kept
    places = np.mgrid[:28, :28]
    centre = [(image * axis).sum() / image.sum() for axis in places]
    np.testing.assert_allclose(centre, [13.5, 13.5], atol=0.55)
    middle = (top + bottom) / 2
    assert middle > 14.5  # a 7 is heavy at its top, which the box alone would not see


def test_digits_are_8_high_and_their_outline_is_in_the_middle(tmp_path):
    image = read_picture(save(tmp_path / "seven.png", negative(seven())), DIGITS)[0]
    top, bottom, left, right = extent(image)
    assert (top, bottom) == (0, 7)
    assert abs((left + right) / 2 - 3.5) <= 0.5


def test_a_fine_pen_gives_as_much_ink_as_the_data_have(tmp_path):
    ink = [
        read_picture(save(tmp_path / "x.png", negative(seven(thickness=t))), DIGITS).mean()
        for t in (3, 6, 12, 24)
    ]
    assert max(ink) < 1.3 * min(ink)


def test_clothes_keep_their_shades_and_fill_the_image(tmp_path):
    picture = np.ones((300, 200))
    picture[50:260, 60:150] = 0.8
    picture[100:120, 60:150] = 0.2
    image = read_picture(save(tmp_path / "shirt.png", picture), FASHION)[0]
    assert extent(np.where(image > 0.1, 1, 0))[:2] == (0, 27)
    assert abs(np.median(image[20:26, 12:16]) - 0.2) < 0.02
    assert abs(image[8, 14] - 0.8) < 0.02


@given(seed=st.integers(0, 1000), dark=st.booleans())
def test_a_picture_of_the_data_s_own_size_is_taken_as_it_is(tmp_path_factory, seed, dark):
    image = nn.load_dataset("digits").x_test[seed % 360, 0].astype(float)
    path = tmp_path_factory.getbasetemp() / "own.png"
    save(path, 1 - image if dark else image)
    got = read_picture(path, DIGITS)[0]
    np.testing.assert_allclose(got, image, atol=0.005)


def test_colours_stay_and_the_middle_square_is_cut_out(tmp_path):
    picture = np.zeros((64, 100, 3))
    picture[:, :18] = picture[:, 82:] = [1, 1, 1]  # outside the square
    picture[:32, 18:82] = [1, 0, 0]
    picture[32:, 18:82] = [0, 0.5, 1]
    image = read_picture(save(tmp_path / "flag.png", picture), CIFAR)
    assert image.shape == (3, 32, 32)
    np.testing.assert_allclose(image[:, 8, :].T, np.tile([1, 0, 0], (32, 1)), atol=0.01)
    np.testing.assert_allclose(image[:, 24, :].T, np.tile([0, 0.5, 1], (32, 1)), atol=0.01)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_every_kind_of_png_is_read(tmp_path, mode):
    from PIL import Image

    grey = Image.fromarray((255 * negative(seven())).astype(np.uint8))
    if mode == "I;16":
        picture = Image.fromarray((65535 * negative(seven())).astype(np.uint16))
    else:
        picture = grey.convert(mode)
    picture.save(tmp_path / "kind.png")
    plain = read_picture(save(tmp_path / "plain.png", negative(seven())), MNIST)
    np.testing.assert_allclose(read_picture(tmp_path / "kind.png", MNIST), plain, atol=0.01)


@pytest.mark.parametrize("source", [DIGITS, MNIST, FASHION], ids=lambda source: source.name)
@pytest.mark.parametrize("blank", ["white", "grey", "black", "grain", "of its own size"])
def test_an_empty_picture_is_refused(tmp_path, source, blank):
    level = {"white": 1.0, "grey": 0.5, "black": 0.0}.get(blank, 0.6)
    picture = np.full(source.shape[1:] if blank == "of its own size" else (90, 70), level)
    if blank == "grain":
        picture = picture + np.random.default_rng(0).normal(0, 0.01, picture.shape)
    with pytest.raises(ValueError, match=r"blank.png: shows nothing"):
        read_picture(save(tmp_path / "blank.png", picture), source)


@pytest.mark.parametrize("content", [b"", b"hello", b"\x89PNG\r\n\x1a\n", "half"])
def test_a_file_that_is_no_picture_is_refused(tmp_path, content):
    path = tmp_path / "bad.png"
    if content == "half":
        save(path, photographed(seven()))
        content = path.read_bytes()[:2000]
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"bad.png: not a picture that can be read.*PNG"):
        read_picture(path, MNIST)


def test_a_set_without_a_framing_of_its_own_takes_whole_pictures(tmp_path):
    source = replace(MNIST, name="new", framing=None)
    image = read_picture(save(tmp_path / "seven.png", seven(200, 200)), source)
    assert (image.shape, image.dtype) == ((1, 28, 28), np.float32)
    assert image[0, -5:].max() < 0.01  # nothing was moved: the paper below stays
    assert image[0, 5, 14:20].min() == 1


def png_of(width, height):
    """A PNG file that claims a size and has a few bytes."""
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)), (b"IEND", b"")]
    chunks.insert(1, (b"IDAT", zlib.compress(bytes(1000))))
    packed = (
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(packed)


@pytest.mark.parametrize(
    "content",
    [
        png_of(40_000, 40_000),
        png_of(9000, 9000),
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\nshowpage\n",
        b"",
        png_of(8, 8)[:40],
    ],
    ids=["huge", "large", "program", "empty", "cut"],
)
@pytest.mark.parametrize("name", ["x.png", "x.jpg"])
def test_what_is_no_picture_or_too_large_a_one_is_refused_unread(tmp_path, content, name):
    (tmp_path / name).write_bytes(content)
    tracemalloc.start()
    with pytest.raises(ValueError, match=f"{name}: not a picture that can be read"):
        read_picture(tmp_path / name, MNIST)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 20e6


def test_a_pipe_is_no_picture(tmp_path):
    os.mkfifo(tmp_path / "x.png")
    with pytest.raises(ValueError, match="no regular file"):
        read_picture(tmp_path / "x.png", MNIST)


def test_grey_of_16_bits_and_a_photograph_are_read(tmp_path):
    ramp = np.linspace(0, 65535, 256).astype(np.uint16).reshape(16, 16)
    Image.fromarray(ramp).save(tmp_path / "deep.png")
    picture = open_picture(tmp_path / "deep.png")
    np.testing.assert_allclose(picture[:, :, 0], ramp / 65535, atol=1e-4)
    Image.new("RGB", (5000, 40), (255, 0, 0)).save(tmp_path / "wide.jpg")
    picture = open_picture(tmp_path / "wide.jpg")
    assert picture.shape[1] <= 2048
    np.testing.assert_allclose(picture.mean(axis=(0, 1)), [1, 0, 0, 1], atol=0.01)


def test_points_have_no_pictures(tmp_path):
    with pytest.raises(ValueError, match="moons has no images"):
        read_picture(tmp_path / "x.png", MOONS)


def test_a_folder_gives_its_pngs_in_order(tmp_path):
    for name in ("b.png", "a.PNG", "c.txt", "._b.png"):
        (tmp_path / name).write_text("")
    (tmp_path / "folder.png").mkdir()
    assert [path.name for path in find_pictures([tmp_path, "x.jpg"])] == ["a.PNG", "b.png", "x.jpg"]
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileNotFoundError, match="empty holds no picture"):
        find_pictures([tmp_path / "empty"])


# --- the command ---


@pytest.fixture(scope="module")
def digits_run(tmp_path_factory):
    """A trained run, made once."""
    folder = tmp_path_factory.mktemp("runs") / "digits"
    assert main(["train", "--quiet", "--epochs", "8", "--hidden", "64", "--out", str(folder)]) == 0
    return folder


@pytest.fixture
def predict(digits_run, tmp_path, monkeypatch, capsys):
    """Run the command in an empty folder: (exit status, standard output, standard error)."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments):
        try:
            status = main(["predict", str(digits_run), *map(str, arguments)])
        except SystemExit as exit:
            status = exit.code
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return call


def test_pictures_of_the_test_images_get_the_network_s_own_answers(predict, digits_run):
    _, model = trained_model(digits_run)
    data = nn.load_dataset("digits")
    Path("p").mkdir()
    for i in range(40):
        image = data.x_test[i, 0]
        save(f"p/{i:02}.png", 1 - image if i % 2 else image)
    status, out, err = predict("p")
    assert (status, err) == (0, "")
    expected = model.forward(data.x_test[:40]).argmax(axis=1)
    lines = [line.split() for line in out.splitlines()]
    assert [path for path, *_ in lines] == [f"p/{i:02}.png" for i in range(40)]
    assert [answer for _, answer, *_ in lines] == [f"{k}:" for k in expected]
    assert np.mean(expected == data.y_test[:40]) > 0.9


def test_all_probabilities_are_there_and_sum_to_one(predict):
    save("seven.png", negative(seven()))
    _, out, _ = predict("seven.png", "--top", 10)
    shares = [float(part.rstrip("%")) for part in out.split() if part.endswith("%")]
    assert len(shares) == 10
    assert shares == sorted(shares, reverse=True)
    assert abs(sum(shares) - 100) < 0.6
    assert out.startswith("seven.png  7: ")
    assert predict("seven.png")[1].count("%") == 3
    assert predict("seven.png", "--top", 1)[1].count("%") == 1


def test_a_bad_picture_is_one_line_and_the_others_are_still_read(predict):
    save("good.png", seven())
    save("blank.png", np.ones((30, 30)))
    status, out, err = predict("good.png", "blank.png", "none.png")
    assert status == 1
    assert out.startswith("good.png  7")
    assert err.splitlines() == [
        "nnscratch: error: blank.png: shows nothing that differs from its edge",
        "nnscratch: error: none.png: No such file or directory",
    ]
    status, out, err = predict("none.png")
    assert (status, out, err.count("\n")) == (1, "", 1)


def test_what_the_network_gets_can_be_drawn(predict, tmp_path):
    save("seven.png", seven())
    assert predict("seven.png", "--show", "seen.png")[1].endswith("wrote seen.png\n")
    assert (tmp_path / "seen.png").stat().st_size > 3000


def test_wrong_usage_is_one_line_and_status_2(predict):
    for arguments, message in (
        ([], "required: IMAGE"),
        (["x.png", "--top", 0], "expected a whole number of at least 1"),
    ):
        status, out, err = predict(*arguments)
        assert (status, out, err.count("\n")) == (2, "", 1)
        assert message in err


def test_predicting_reads_no_data(predict, monkeypatch):
    monkeypatch.setattr("nnscratch.commands.training_run.load_dataset", lambda *_, **__: 1 / 0)
    save("seven.png", seven())
    assert predict("seven.png")[0] == 0


# --- plot ---


def test_plot_draws_confusions_and_weights(digits_run, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for option, name in (("--confusion", "confusion.png"), ("--weights", "weights.png")):
        assert main(["plot", str(digits_run), option]) == 0
        assert capsys.readouterr().out == f"wrote {digits_run / name}\n"
        assert (digits_run / name).stat().st_size > 10_000
        assert main(["plot", str(digits_run), option, "--out", "own.png"]) == 0
        assert (tmp_path / "own.png").read_bytes() == (digits_run / name).read_bytes()
        capsys.readouterr()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["a", "b", "--confusion"], "--confusion is of one run, received 2 folders"),
        (["a", "--weights", "--log"], "--log is for curves"),
        (["a", "--weights", "--confusion"], "not allowed with argument"),
    ],
)
def test_wrong_combinations_for_plot_are_one_line_and_status_2(capsys, options, message):
    with pytest.raises(SystemExit) as caught:
        main(["plot", *options])
    captured = capsys.readouterr()
    assert (caught.value.code, captured.out, captured.err.count("\n")) == (2, "", 1)
    assert message in captured.err


def test_weights_of_points_are_refused(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["train", "--data", "moons", "--epochs", "1", "--quiet", "--out", "m"]) == 0
    assert main(["plot", "m", "--weights"]) == 1
    assert "which has no images; draw its curves" in capsys.readouterr().err
