"""What the commands of `payops lab` have in common: the folder, and the extra's packages."""

from __future__ import annotations

import shlex
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Annotated

import typer

from payops.errors import LabError

DirOption = Annotated[
    Path | None,
    typer.Option("--dir", metavar="DIR", help="Where the lab lives; default: your state folder."),
]


def laboratory_module() -> ModuleType:
    """`payops.lab.laboratory`; the extra's packages are needed only here. Raises LabError."""
    try:
        if find_spec("h11") is None:  # imported late, when half a lab is up
            raise ModuleNotFoundError(name="h11")
        from payops.lab import laboratory
    except ModuleNotFoundError as error:
        raise LabError(
            f"the lab needs {error.name}, which is not installed",
            hint="pip install 'payops[lab]'",
        ) from error
    return laboratory


def where_flag(directory: Path | None) -> str:
    """The option `--dir` as it has to be typed; empty for the default."""
    return f" --dir {shlex.quote(str(directory))}" if directory else ""
