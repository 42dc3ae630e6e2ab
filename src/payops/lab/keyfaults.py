"""Keys that are wrong: payops' own configuration rewritten, and the simulator's keys changed.

The application keeps its keys, so that payments go on: what is wrong is told before it is deployed.
`put_right` restores the file byte for byte.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from pathlib import Path
from typing import Any

from payops.errors import LabError
from payops.lab.scenario import Lab


def made_up(lab: Lab, prefix: str, what: str) -> str:
    """A key of this prefix that no scanner finds, as it is made at run time."""
    text = f"payops lab {lab.info.seed} fault {what}"
    return f"{prefix}lab{hashlib.sha256(text.encode()).hexdigest()[:29]}"


def rewrite(lab: Lab, **values: str) -> None:
    """Set keys of the lab's configuration, each where it stands there: `secret_key`,
    `publishable_key`, `webhook_secrets`, `environment`, `rotated_at`. A value is YAML."""
    path = Path(lab.info.config)
    text = path.read_text(encoding="utf-8")
    _remember(lab, text)
    for name, value in values.items():
        line = re.compile(rf"(?m)^(\s*{name}:).*$")
        count = len(line.findall(text))
        if count != 1:
            raise LabError(
                f"{path} has {count} keys {name}", hint="payops lab down, then payops lab up"
            )
        found = line.search(text)
        assert found is not None  # noqa: S101  counted above
        text = f"{text[: found.start()]}{found.group(1)} {value}{text[found.end() :]}"
    _write(path, text)


def exchange(lab: Lab, old: str, new: str) -> None:
    """Put a value (YAML) in the place of another that stands in the configuration once."""
    path = Path(lab.info.config)
    text = path.read_text(encoding="utf-8")
    _remember(lab, text)
    if text.count(old) != 1:
        raise LabError(
            f"{path} has {old} {text.count(old)} times", hint="payops lab down, then payops lab up"
        )
    _write(path, text.replace(old, new))


def append(lab: Lab, text: str) -> None:
    """Add lines to the end of the lab's configuration: they belong to `keys:`, its last section."""
    path = Path(lab.info.config)
    before = path.read_text(encoding="utf-8")
    _remember(lab, before)
    _write(path, before + text)


def leave_file(lab: Lab, name: str, text: str, *, folder: str = "scenarios") -> Path:
    """Lay a file beside what scenarios remember, or into another folder of the lab; gone when it
    is put right."""
    path = lab.directory / folder / name
    lab.remember(file=str(path))
    _write(path, text)
    return path


def change_key(lab: Lab, key: str, **change: Any) -> None:
    """Tell the simulator of a key, or change one that it knows."""
    added = [*lab.recall().get("added", ()), key]
    if key == lab.info.secret_key:
        lab.remember(revoked=True)
    else:
        lab.remember(added=added)
    lab.stripe.put("/keys", {"key": key, **change})


def put_right(lab: Lab) -> None:
    """Undo all of it, also what was cut short."""
    kept = lab.recall()
    if "configuration" in kept:
        _write(Path(lab.info.config), kept["configuration"])
    if "file" in kept:
        Path(kept["file"]).unlink(missing_ok=True)
    for key in kept.get("added", ()):
        lab.stripe.put("/keys", {"key": key, "removed": True})
    if kept.get("revoked"):
        lab.stripe.put("/keys", {"key": lab.info.secret_key, "revoked": False})


def quoted(text: str) -> str:
    """A text as YAML."""
    return json.dumps(text)


def _remember(lab: Lab, text: str) -> None:
    """Keep the file as it is before the scenario's first change to it."""
    if "configuration" not in lab.recall():
        lab.remember(configuration=text)


def _write(path: Path, text: str) -> None:
    temporary = path.with_suffix(".tmp")
    with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    temporary.replace(path)
