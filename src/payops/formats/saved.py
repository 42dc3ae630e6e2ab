"""A report in a file: JSON, or Markdown for a ticket; whole or not at all, for its owner alone."""

from __future__ import annotations

import os
import secrets
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from payops.domain.secret import redact
from payops.errors import PayopsError
from payops.formats import render

if TYPE_CHECKING:
    from payops.domain.report import Report

_WIDTH = 100


def save_report(report: Report, path: Path) -> Path:
    """Write the report; where `path` is a folder, into a file there that is named by the time.

    Mode 0600. Raises PayopsError when it cannot be written.
    """
    if path.is_dir():
        name = report.command.replace(" ", "-")
        path = path / f"{name}-{report.generated_at:%Y%m%dT%H%M%SZ}.json"
    output = "markdown" if path.suffix.lower() in (".md", ".markdown") else "json"
    text = redact(render(report, output, colour=False, width=_WIDTH, now=datetime.now(UTC)))
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        file = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(file, "w", encoding="utf-8") as out:
            out.write(text)
            out.flush()
            os.fsync(out.fileno())
        beside.replace(path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise PayopsError(
            f"{path} cannot be written: {error.strerror}", hint="another --save, or more room"
        ) from error
    return path
