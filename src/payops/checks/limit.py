"""Limits as the configuration writes them: `30m`, `95%`, 10, null."""

from __future__ import annotations

import math

from payops.domain.duration import parse_duration
from payops.domain.threshold import Number, Threshold
from payops.errors import ConfigError


def read_number(value: object, unit: str, path: str) -> Number | None:
    """A limit as a number in its unit; `30m` and `95%` are read. None switches it off.

    Raises ConfigError at `path`.
    """
    if value is None or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    text = str(value).strip()
    try:
        if unit == "s":
            number = parse_duration(text).total_seconds()
        elif unit == "ms" and not text.replace(".", "", 1).isdigit():
            number = parse_duration(text).total_seconds() * 1000
        else:
            number = float(text.removesuffix("%") if unit == "%" else text)
        if not math.isfinite(number):
            raise ValueError
    except ValueError as error:
        raise ConfigError(f"{text!r} is not a number of {unit}", path=path) from error
    return number


def ordered(limit: Threshold, path: str) -> Threshold:
    """The limit, when WARN comes before CRIT. Raises ConfigError at `path`."""
    warn, crit = limit.warn, limit.crit
    if (
        warn is not None
        and crit is not None
        and (warn > crit if limit.worse == "higher" else warn < crit)
    ):
        raise ConfigError(
            f"warn {warn:g} lies beyond crit {crit:g}",
            path=path,
            hint=f"{limit.worse} is worse: WARN must come before CRIT",
        )
    return limit
