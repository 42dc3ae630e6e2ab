"""`payops diagnose --bundle F`: what was seen in one archive, for whoever is to look at it
elsewhere or later.

    README.txt          what is in it
    manifest.json       format and version, and the SHA-256 of every other file
    observation.json    all results with their timings and Stripe's request ids: `--replay` reads it
    diagnosis.json      what payops made of it, as `-o json` writes it
    diagnosis.md        likewise, as an update for a ticket
    versions.json       of payops, Python, its libraries and the servers
    config.yaml         the configuration in force, secrets by fingerprint
    journal.jsonl       the last entries of the journal

A tar.gz, mode 0600, whole or not at all. Every text in it passed the redactor and lost its e-mail
addresses.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import platform
import re
import tarfile
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from payops import __version__
from payops.config.show import as_yaml
from payops.domain.duration import utc_text
from payops.domain.people import nameless
from payops.domain.secret import redact
from payops.engine.bundle_kept import as_plain, cleaned
from payops.engine.journal import Journal
from payops.engine.whole_file import write_whole
from payops.errors import PayopsError
from payops.reconcile.spool import state_folder

if TYPE_CHECKING:
    from payops.config.settings import Settings
    from payops.domain.runbook import Runbook
    from payops.engine.diagnosis import Seen

FORMAT = "payops-bundle"
SCHEMA_VERSION = 1
OBSERVATION, MANIFEST = "observation.json", "manifest.json"
_ENTRIES = 50
_LIBRARIES = ("stripe", "psycopg", "redis", "duckdb", "msgspec", "urllib3", "PyYAML")
_REQUEST = re.compile(r"\breq_[A-Za-z0-9]{6,40}\b")
_SERVERS = ("postgres.connect", "redis.connect", "stripe.api-version")
_README = """\
What payops saw in one look, and what it made of it. It asks nobody when it is replayed:

    payops diagnose --replay FILE

observation.json  all results with their timings and Stripe's request ids
diagnosis.json    the diagnosis, as `payops diagnose -o json` writes it
diagnosis.md      the same, as an update for a ticket
versions.json     of payops, Python, its libraries and the servers
config.yaml       the configuration in force; secrets are named by their fingerprint
journal.jsonl     the last entries of payops' journal
manifest.json     the SHA-256 of each of these

Secrets and e-mail addresses are masked. Ids of payments, orders and customers are in it, and so are
amounts: treat it as you treat your database's logs.
"""


def write_bundle(
    path: Path,
    seen: Seen,
    settings: Settings,
    pages: Sequence[Runbook],
    diagnosis: Mapping[str, str],
) -> Path:
    """Write the archive; `diagnosis` has its texts by file name. In a folder it is named by the
    time. Gives the file. Raises PayopsError when it cannot be written."""
    made = seen.observation.as_of
    if path.is_dir():
        path = path / f"payops-{made:%Y%m%dT%H%M%SZ}.tar.gz"
    files = {
        "README.txt": _README,
        OBSERVATION: _json(as_plain(seen)),
        **{name: nameless(redact(text)) for name, text in diagnosis.items()},
        "versions.json": _json(cleaned(_versions(seen))),
        "config.yaml": nameless(as_yaml(settings)),
        "journal.jsonl": _journal(state_folder(settings)),
    }
    encoded = {name: text.encode("utf-8", "backslashreplace") for name, text in files.items()}
    manifest = {
        "format": FORMAT,
        "schema_version": SCHEMA_VERSION,
        "made_at": utc_text(made),
        "payops": __version__,
        "runbooks": digest_of(pages),
        "files": {name: hashlib.sha256(content).hexdigest() for name, content in encoded.items()},
    }
    archive = _archive({MANIFEST: _json(manifest).encode(), **encoded}, int(made.timestamp()))
    try:
        write_whole(path, archive, 0o600)
    except OSError as error:
        raise PayopsError(
            f"--bundle: {path}: {error.strerror or error}", hint="another FILE, or more room"
        ) from error
    return path


def digest_of(pages: Sequence[Runbook]) -> str:
    """SHA-256 of the runbooks by which a diagnosis was made: with others it may be another."""
    sums = hashlib.sha256()
    for page in sorted(pages, key=lambda one: one.id):
        sums.update(page.id.encode() + b"\0")
        try:
            sums.update(hashlib.sha256(Path(page.path).read_bytes()).digest())
        except OSError:  # gone since it was read
            sums.update(b"?")
    return sums.hexdigest()


def _json(value: object) -> str:
    return json.dumps(value, indent=1, ensure_ascii=True, allow_nan=False) + "\n"


def _versions(seen: Seen) -> dict[str, Any]:
    checks = {check.id: check.summary for check in seen.observation.checks}
    return {
        "payops": __version__,
        "python": platform.python_version(),
        "system": platform.platform(),
        "libraries": {name: _version(name) for name in _LIBRARIES},
        "servers": {id_: checks[id_] for id_ in _SERVERS if id_ in checks},
        "stripe_requests": sorted(set(_REQUEST.findall(json.dumps(as_plain(seen))))),
    }


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _journal(folder: Path) -> str:
    """The last entries, a line each; what is wrong with the journal, where it cannot be read."""
    try:
        entries = Journal(folder).read().entries[-_ENTRIES:]
    except PayopsError as error:
        entries = ({"error": str(error)},)
    return "".join(json.dumps(cleaned(entry)) + "\n" for entry in entries)


def _archive(files: Mapping[str, bytes], moment: int) -> bytes:
    packed = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=packed, mode="wb", mtime=moment) as zipped,
        tarfile.open(fileobj=zipped, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size, member.mode, member.mtime = len(content), 0o600, moment
            archive.addfile(member, io.BytesIO(content))
    return packed.getvalue()
