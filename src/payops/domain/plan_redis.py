"""A change of Redis keys as a plan holds it: each key a column, each value a text.

A value that is no plain text (a pickle) is written as `0x…`. A key's life stands under a name of
its own, `KEY expires in s`: it is set with the value and never compared, since it runs.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping

from payops.domain.plan import Change, Values
from payops.domain.text import harmless

CLEAR = "cache.clear"
"""The remedy that deletes a key by what it holds: in the plan stands a hash, never content."""
_LIFE = " expires in s"
_HEX = "0x"


def as_text(value: bytes | None) -> str | None:
    r"""A stored value as a plan holds it.

    >>> as_text(b"open"), as_text(b"\x80\x05."), as_text(None)
    ('open', '0x80052e', None)
    """
    if value is None:
        return None
    try:
        text = value.decode("utf-8")
    except UnicodeDecodeError:
        return _HEX + value.hex()
    plain = harmless(text) == text and not text.startswith(_HEX)
    return text if plain else _HEX + value.hex()


def as_bytes(text: str | None) -> bytes | None:
    """What `as_text` was made of. Raises ValueError for hexadecimal digits that are none."""
    if text is None or not text.startswith(_HEX):
        return None if text is None else text.encode()
    return bytes.fromhex(text.removeprefix(_HEX))


def life(key: str) -> str:
    """The name under which a key's life stands."""
    return key + _LIFE


def keys_of(values: Values) -> tuple[str, ...]:
    """The keys, without their lives."""
    return tuple(key for key in values if not key.endswith(_LIFE))


def statement_of(change: Change) -> str:
    """What will be done, as a person would write it for redis-cli."""
    if change.remedy == CLEAR:
        (key, seen), *_ = change.before.items()
        return f"only if it holds what it held ({seen}): UNLINK {shlex.quote(key)}"
    lines = [f"WATCH {' '.join(shlex.quote(key) for key in keys_of(change.before))}"]
    for key in keys_of(change.before):
        value = change.before[key]
        seen = "absent" if value is None else harmless(shlex.quote(value))
        lines.append(f"GET {shlex.quote(key)}  -> only if {seen}")
    return "\n".join([*lines, "MULTI", *_commands(change.before, change.after), "EXEC"])


def _commands(before: Values, after: Values) -> Iterator[str]:
    for key in keys_of(after):
        value = after[key]
        if value is None:
            yield f"DEL {shlex.quote(key)}"
        elif value != before.get(key) or life(key) in after:
            lasting = after.get(life(key), "") if life(key) in after else "keep"
            end = " KEEPTTL" if lasting == "keep" else f" EX {lasting}" if lasting else ""
            yield f"SET {shlex.quote(key)} {harmless(shlex.quote(value))}{end}"


def planned(
    before: Mapping[str, bytes | None],
    ttls: Mapping[str, int | None],
    after: Mapping[str, bytes | None],
    expires: Mapping[str, int],
) -> tuple[Values, Values]:
    """`before` and `after` of a Change: `ttls` are seconds to live now, `expires` those to be.

    A key that goes, or that gets a life of its own, has its present life in `before`, so that an
    undo can give it back.
    """
    seen: dict[str, str | None] = {key: as_text(value) for key, value in before.items()}
    new: dict[str, str | None] = {key: as_text(value) for key, value in after.items()}
    for key in after:
        left = ttls.get(key)
        if after[key] is None or key in expires or before.get(key) is None:
            seen[life(key)] = None if left is None else str(left)
            new[life(key)] = str(expires[key]) if key in expires else None
    return seen, new
