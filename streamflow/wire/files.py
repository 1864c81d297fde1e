"""Finds the data that ships beside the code: ``schemas/`` and ``topology/``.

In a wheel they lie inside the package under ``_data``; in a checkout they stand at the top, for people of every language.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path


@cache
def data_folder(name: str) -> Traversable:
    """The folder ``name``, wherever this installation has it.

    Raises:
        FileNotFoundError: the installation is incomplete.
    """
    packaged = files("streamflow").joinpath("_data", name)
    if packaged.is_dir():
        return packaged
    checkout = Path(__file__).resolve().parents[2] / name
    if checkout.is_dir():
        return checkout
    raise FileNotFoundError(
        f"Expected the folder {name}/ in the installed package or at the top of a checkout, found neither; reinstall"
    )


def read_data(folder: str, path: str) -> bytes:
    """The bytes of one file, by its path with forward slashes."""
    return data_folder(folder).joinpath(*path.split("/")).read_bytes()
