"""A file that is written whole or not at all: whoever reads it never sees half of one."""

from __future__ import annotations

import os
import secrets
from pathlib import Path


def write_whole(path: Path, text: str, mode: int) -> None:
    """Put `text` in the place of what `path` holds, with `mode`; a link is followed, not replaced.

    It is on disk when this returns. Raises OSError, also when there is something else than a file.
    """
    path = path.resolve()
    if path.exists() and not path.is_file():
        raise OSError(None, "is not a file", str(path))
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        number = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(number, "w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fchmod(number, mode)  # the umask is not asked: the reader must be able to read
            os.fsync(number)
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
