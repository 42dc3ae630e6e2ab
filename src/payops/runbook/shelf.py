"""Where runbooks stand: those that payops ships, and a user's own.

A user's own page with the id of one of ours takes its place. Since it says what is run, and what a
person is told to do, it must be a file and in a folder that nobody else can write.
"""

from __future__ import annotations

import difflib
import os
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from payops.config.files import only_ours
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


@dataclass(frozen=True)
class Shelf:
    """The runbooks that could be read, by id, and why others could not."""

    runbooks: tuple[Runbook, ...]
    broken: tuple[ConfigError, ...] = ()


def shelf(*folders: Path) -> Shelf:
    """All runbooks of these folders (payops' own and the user's, where none is given).

    One that cannot be used hides no other: at night the rest is needed.
    """
    found: dict[str, Runbook] = {}
    broken: list[ConfigError] = []
    for folder in folders or (shipped(), own_folder()):
        here: dict[str, Runbook] = {}
        for path in pages(folder):
            try:
                page = _of(path, strict=folder != shipped())
            except ConfigError as error:
                broken.append(error)
            else:
                here[page.id] = page
        found |= here
    return Shelf(tuple(found[id_] for id_ in sorted(found)), tuple(broken))


def _of(path: Path, *, strict: bool) -> Runbook:
    if strict:
        refuse_a_strangers(path)
    page = read_runbook(path)
    if page.id != path.stem:
        raise ConfigError(f"id: is {page.id!r}, and the file is named {path.name}", file=str(path))
    return page


def refuse_a_strangers(path: Path) -> None:
    """Raises ConfigError for a page that somebody else could have written, or put there."""
    # Of a link both folders count: where it lies, and where what it names does.
    folders = dict.fromkeys((path.parent, path.resolve().parent))
    for each, what in ((path, "file"), *((folder, "folder") for folder in folders)):
        if not only_ours(each):
            raise ConfigError(
                f"its {what} can be written by others, and a runbook says what is run",
                file=str(path),
                hint=f"if you trust it: chmod go-w {shlex.quote(str(each))}",
            )


def every_runbook(*folders: Path) -> tuple[Runbook, ...]:
    """All runbooks of these folders (payops' own and the user's, where none is given).

    Raises ConfigError for the first page that cannot be used: not readable, not named by its id, a
    user's own that others can write.
    """
    found = shelf(*folders)
    if found.broken:
        raise found.broken[0]
    return found.runbooks


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
