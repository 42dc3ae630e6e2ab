"""`payops diagnose --replay F`: reads what `--bundle` wrote, from whomever it comes.

Nothing is unpacked to disk, and nothing is believed: sizes are limited while it is decompressed,
names and kinds of members are those that payops writes, sums are held against the manifest.
"""

from __future__ import annotations

import hashlib
import tarfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from payops.engine.bundle import FORMAT, MANIFEST, OBSERVATION, SCHEMA_VERSION
from payops.engine.bundle_kept import from_plain
from payops.engine.diagnosis import Seen
from payops.errors import UsageError

# A bundle has some 0.5 MB. What is unpacked takes up to 25 times as much memory when it is decoded.
LARGEST_FILE = 8 * 1024 * 1024
LARGEST_CONTENT = 24 * 1024 * 1024
_MEMBERS = frozenset(
    {
        "README.txt",
        MANIFEST,
        OBSERVATION,
        "diagnosis.json",
        "diagnosis.md",
        "versions.json",
        "config.yaml",
        "journal.jsonl",
    }
)
_STEP = 1024 * 1024
_BLOCK = 512


@dataclass(frozen=True)
class Replayed:
    """What was seen, when the bundle was made (as it says), by which payops and runbooks."""

    seen: Seen
    made_at: str
    payops: str
    runbooks: str


def read_bundle(path: Path) -> Replayed:
    """The bundle in a file. Raises UsageError telling what is wrong with it."""
    try:
        return _read(path)
    except UsageError as error:
        raise UsageError(
            f"--replay: {path}: {error}",
            hint=error.hint or "it wants a file that `payops diagnose --bundle FILE` wrote",
        ) from None


def _read(path: Path) -> Replayed:
    members = _members(_decompressed(_content(path)))
    manifest = _document(members, MANIFEST)
    if manifest.get("format") != FORMAT:
        raise UsageError("is no bundle of payops")
    version = manifest.get("schema_version")
    if version != SCHEMA_VERSION:
        raise UsageError(
            f"is of another version of payops (schema {str(version)[:20]}, not {SCHEMA_VERSION})",
            hint=f"replay it with payops {str(manifest.get('payops'))[:40]}",
        )
    sums = manifest.get("files")
    if not isinstance(sums, dict):
        raise UsageError("is damaged: its manifest names no files")
    for name, content in members.items():
        if name != MANIFEST and sums.get(name) != hashlib.sha256(content).hexdigest():
            raise UsageError(f"is damaged: {name} is not what the manifest says")
    seen = from_plain(_document(members, OBSERVATION))
    return Replayed(
        seen,
        str(manifest.get("made_at"))[:40],
        str(manifest.get("payops"))[:40],
        str(manifest.get("runbooks"))[:80],
    )


def _content(path: Path) -> bytes:
    try:
        if not path.is_file():
            raise UsageError("is not a file" if path.exists() else "there is no such file")
        with path.open("rb") as file:
            content = file.read(LARGEST_FILE + 1)
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror}") from None
    if len(content) > LARGEST_FILE:
        raise UsageError("is larger than a bundle can be")
    return content


def _decompressed(content: bytes) -> bytes:
    """The tar in it, never more than there can be of a bundle."""
    unpacking = zlib.decompressobj(wbits=31)  # a gzip header
    found = bytearray()
    rest = content
    try:
        while rest and not unpacking.eof:
            found += unpacking.decompress(rest, _STEP)
            rest = unpacking.unconsumed_tail
            if len(found) > LARGEST_CONTENT:
                raise UsageError("unpacks to more than a bundle can hold")
    except zlib.error:
        raise UsageError("is no tar.gz, or is damaged") from None
    if not unpacking.eof:
        raise UsageError("is damaged: its end is missing")
    return bytes(found)


def _members(content: bytes) -> dict[str, bytes]:
    """The files in a tar, by plain headers alone: those that extend another one (long names, PAX,
    sparse files) can nest without end, or claim to be larger than any disk."""
    found: dict[str, bytes] = {}
    at = 0
    while at < len(content) and content[at : at + 1] != b"\0":  # an empty block ends it
        try:
            member = tarfile.TarInfo.frombuf(content[at : at + _BLOCK], "utf-8", "strict")
        except (tarfile.TarError, ValueError, OverflowError):
            raise UsageError("is no tar.gz, or is damaged") from None
        name = member.name.removeprefix("./")
        plain = member.type in (tarfile.REGTYPE, tarfile.AREGTYPE)
        if name not in _MEMBERS or not plain or name in found:
            raise UsageError(f"holds {name[:60]!r}, which no bundle does")
        begin = at + _BLOCK
        if not 0 <= member.size <= len(content) - begin:
            raise UsageError("is damaged: its end is missing")
        found[name] = content[begin : begin + member.size]
        at = begin + -(-member.size // _BLOCK) * _BLOCK
    for name in (MANIFEST, OBSERVATION):
        if name not in found:
            raise UsageError(f"holds no {name}")
    return found


def _document(members: Mapping[str, bytes], name: str) -> dict[str, Any]:
    try:
        # Strict: NaN and Infinity are no JSON, and no number that anything can be judged by.
        document = msgspec.json.decode(members[name])
    except (ValueError, RecursionError):
        raise UsageError(f"{name} is no JSON") from None
    if not isinstance(document, dict):
        raise UsageError(f"{name} is no object")
    return document
