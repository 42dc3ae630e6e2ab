"""The journal's lines: how each holds on to the one before, and where that was broken.

A line is a JSON object with `seq` (from 1), `at`, `kind`, `prev` (the hash of the line before) and
`hash`, the SHA-256 of its own canonical JSON without `hash`. What a crash left half written is no
line; the `repair` line that follows it says how long it was and what its SHA-256 is.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

Entry = dict[str, Any]

FIRST = "0" * 64
"""What the first line holds on to."""


@dataclass(frozen=True)
class Break:
    """Where the chain is not whole: the file's line (1-based) and what is wrong there."""

    line: int
    what: str


@dataclass(frozen=True)
class Chain:
    """All entries up to the first break. `torn` is what a crash left at the end: it was never
    written whole, and the next entry will say so. `ended`: the last line has its line end."""

    entries: tuple[Entry, ...]
    broken: Break | None
    torn: bytes = b""
    repaired: int = 0
    ended: bool = True

    @property
    def seq(self) -> int:
        """The last entry's number, 0 when there is none."""
        return int(self.entries[-1]["seq"]) if self.entries else 0

    @property
    def head(self) -> str:
        """The last entry's hash."""
        return str(self.entries[-1]["hash"]) if self.entries else FIRST


def hash_of(entry: Entry) -> str:
    """SHA-256 (hex) of an entry's canonical JSON without its hash."""
    body = {name: value for name, value in entry.items() if name != "hash"}
    return hashlib.sha256(canonical(body)).hexdigest()


def canonical(value: object) -> bytes:
    """One way to write it, in ASCII."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return text.encode("ascii")


def line_of(entry: Entry) -> bytes:
    """The entry as its line."""
    return canonical(entry) + b"\n"


def read_chain(content: bytes, head: tuple[int, str] | None) -> Chain:
    """The entries of a journal, and the first place where it was touched.

    `head` is the number and hash of the last line as `journal.head` has them; None when that file
    is missing, which is a break of its own once there are entries. It may be older than the last
    line (a crash came in between), never newer.
    """
    entries: list[Entry] = []
    repaired = 0
    torn = b""
    prev, seq = FIRST, 0
    for number, raw in enumerate(_lines(content), start=1):
        entry = _entry(raw)
        if torn:
            what = "is no entry, and no repair after a crash follows"
            if entry is None or not _repairs(entry, torn):
                return Chain(tuple(entries), Break(number - 1, what), repaired=repaired)
            repaired += 1
            torn = b""
        elif entry is None:
            torn = raw
            continue
        wrong = _wrong(entry, seq, prev)
        if wrong:
            return Chain(tuple(entries), Break(number, wrong), repaired=repaired)
        entries.append(entry)
        seq, prev = entry["seq"], entry["hash"]
    wrong_head = _wrong_head(entries, head)
    if torn and content.endswith(b"\n"):
        wrong_head = wrong_head or "is no entry"
    if wrong_head:
        last = content.count(b"\n") + ("cut off" in wrong_head)
        return Chain(tuple(entries), Break(max(1, last), wrong_head), repaired=repaired)
    return Chain(tuple(entries), None, torn, repaired, not content or content.endswith(b"\n"))


def _lines(content: bytes) -> list[bytes]:
    """Each line without its end; the last may have none."""
    lines = content.split(b"\n")
    return lines if lines[-1] else lines[:-1]


def _entry(raw: bytes) -> Entry | None:
    try:
        entry = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    return entry if isinstance(entry, dict) else None


def _repairs(entry: Entry, torn: bytes) -> bool:
    return (
        entry.get("kind") == "repair"
        and entry.get("torn_bytes") == len(torn)
        and entry.get("torn_sha256") == hashlib.sha256(torn).hexdigest()
    )


def _wrong(entry: Entry, seq: int, prev: str) -> str:
    if entry.get("seq") != seq + 1 or isinstance(entry.get("seq"), bool):
        found = entry.get("seq")
        shown = found if isinstance(found, int) else "something else"
        return f"entry {seq + 1} is expected here, {shown} stands here: removed or moved"
    if entry.get("hash") != hash_of(entry):
        return f"entry {seq + 1} was edited: its hash is another"
    if entry.get("prev") != prev:
        return f"entry {seq + 1} does not hold on to the one before, which was edited or replaced"
    return ""


def _wrong_head(entries: list[Entry], head: tuple[int, str] | None) -> str:
    if head is None:
        return "journal.head is missing or not readable: the end may be cut off" if entries else ""
    seq, hash_ = head
    if seq > len(entries):
        return (
            f"the end is cut off: journal.head knows entry {seq}, the last here is {len(entries)}"
        )
    if hash_ != (entries[seq - 1]["hash"] if seq else FIRST):
        return f"entry {seq} is not the one that journal.head knows: written anew"
    return ""
