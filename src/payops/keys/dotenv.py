"""`.env` files: NAME=value, a line each, as shells, Docker and the dotenv libraries read them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

_LINE = re.compile(r"\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_.-]*)\s*(?:=|:\s)(.*)")
# One blank, not `\s+`: a line of 200,000 of them would be tried from each.
_COMMENT = re.compile(r"(?:^|\s)#")
_MOST_LINES = 200  # of one quoted value: a PEM key
_LONGEST = 65_536


def variables(text: str) -> Iterator[tuple[str, str]]:
    r"""Every variable and its value: one pair of quotes taken off, ` #` begins a comment.

    >>> list(variables("export A='x y' # note\nB=1 #2\n\n#C=3\nD=\"a\\nb\"\nE= ' z '"))
    [('A', 'x y'), ('B', '1'), ('D', 'a\nb'), ('E', ' z ')]
    """
    lines = text.removeprefix("\ufeff").splitlines()
    at = 0
    while at < len(lines):
        match = _LINE.match(lines[at])
        at += 1
        if match is None:
            continue
        name, raw = match.group(1), match.group(2).strip()
        if raw[:1] in ("'", '"'):
            value, more = _quoted(raw, lines[at : at + _MOST_LINES])
            at += more
            yield name, value
        else:
            comment = _COMMENT.search(raw)
            yield name, raw[: comment.start()].rstrip() if comment else raw


def _quoted(raw: str, following: Sequence[str]) -> tuple[str, int]:
    """A value that begins with a quote, over several lines where it has to be: how many more. One
    that is never closed is its line, the quote a part of it."""
    quote, body = raw[0], raw[1:]
    for more in range(len(following) + 1):
        end = _closing(body, quote)
        if end >= 0:
            return (_unescaped(body[:end]) if quote == '"' else body[:end]), more
        if more < len(following) and len(body) < _LONGEST:
            body += f"\n{following[more]}"
    return raw, 0


def _closing(body: str, quote: str) -> int:
    escaped = r"(?:[^\"\\]|\\.)*" if quote == '"' else r"[^']*"
    match = re.match(escaped, body, re.DOTALL)
    end = match.end() if match else 0
    return end if body[end : end + 1] == quote else -1


def _unescaped(value: str) -> str:
    return re.sub(
        r"\\(.)", lambda m: {"n": "\n", "r": "\r", "t": "\t"}.get(m.group(1), m.group(1)), value
    )
