"""What may have been done to a body since Stripe signed it: each undone, to be tried.

A signature tells only whether bytes are the signed ones. So what usually alters a body is undone
one by one, until the signature fits: then it is known what was done.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from payops.webhooks.bodies import rewritten

_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Original:
    """A body that Stripe may have signed; `done` is what was done to it since."""

    done: str
    body: bytes


def originals(body: bytes) -> Iterator[Original]:
    """Every guess, each different from `body` and from those before; the simplest first."""
    seen = {_digest(body)}  # not the bodies: there are some 300, and each may be 100 times as long
    for guess in _guesses(body):
        digest = _digest(guess.body)
        if digest not in seen:
            seen.add(digest)
            yield guess


def _digest(body: bytes) -> bytes:
    return hashlib.blake2b(body, digest_size=16).digest()


def _guesses(body: bytes) -> Iterator[Original]:
    edges = list(_edges(body))
    charsets = list(_charsets(body))
    yield from edges
    yield from charsets
    for once in (*edges, *charsets):  # two things at once: a BOM and a newline, say
        for twice in _edges(once.body):
            yield Original(f"{once.done}, and {twice.done}", twice.body)
    for start in (Original("", body), *edges, *charsets):
        before = f"{start.done}, and " if start.done else ""
        for style, text in rewritten(start.body):
            done = f"{before}the JSON was written anew; signed was the body {style}"
            yield Original(done, text)
            yield Original(f"{done}, with a newline at its end", text + b"\n")


def _edges(body: bytes) -> Iterator[Original]:
    """Line ends, and what stands around the JSON."""
    if body.endswith(b"\r\n"):
        yield Original("a line break (CR LF) was added at its end", body[:-2])
    if body.endswith(b"\n"):
        yield Original("a newline was added at its end", body[:-1])
    if body.strip() != body:
        yield Original("blanks were added around it", body.strip())
    yield Original("the newline at its end was taken away", body + b"\n")
    yield Original("the line break (CR LF) at its end was taken away", body + b"\r\n")
    if b"\r\n" in body:
        yield Original("its line ends were made CR LF", body.replace(b"\r\n", b"\n"))
    elif b"\n" in body:
        yield Original("its line ends were made LF", body.replace(b"\n", b"\r\n"))
    if body.startswith(_BOM):
        yield Original("a byte order mark was put before it", body[len(_BOM) :])
    if body[:1] == body[-1:] and body[:1] in (b'"', b"'") and len(body) > 1:
        yield Original("it was put in quotes", body[1:-1])


def _charsets(body: bytes) -> Iterator[Original]:
    """Bytes of UTF-8 that were read or written in another encoding."""
    tries: tuple[tuple[str, Callable[[bytes], bytes]], ...] = (
        ("it was saved as UTF-16", lambda b: b.decode("utf-16").encode()),
        ("it was saved as Latin-1 (ISO 8859-1)", lambda b: b.decode("latin-1").encode()),
        ("it was saved as Windows-1252", lambda b: b.decode("cp1252").encode()),
        ("its UTF-8 was read as Latin-1 (é became Ã©)", lambda b: b.decode().encode("latin-1")),
        ("its UTF-8 was read as Windows-1252 (é became Ã©)", lambda b: b.decode().encode("cp1252")),
    )
    for done, undo in tries:
        try:
            yield Original(f"its charset was changed: {done}", undo(body))
        except UnicodeError:
            continue
