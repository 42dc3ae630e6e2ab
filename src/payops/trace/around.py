"""An amount and a time as people say them: `49.99`, `14:05`."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from payops.domain.duration import parse_moment
from payops.domain.text import harmless, shortened
from payops.domain.window import Window

_CLOCK = re.compile(
    r"(?P<h>[01]?[0-9]|2[0-3]):(?P<m>[0-5][0-9])(?::(?P<s>[0-5][0-9]))?\s*(?:Z|UTC)?"
)
_AMOUNT = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,3})?")


def amount_of(text: str) -> Decimal:
    """An amount in major units. Raises ValueError.

    >>> amount_of("$1,049.99"), amount_of("7")
    (Decimal('1049.99'), Decimal('7'))
    """
    plain = text.strip().strip("$€£¥ ").replace(" ", "")
    if re.fullmatch(r"[0-9]{1,3}(,[0-9]{3})+(\.[0-9]+)?", plain):
        plain = plain.replace(",", "")
    if not _AMOUNT.fullmatch(plain) or not Decimal(plain):
        said = shortened(harmless(text), 40)
        hint = ": a point, not a comma, before the cents" if "," in plain else ""
        raise ValueError(f"--amount: {said!r} is no amount such as 49.99{hint}")
    return Decimal(plain)


def window_of(around: str, span: timedelta, now: datetime) -> Window:
    """From `span` before to `span` after a moment, never beyond `now`. Raises ValueError.

    A time of day is UTC, and the last time that it was that; everything else is an ISO time (UTC
    without a zone) or a duration that counts back from now.
    """
    clock = _CLOCK.fullmatch(around.strip().upper())
    if clock:
        told = {name: int(value or 0) for name, value in clock.groupdict().items()}
        moment = now.astimezone(UTC).replace(
            hour=told["h"], minute=told["m"], second=told["s"], microsecond=0
        )
        if moment > now:
            moment -= timedelta(days=1)
    else:
        try:
            moment = parse_moment(around, now)
        except ValueError as error:
            raise ValueError(f"--around: {error}, nor a time of day (14:05, UTC)") from None
    if moment > now:
        raise ValueError(f"--around: {moment:%Y-%m-%d %H:%M:%S} UTC is in the future")
    return Window(moment - span, min(moment + span, now))
