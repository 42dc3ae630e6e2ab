"""What every section of the configuration is built of: frozen, every key known and described."""

from __future__ import annotations

from functools import partial
from typing import Any

from msgspec import Struct, field


class Duration(float):
    """A span of time in seconds; written `30s`, `10m`, `24h` or a number of seconds."""


def span(seconds: float) -> Any:
    """A default; through a factory, since msgspec's schema cannot write a Duration."""
    return field(default_factory=partial(Duration, seconds))


class Section(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A mapping of the configuration file.

    Validation of one's own raises ValueError(".key: what is wrong"), the key below the section.
    """

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            # To Postgres 0 is no limit at all, to the others one that nothing meets.
            if name.endswith("timeout") and getattr(self, name) <= 0:
                raise ValueError(f".{name}: must be longer than nothing")


def named(name: str, key: str) -> None:
    """What a query cannot do without has a name."""
    if not name.strip():
        raise ValueError(f".{key}: is empty")


def zone(name: str) -> None:
    """An IANA zone, by this machine's database of them; one without a database cannot tell."""
    if name.upper() == "UTC":
        return
    from zoneinfo import ZoneInfo, available_timezones

    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        known = available_timezones()
        if known:
            from difflib import get_close_matches

            near = get_close_matches(name, known, n=1)
            meant = f"; did you mean {near[0]!r}?" if near else ""
            raise ValueError(f".timezone: there is no time zone {name!r}{meant}") from None
