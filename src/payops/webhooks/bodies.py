"""One event as bytes, written in each of the ways that software on its way may write it anew."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Style:
    """A way to write JSON; `name` for people."""

    name: str
    indent: int | None
    separators: tuple[str, str]
    ascii_only: bool

    def write(self, value: object) -> bytes:
        """`value` as this style's bytes."""
        text = json.dumps(
            value,
            indent=self.indent,
            separators=self.separators,
            ensure_ascii=self.ascii_only,
        )
        return text.encode("utf-8", "surrogatepass")


# Stripe's events have some ten. Indented, each level adds two blanks to every line below it: 400
# around a list of 150,000 numbers make 120 MB of 1.
_DEEPEST = 50
# Stripe pretty-prints what it sends, two spaces deep (seen in its documentation's examples and in
# what its CLI forwards).
STRIPE = Style("pretty-printed, as Stripe sends it", 2, (",", ": "), ascii_only=False)
COMPACT = Style("compact, as JSON.stringify writes it", None, (",", ":"), ascii_only=False)
STYLES = (
    STRIPE,
    Style("pretty-printed in ASCII", 2, (",", ": "), ascii_only=True),
    COMPACT,
    Style("compact in ASCII", None, (",", ":"), ascii_only=True),
    Style("spaced in ASCII, as Python's json.dumps writes it", None, (", ", ": "), ascii_only=True),
    Style("spaced, with non-ASCII text as it is", None, (", ", ": "), ascii_only=False),
)


def in_stripes_order(value: object) -> object:
    """`value` with the keys of every object in Stripe's order: id, object, then the alphabet's."""
    if isinstance(value, dict):
        keys = sorted(value, key=lambda key: (key != "id", key != "object", key))
        return {key: in_stripes_order(value[key]) for key in keys}
    if isinstance(value, list):
        return [in_stripes_order(each) for each in value]
    return value


def in_sorted_order(value: object) -> object:
    """`value` with the keys of every object in the alphabet's order."""
    if isinstance(value, dict):
        return {key: in_sorted_order(value[key]) for key in sorted(value)}
    if isinstance(value, list):
        return [in_sorted_order(each) for each in value]
    return value


def _deeper(value: object, most: int) -> bool:
    """Whether there are more than `most` objects and lists within one another."""
    level = [value]
    for _ in range(most + 1):
        level = [
            inner
            for each in level
            if isinstance(each, dict | list)
            for inner in (each.values() if isinstance(each, dict) else each)
        ]
        if not level:
            return False
    return True


def rewritten(body: bytes) -> Iterator[tuple[str, bytes]]:
    """`body` re-encoded in every style and order, each with what it then is; none if not JSON, or
    deeper than any event.

    Whole numbers stay as they are; 1.10 becomes 1.1, which Stripe does not send.
    """
    try:
        value = json.loads(body)
        if _deeper(value, _DEEPEST):
            return
        orders = (
            ("", value),
            (", keys in Stripe's order", in_stripes_order(value)),
            (", keys sorted", in_sorted_order(value)),
        )
        for style in STYLES:
            for order, ordered in orders:
                yield style.name + order, style.write(ordered)
    except (ValueError, RecursionError):
        return
