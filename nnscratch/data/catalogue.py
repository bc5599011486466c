"""Which data sets there are: what each holds, who made it, on what terms, and who reads it.

A new data set is one more `Source` here.

Sizes and SHA-256 checksums are those that TensorFlow Datasets states, in the repository
https://github.com/tensorflow/datasets, folder tensorflow_datasets/url_checksums; each set below
names the file. What has no stated checksum is not downloaded.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from nnscratch.data.digits import read_digits
from nnscratch.data.idx_pairs import read_idx_pairs
from nnscratch.data.points import Points, moons, spirals
from nnscratch.data.sources import Framing, Pair, RemoteFile, Source

DIGITS = tuple("0123456789")


def _drawn(function: Callable[..., Points]) -> Any:
    """A reader that draws points, always the same ones."""

    def read(source: Source, paths: Sequence[Path], split: str | None) -> tuple[Pair, Pair]:
        return function(source.train, rng=0), function(source.test, rng=1)

    return read


def _read_cifar(source: Source, paths: Sequence[Path], split: str | None) -> tuple[Pair, Pair]:
    from nnscratch.data.cifar import load_cifar  # tarfile is slow to import

    train, test = load_cifar(paths)
    source.check_labels(train[1], paths[0])
    source.check_labels(test[1], paths[-1])
    return train, test


def _idx_files(*figures: tuple[int, str]) -> tuple[RemoteFile, ...]:
    """The four files of MNIST and of the sets made after it, which bear the same names."""
    names = (
        "train-images-idx3-ubyte.gz",
        "train-labels-idx1-ubyte.gz",
        "t10k-images-idx3-ubyte.gz",
        "t10k-labels-idx1-ubyte.gz",
    )
    return tuple(
        RemoteFile(name, size, sha256) for name, (size, sha256) in zip(names, figures, strict=True)
    )


_SETS = (
    Source(
        name="digits",
        about="handwritten digits, 8x8 grey",
        shape=(1, 8, 8),
        train=1437,
        test=360,
        class_names=DIGITS,
        licence="CC BY 4.0",
        page="https://archive.ics.uci.edu/dataset/80/optical+recognition+of+handwritten+digits",
        read=read_digits,
        splits=("writers",),
        # datasets/README.md: every digit is 8 pixels high; a stroke is about 2 wide
        framing=Framing((8, 7), pen=0.2),
    ),
    Source(
        name="mnist",
        about="handwritten digits, 28x28 grey",
        shape=(1, 28, 28),
        train=60000,
        test=10000,
        class_names=DIGITS,
        licence="CC BY-SA 3.0",
        page="http://yann.lecun.com/exdb/mnist/",
        files=_idx_files(  # tensorflow_datasets/url_checksums/mnist.txt
            (9912422, "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"),
            (28881, "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"),
            (1648877, "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"),
            (4542, "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"),
        ),
        mirrors=(
            "https://storage.googleapis.com/cvdf-datasets/mnist/",
            "https://ossci-datasets.s3.amazonaws.com/mnist/",
        ),
        read=read_idx_pairs,
        # LeCun et al., Gradient-based learning applied to document recognition (1998), III.A
        framing=Framing((20, 20), by_mass=True, pen=0.1),
    ),
    Source(
        name="fashion-mnist",
        about="articles of clothing, 28x28 grey",
        shape=(1, 28, 28),
        train=60000,
        test=10000,
        class_names=(
            "T-shirt/top",
            "Trouser",
            "Pullover",
            "Dress",
            "Coat",
            "Sandal",
            "Shirt",
            "Sneaker",
            "Bag",
            "Ankle boot",
        ),
        licence="MIT",
        page="https://github.com/zalandoresearch/fashion-mnist",
        files=_idx_files(  # tensorflow_datasets/url_checksums/fashion_mnist.txt
            (26421880, "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84"),
            (29515, "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845"),
            (4422102, "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073"),
            (5148, "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5"),
        ),
        mirrors=(
            "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
            "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
            "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
        ),
        package="dataset-fashion-mnist",
        read=read_idx_pairs,
        # Xiao et al., Fashion-MNIST (2017), section 2: trimmed, its longest edge made 28
        framing=Framing((28, 28)),
    ),
    Source(
        name="kmnist",
        about="cursive Japanese characters, 28x28 grey",
        shape=(1, 28, 28),
        train=60000,
        test=10000,
        class_names=("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"),
        licence="CC BY-SA 4.0",
        page="https://github.com/rois-codh/kmnist",
        files=_idx_files(  # tensorflow_datasets/url_checksums/kmnist.txt
            (18165135, "51467d22d8cc72929e2a028a0428f2086b092bb31cfb79c69cc0a90ce135fde4"),
            (29497, "e38f9ebcd0f3ebcdec7fc8eabdcdaef93bb0df8ea12bee65224341c8183d8e17"),
            (3041136, "edd7a857845ad6bb1d0ba43fe7e794d164fe2dce499a1694695a792adfac43c5"),
            (5120, "20bb9a0ef54c7db3efc55a92eef5582c109615df22683c380526788f98e42a1c"),
        ),
        mirrors=(
            "http://codh.rois.ac.jp/kmnist/dataset/kmnist/",
            "https://storage.googleapis.com/s4tf-hosted-binaries/datasets/KMNIST/",
        ),
        read=read_idx_pairs,
        # Clanuwat et al., Deep learning for classical Japanese literature (2018): fills the image
        framing=Framing((28, 28), pen=0.1),
    ),
    Source(
        name="cifar10",
        about="photographs of ten kinds of things, 32x32 colour",
        shape=(3, 32, 32),
        train=50000,
        test=10000,
        class_names=(
            "airplane",
            "automobile",
            "bird",
            "cat",
            "deer",
            "dog",
            "frog",
            "horse",
            "ship",
            "truck",
        ),
        licence="",
        page="https://www.cs.toronto.edu/~kriz/cifar.html",
        files=(  # tensorflow_datasets/url_checksums/cifar10.txt
            RemoteFile(
                "cifar-10-binary.tar.gz",
                170052171,
                "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
            ),
        ),
        mirrors=(
            "https://www.cs.toronto.edu/~kriz/",
            "https://cave.cs.toronto.edu/kriz/",
            "https://storage.googleapis.com/s4tf-hosted-binaries/datasets/CIFAR10/",
        ),
        read=_read_cifar,
    ),
    Source(
        name="spirals",
        about="points on three arms of a spiral",
        shape=(2,),
        train=600,
        test=300,
        class_names=("first arm", "second arm", "third arm"),
        read=_drawn(spirals),
    ),
    Source(
        name="moons",
        about="points on two half circles",
        shape=(2,),
        train=400,
        test=200,
        class_names=("upper moon", "lower moon"),
        read=_drawn(moons),
    ),
)
SOURCES = {source.name: source for source in _SETS}
NAMES = tuple(SOURCES)


def source_of(name: str) -> Source:
    """The data set of that name.

    Raises
    ------
    ValueError
        There is none; the message says which there are.

    Examples
    --------
    >>> source_of("kmnist").shape
    (1, 28, 28)
    """
    if name not in SOURCES:
        raise ValueError(unknown("data set", name, NAMES))
    return SOURCES[name]


def unknown(kind: str, given: object, names: tuple[str, ...]) -> str:
    """The message for a name that there is not, with the likeliest that was meant."""
    close = get_close_matches(str(given).lower().replace("_", "-"), names, n=1)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    there = f"there is {', '.join(names)}{hint}"
    return f"load_dataset: unknown {kind} {given!r}; {there}"
