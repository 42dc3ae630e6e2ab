"""Which files a scan looks at, in which parts, and how one is read: plain or compressed.

Folders are walked; symbolic links in them are not followed, and what is no regular file (devices,
pipes, sockets) is left out: reading it could wait for ever, or change something. A file that is
named on the command line may be a link.
"""

from __future__ import annotations

import bz2
import codecs
import gzip
import io
import lzma
import os
import stat
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import BinaryIO, cast

from payops.keys.patterns import REACH, KnownSecret
from payops.keys.scan_findings import Findings
from payops.keys.scan_text import TextScan, scan_all
from payops.keys.scan_window import Window

PART = 16 << 20
"""Bytes of a plain file that are one piece of work, so that one large log keeps every core busy."""
LATE = "the deadline came first"
"""How the failure of a part ends for which there was no time."""
_MOST_PARTS = 4096  # of one file: /proc/kcore says that it has 128 TB, a file of holes may too
# xz -9 needs 65 MB; a file of 150 kB may ask for 4 GB, and each process would need as much.
_MOST_XZ = 256 << 20
_HEAD = 1 << 13  # looked at for what kind of file it is
_PACKED: tuple[tuple[bytes, Callable[[BinaryIO], BinaryIO]], ...] = (
    (b"\x1f\x8b", lambda file: cast(BinaryIO, gzip.GzipFile(fileobj=file))),
    (b"BZh", lambda file: cast(BinaryIO, bz2.BZ2File(file))),
    (b"\xfd7zXZ\x00", lambda file: cast(BinaryIO, io.BufferedReader(_Xz(file)))),
)
# Packed in a way that the standard library cannot open, or that holds many files.
_CLOSED = {
    b"\x28\xb5\x2f\xfd": "zstd: `zstdcat FILE | payops keys scan -`",
    b"PK\x03\x04": "a zip archive: `unzip -p FILE | payops keys scan -`",
    b"\x04\x22\x4d\x18": "lz4: `lz4cat FILE | payops keys scan -`",
    b"7z\xbc\xaf\x27\x1c": "a 7z archive: unpack it and scan the folder",
}
_WIDE = {
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


@dataclass(frozen=True)
class Part:
    """Bytes `begin` to `end` of a file (None: to its end); `number` counts the file's parts."""

    path: str
    number: int = 0
    begin: int = 0
    end: int | None = None
    linked: bool = False
    """Whether a symbolic link may be followed: of a file that was named itself."""


@dataclass(frozen=True)
class Job:
    """What every part of one run is scanned for."""

    secrets: tuple[KnownSecret, ...]
    salt: bytes
    strict: bool = False

    def findings(self) -> Findings:
        """An empty collection for one part."""
        return Findings(self.salt, self.strict)


@dataclass
class Scanned:
    """What came of one part: findings, bytes read (unpacked), line breaks, and why it is not whole
    (empty when it is)."""

    part: Part
    findings: Findings
    read: int = 0
    lines: int = 0
    binary: bool = False
    failure: str = ""


@dataclass
class Walk:
    """What was found under the paths given: parts to be scanned, and what was left out."""

    parts: list[Part] = field(default_factory=list)
    size: int = 0
    links: int = 0
    special: int = 0
    old: int = 0
    """Files not changed since `--since`."""
    unreadable: list[tuple[str, str]] = field(default_factory=list)


def walked(paths: Sequence[str], since: float | None = None) -> Walk:
    """The files under `paths`, each once; those unchanged since `since` (epoch seconds) left out.

    What was named itself is looked at however old it is.
    """
    walk = Walk()
    seen: set[tuple[int, int]] = set()
    for path in paths:
        try:
            status = os.stat(path)
        except OSError as error:
            walk.unreadable.append((path, _why(error)))
            continue
        if stat.S_ISDIR(status.st_mode):
            for each, found in _below(path, walk):
                if since is not None and found.st_mtime < since:
                    walk.old += 1
                else:
                    _take(walk, seen, each, found, linked=False)
        elif stat.S_ISREG(status.st_mode):
            _take(walk, seen, path, status, linked=True)
        else:
            walk.unreadable.append((path, "is no file: a pipe is read by `payops keys scan -`"))
    return walk


def _below(folder: str, walk: Walk) -> Iterator[tuple[str, os.stat_result]]:
    def failed(error: OSError) -> None:
        walk.unreadable.append((str(error.filename), _why(error)))

    for here, folders, files in os.walk(folder, onerror=failed, followlinks=False):
        folders.sort()
        walk.links += sum(os.path.islink(os.path.join(here, name)) for name in folders)
        for name in sorted(files):
            path = os.path.join(here, name)
            try:
                status = os.lstat(path)
            except OSError as error:
                walk.unreadable.append((path, _why(error)))
                continue
            if stat.S_ISLNK(status.st_mode):
                walk.links += 1
            elif not stat.S_ISREG(status.st_mode):
                walk.special += 1
            else:
                yield path, status


def _take(
    walk: Walk, seen: set[tuple[int, int]], path: str, status: os.stat_result, *, linked: bool
) -> None:
    identity = (status.st_dev, status.st_ino)
    if identity in seen:  # given twice, or another name of the same file
        return
    seen.add(identity)
    walk.size += status.st_size
    step = max(PART, -(-status.st_size // _MOST_PARTS))
    begins = range(0, max(status.st_size, 1), step)
    if len(begins) > 1 and is_packed(path):
        begins = range(1)
    for number, begin in enumerate(begins):
        # The last part goes to the end, wherever that is by then.
        end = begin + step if number + 1 < len(begins) else None
        walk.parts.append(Part(path, number, begin, end, linked))


def is_packed(path: str) -> bool:
    """Whether a file's bytes mean something only from the beginning on."""
    try:
        with open(path, "rb") as file:
            head = file.read(8)
    except OSError:
        return False
    return head.startswith((*(magic for magic, _ in _PACKED), *_CLOSED, *_WIDE))


def scan_part(part: Part, job: Job, stopped: Callable[[], bool]) -> Scanned:
    """Scan one part; whatever hinders that is told in `failure`, with what was found until then."""
    done = Scanned(part, job.findings())
    try:
        with ExitStack() as stack:
            flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
            if not part.linked:
                flags |= getattr(os, "O_NOFOLLOW", 0)
            raw = stack.enter_context(open(os.open(part.path, flags), "rb", buffering=0))
            if not stat.S_ISREG(os.fstat(raw.fileno()).st_mode):  # exchanged since the walk
                done.failure = "is no regular file"
                return done
            _scan_open(raw, part, job, done, stopped)
    except EOFError:
        done.failure = (
            done.failure or "ends in the middle of its packed text: what came before it was scanned"
        )
    except (OSError, zlib.error, lzma.LZMAError, UnicodeError) as error:
        done.failure = _why(error)
    return done


def scan_stream(read: Callable[[int], bytes], job: Job, stopped: Callable[[], bool]) -> Scanned:
    """Scan what `read` gives until it gives nothing: standard input."""
    done = Scanned(Part("-"), job.findings())
    head = read(_HEAD)
    whole = _Whole(read, head)
    if any(head.startswith(magic) for magic in _CLOSED):
        done.failure = "is packed: unpack it before the pipe"
        return done
    try:
        with ExitStack() as stack:
            unpacked = _unpacked(head, cast(BinaryIO, io.BufferedReader(whole)), stack)
            _run(unpacked, TextScan(Window(job.secrets), done.findings), done, stopped)
    except EOFError:
        done.failure = (
            done.failure or "ends in the middle of its packed text: what came before it was scanned"
        )
    except (OSError, zlib.error, lzma.LZMAError) as error:
        done.failure = _why(error)
    return done


def _scan_open(
    raw: io.FileIO, part: Part, job: Job, done: Scanned, stopped: Callable[[], bool]
) -> None:
    window = Window(job.secrets)
    with ExitStack() as stack:
        if part.begin or part.end is not None:
            first = max(0, part.begin - REACH)
            raw.seek(first)
            read = raw.read if part.end is None else _at_most(raw.read, part.end + REACH - first)
            owned = (part.begin, part.end)
            scan = TextScan(window, done.findings, offset=first, owned=owned)
            _run(read, scan, done, stopped)
            # What lies beyond the part was read for its edges alone.
            done.read = max(0, done.read - (part.begin - first))
            if part.end is not None:
                done.read = min(done.read, part.end - part.begin)
            return
        head = raw.read(_HEAD) or b""
        raw.seek(0)
        for magic, what in _CLOSED.items():
            if head.startswith(magic):
                done.failure = what
                return
        encoding = next((name for bom, name in _WIDE.items() if head.startswith(bom)), "")
        if encoding:
            _run(_decoded(raw.read, encoding), TextScan(window, done.findings), done, stopped)
            return
        unpacked = _unpacked(head, cast(BinaryIO, raw), stack)
        _run(unpacked, TextScan(window, done.findings), done, stopped)


def _run(
    read: Callable[[int], bytes], scan: TextScan, done: Scanned, stopped: Callable[[], bool]
) -> None:
    def counted(most: int) -> bytes:
        piece = read(most) or b""  # None: a file of the kernel's that has nothing now
        if not done.read and not done.part.number:
            done.binary = b"\0" in piece[:_HEAD]
        done.read += len(piece)
        return piece

    try:
        if not scan_all(counted, scan, stopped):
            done.failure = f"not read to its end: {LATE}"
    except BaseException:
        scan.finish()  # what was read is looked at to its end
        raise
    finally:
        done.lines = scan.lines


def _unpacked(head: bytes, file: BinaryIO, stack: ExitStack) -> Callable[[int], bytes]:
    """Reads a file as it is, or what is packed in it."""
    for magic, opened in _PACKED:
        if head.startswith(magic):
            # Not `read`, which loses what it has when the file ends too early.
            return _gathered(stack.enter_context(opened(file)).read1)  # type: ignore[attr-defined]
    return file.read


def _gathered(read: Callable[[int], bytes]) -> Callable[[int], bytes]:
    """Reads that give little at a time, in pieces of the size asked for; an error comes after what
    was read before it."""
    failed: Exception | None = None

    def whole(most: int) -> bytes:
        nonlocal failed
        if failed is not None:
            raise failed
        pieces: list[bytes] = []
        size = 0
        while size < most:
            try:
                piece = read(most - size)
            except (OSError, EOFError, zlib.error, lzma.LZMAError) as error:
                if not pieces:
                    raise
                failed = error
                break
            if not piece:
                break
            pieces.append(piece)
            size += len(piece)
        return b"".join(pieces)

    return whole


def _at_most(read: Callable[[int], bytes], left: int) -> Callable[[int], bytes]:
    def limited(most: int) -> bytes:
        nonlocal left
        piece = read(min(most, left))
        left -= len(piece)
        return piece

    return limited


def _decoded(read: Callable[[int], bytes], encoding: str) -> Callable[[int], bytes]:
    """UTF-16 (what Windows' shells write) as UTF-8; offsets are then those of the latter."""
    decoder = codecs.getincrementaldecoder(encoding)("replace")

    def narrow(most: int) -> bytes:
        while True:
            piece = read(most)
            text = decoder.decode(piece, final=not piece).encode("utf-8", "replace")
            if text or not piece:
                return text

    return narrow


class _Xz(io.RawIOBase):
    """What is packed with xz, one stream after the other, in bounded memory."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._stream = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_MOST_XZ)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        view = memoryview(cast(bytearray, buffer))
        while True:
            if self._stream.eof:
                packed = self._stream.unused_data.lstrip(b"\0") or self._next()
                if not packed:
                    return 0
                self._stream = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_MOST_XZ)
            else:
                packed = self._file.read(_HEAD) if self._stream.needs_input else b""
                if self._stream.needs_input and not packed:
                    raise EOFError
            piece = self._stream.decompress(packed, len(view))
            if piece:
                view[: len(piece)] = piece
                return len(piece)

    def _next(self) -> bytes:
        """Where the next stream begins: behind the padding of the one before."""
        packed = b""
        while not packed and (read := self._file.read(_HEAD)):
            packed = read.lstrip(b"\0")
        return packed


class _Whole(io.RawIOBase):
    """A stream of which the beginning has been read already."""

    def __init__(self, read: Callable[[int], bytes], head: bytes) -> None:
        self._read = read
        self._head = head

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        view = memoryview(cast(bytearray, buffer))
        piece = self._head[: len(view)] or self._read(len(view))
        self._head = self._head[len(view) :]
        view[: len(piece)] = piece
        return len(piece)


def _why(error: Exception) -> str:
    if isinstance(error, lzma.LZMAError) and "memory" in str(error).lower():
        return "needs too much memory to unpack: `xzcat FILE | payops keys scan -`"
    reason = getattr(error, "strerror", None)
    return str(reason or error or type(error).__name__)
