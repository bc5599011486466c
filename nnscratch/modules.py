"""A Python file named by its path -> the module that it makes."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType


def load_module(path: Path, name: str) -> ModuleType:
    """Run a file as a module of that name, where dataclasses and pickle find it.

    Parameters
    ----------
    path : pathlib.Path
    name : str
        Replaces a module that had it. After an exception there is none.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    Exception
        Whatever the file itself raises.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "layers.py")
    ...     _ = path.write_text("depth = 3")
    ...     load_module(path, "a_students_layers").depth
    3
    """
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is no Python file; its name ends in .py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        sys.modules.pop(name, None)
        raise
    return module
