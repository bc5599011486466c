"""A data set's name -> its files: found in a folder, the cache or the system, else downloaded."""

from __future__ import annotations

import os
from pathlib import Path

from nnscratch.data.catalogue import source_of
from nnscratch.data.sources import Source
from nnscratch.kinds import checks_kinds

SYSTEM = Path("/usr/share/datasets")  # where Debian's packages put data


@checks_kinds
def fetch_dataset(
    name: str, root: str | os.PathLike[str] | None = None, progress: bool = True
) -> Path | None:
    """Make sure that the files of a data set are here.

    Parameters
    ----------
    name : str
    root : str or os.PathLike, optional
        Downloads into ``root/name``; the user's cache unless given.
    progress : bool
        Whether to show a bar, on a terminal.

    Returns
    -------
    folder : pathlib.Path or None
        Where they are; None for what needs no files.

    Raises
    ------
    ValueError
        Unknown name.
    FileNotFoundError
        They are not here and no mirror gives them; the message says which files to put where.
    OSError
        The folder cannot be written to.
    """
    source = source_of(name)
    found = files_here(source, root)
    if found or not source.files:
        return found[0].parent if found else None
    folder = folders(name, root)[0]
    if folder.parent == SYSTEM:
        raise FileNotFoundError(
            f"load_dataset: {name} is not here, and without a home folder nothing is downloaded; "
            "set XDG_CACHE_HOME, or name a folder for it with root= (--root)"
        )
    from nnscratch.data.downloads import DownloadError, download  # slow to import

    for file in source.files:
        if _forms_of(file.name, folder) is None:
            try:
                download(file, source.mirrors, folder, progress=progress)
            except DownloadError as error:
                raise FileNotFoundError(
                    f"load_dataset: {name} is not here, and {error}. {_by_hand(source, folder)}"
                ) from None
    return folder


def files_of(source: Source, root: str | os.PathLike[str] | None) -> list[Path]:
    """The files to read; without a root they are downloaded where they are missing."""
    found = files_here(source, root)
    if found is None and root is None:
        fetch_dataset(source.name)
        found = files_here(source, root)
    if found is None:
        looked = [_looked(source, folder) for folder in folders(source.name, root)]
        folder = folders(source.name, root)[0]
        raise FileNotFoundError(
            f"load_dataset: {source.name} is not here; looked in {'; '.join(looked)}. "
            f"{_by_hand(source, folder)}; or leave root out, to have them downloaded"
        )
    return found


def files_here(source: Source, root: str | os.PathLike[str] | None = None) -> list[Path] | None:
    """All files of a data set from the first folder that has them all, or None."""
    for folder in folders(source.name, root) if source.files else ():
        forms = [_forms_of(file.name, folder) for file in source.files]
        if None not in forms:
            return [path for paths in forms for path in paths or ()]
    return None


def folders(name: str, root: str | os.PathLike[str] | None) -> list[Path]:
    """Where the files of a data set may be, the place for downloads first."""
    if root is not None:
        # several sets have files of the same names: the folder that bears the set's name is sure
        return [Path(root) / name, Path(root)]
    # An empty or relative XDG_CACHE_HOME does not count, says the XDG Base Directory Specification.
    cache = Path(os.environ.get("XDG_CACHE_HOME", ""))
    if not cache.is_absolute():
        try:
            cache = Path.home() / ".cache"
        except RuntimeError:  # a user without a home, as in some containers
            return [SYSTEM / name]
    return [cache / "nnscratch" / name, SYSTEM / name]


def megabytes(size: int) -> str:
    """A file's size for people."""
    return f"{size / 1e6:.1f} MB" if size >= 1e5 else f"{size / 1e3:.1f} kB"


def _forms_of(name: str, folder: Path) -> list[Path] | None:
    """A published file in a folder, unpacked or as it is; None if it is not there."""
    unpacked, places = [name.removesuffix(".gz")], [folder]
    if name.endswith(".tar.gz"):
        unpacked = [*(f"data_batch_{i}.bin" for i in range(1, 6)), "test_batch.bin"]
        places = [folder / "cifar-10-batches-bin", folder]
    candidates = [[place / file for file in unpacked] for place in places]
    candidates.append([folder / name])
    if "-idx" in name:  # as some copies, and what 7-Zip unpacks, name it: train-images.idx3-ubyte
        dotted = name.replace("-idx", ".idx")
        candidates += [[folder / dotted.removesuffix(".gz")], [folder / dotted]]
    for paths in candidates:
        if all(path.is_file() for path in paths):
            return paths
    return None


def _looked(source: Source, folder: Path) -> str:
    missing = [file.name for file in source.files if _forms_of(file.name, folder) is None]
    return f"{folder} ({'lacks ' + ', '.join(missing) if folder.is_dir() else 'no such folder'})"


def _by_hand(source: Source, folder: Path) -> str:
    files = ", ".join(f"{file.name} ({megabytes(file.size)})" for file in source.files)
    package = f"; on Debian `apt install {source.package}` does it" if source.package else ""
    return (
        f"Put {files} from {' or '.join(source.mirrors)} into {folder}, packed or unpacked"
        f"{package}; or name the folder that holds them with root= (--root)"
    )
