"""Convert the digits as scikit-learn ships them into the files of `datasets/digits/`.

    python datasets/make_digits.py .../sklearn/datasets/data/digits.csv.gz

Needs nnscratch to be importable. Run again on the same source it writes the same bytes: the gzip
headers hold no time (another zlib may compress to other bytes of the same content), and NumPy
keeps the stream of `default_rng(0).permutation` in practice, though it does not promise to, which
is why the drawn rows are kept in a file and not drawn anew by each user.
"""

import argparse
import hashlib
from pathlib import Path

import numpy as np

from nnscratch.data.idx import save_idx
from nnscratch.data.splits import stratified_split

SOURCE_SHA256 = "09f66e6debdee2cd2b5ae59e0d6abbb73fc2b0e0185d2e1957e9ebb51e23aa22"
TEST_COUNT = 360
SEED = 0
HEADER = f"""\
The {TEST_COUNT} rows (from 0) of the test set; the other rows are for training. Drawn once by
nnscratch.stratified_split(labels, {TEST_COUNT}, rng={SEED}) in make_digits.py.\
"""


def main(arguments: list[str] | None = None) -> None:
    """Check the source, then write images, labels and the rows of the test set."""
    parser = argparse.ArgumentParser(description="Convert digits.csv.gz into IDX files.")
    parser.add_argument("source", type=Path, help="digits.csv.gz of scikit-learn")
    parser.add_argument(
        "--out",
        type=Path,
        default=Path(__file__).parent / "digits",
        metavar="DIR",
        help="where to write the three files (default: %(default)s)",
    )
    options = parser.parse_args(arguments)
    found = hashlib.sha256(options.source.read_bytes()).hexdigest()
    if found != SOURCE_SHA256:
        parser.error(f"{options.source} has SHA-256 {found}, expected {SOURCE_SHA256}")
    # Each line: 64 pixels of one image, row by row, then its label.
    table = np.loadtxt(options.source, delimiter=",", dtype=np.uint8)
    images, labels = table[:, :-1].reshape(-1, 8, 8), table[:, -1]
    _, test = stratified_split(labels, TEST_COUNT, rng=SEED)
    options.out.mkdir(parents=True, exist_ok=True)
    save_idx(options.out / "images-idx3-ubyte.gz", images)
    save_idx(options.out / "labels-idx1-ubyte.gz", labels)
    np.savetxt(options.out / "test_rows.txt", test.reshape(-1, 10), fmt="%4d", header=HEADER)


if __name__ == "__main__":
    main()
