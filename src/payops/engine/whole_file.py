"""A file that is written whole or not at all: whoever reads it never sees half of one."""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path

_MOST_LINKS = 40  # as Linux has it


def write_whole(path: Path, text: str | bytes, mode: int) -> None:
    """Put `text` in the place of what `path` holds, with `mode`; a link is followed, not replaced.

    It is on disk when this returns. Raises OSError, also when there is something else than a file,
    or a link that somebody else may have laid there.
    """
    refuse_a_strangers_link(path)
    path = path.resolve()
    if path.exists() and not path.is_file():
        raise OSError(None, "is not a file", str(path))
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        number = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(number, "wb") as file:
            file.write(text.encode("utf-8") if isinstance(text, str) else text)
            file.flush()
            os.fchmod(number, mode)  # the umask is not asked: the reader must be able to read
            os.fsync(number)
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def refuse_a_strangers_link(path: Path) -> None:
    """In a folder where anybody may put something (/tmp), a link of another user leads where that
    user wants: to a file of ours. The kernel refuses it to whoever opens it
    (fs.protected_symlinks); what is resolved first has to be refused here. Raises OSError.
    """
    if not hasattr(os, "geteuid"):
        return
    path = Path(os.path.abspath(path))
    for _ in range(_MOST_LINKS):
        place = next((one for one in (*reversed(path.parents), path) if one.is_symlink()), None)
        if place is None:
            return
        folder, link = place.parent.stat(), place.lstat()
        if folder.st_mode & stat.S_IWOTH and link.st_uid not in (os.geteuid(), folder.st_uid):
            raise OSError(None, "leads over a link that another user laid", str(place))
        path = Path(os.path.abspath(place.parent / place.readlink() / path.relative_to(place)))
    raise OSError(None, "too many links", str(path))
