"""Where runbooks stand: those that payops ships, and a user's own."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator, Mapping
from importlib import resources
from pathlib import Path

from payops.domain.runbook import Runbook
from payops.errors import ConfigError, UsageError
from payops.runbook.read import read_runbook


def shipped() -> Path:
    """The folder of payops' own runbooks: inside the wheel, or beside `src` in a checkout."""
    inside = Path(str(resources.files("payops"))) / "runbooks"
    return inside if inside.is_dir() else Path(__file__).parents[3] / "runbooks"


def own_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """The user's folder of runbooks: `runbooks/` in payops' folder of configuration."""
    base = environ.get("XDG_CONFIG_HOME", "")
    return (Path(base) if base else Path.home() / ".config") / "payops" / "runbooks"


def pages(folder: Path) -> Iterator[Path]:
    """The runbooks' files in a folder, by name; a README is none."""
    if folder.is_dir():
        yield from sorted(
            path for path in folder.glob("*.md") if path.is_file() and path.stem != "README"
        )


def every_runbook(*folders: Path) -> tuple[Runbook, ...]:
    """All runbooks of these folders (payops' own and the user's, where none is given).

    A user's own with the id of one of ours takes its place. Raises ConfigError for a page that
    cannot be read, for a file that is not named by its id, and for two of one folder with one id.
    """
    found: dict[str, Runbook] = {}
    for folder in folders or (shipped(), own_folder()):
        here: dict[str, Runbook] = {}
        for path in pages(folder):
            runbook = read_runbook(path)
            if runbook.id != path.stem:
                raise ConfigError(
                    f"id: is {runbook.id!r}, and the file is named {path.name}", file=str(path)
                )
            here[runbook.id] = runbook
        found |= here
    return tuple(found[id_] for id_ in sorted(found))


def runbook(wanted: str, among: tuple[Runbook, ...]) -> Runbook:
    """The runbook of that id, or the one that repairs the scenario of that id.

    Raises UsageError naming the nearest.
    """
    for each in among:
        if each.id == wanted:
            return each
    for each in among:
        if any(suspect.scenario == wanted for suspect in each.suspects):
            return each
    known = [each.id for each in among]
    near = difflib.get_close_matches(wanted, known, n=1, cutoff=0.4)
    raise UsageError(
        f"there is no runbook {wanted!r}" + (f"; did you mean {near[0]!r}?" if near else ""),
        hint="see `payops runbook list`",
    )
