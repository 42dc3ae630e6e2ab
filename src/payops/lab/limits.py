"""Limits that a scenario sets in the lab's configuration, where the true ones take too long.

Half a minute of one statement, or a disk that is full, is not to be had in a second. What is
measured is real all the same; `keyfaults.put_right` restores the file.
"""

from __future__ import annotations

from pathlib import Path

from payops.lab.keyfaults import exchange
from payops.lab.scenario import Lab

_BEFORE = "\nstripe:\n"
_SECTION = "\nthresholds:\n"


def tighten(lab: Lab, check: str, limit: str, warn: float) -> None:
    """Have payops warn beyond `warn` of that limit of a check, in the unit of the check."""
    entry = f"  {check}: {{{limit}: {{warn: {warn:g}}}}}\n"
    if _SECTION in Path(lab.info.config).read_text(encoding="utf-8"):
        exchange(lab, _SECTION, _SECTION + entry)
    else:
        exchange(lab, _BEFORE, f"{_SECTION}{entry}{_BEFORE}")
