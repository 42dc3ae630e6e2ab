"""A scenario's name that does not say which one it is: for drills in which nobody may know.

`hidden-SALT-DIGEST` stands wherever a lab writes the name down. Whoever knows all scenarios finds
which it is; whoever looks into the lab's files does not.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

_START = "hidden-"
_LENGTH = 12


def veiled(scenario: str, salt: str) -> str:
    """The name behind which a scenario is hidden; another one by another salt (hexadecimal)."""
    return f"{_START}{salt}-{_digest(scenario, salt)}"


def is_veiled(name: str) -> bool:
    """Whether a name hides a scenario."""
    return name.startswith(_START)


def unveiled(name: str, known: Iterable[str]) -> str:
    """Which of the known scenarios it is; a name that hides none is itself.

    >>> unveiled(veiled("redis-down", "5eed"), ["database-down", "redis-down"])
    'redis-down'
    >>> unveiled("redis-down", [])
    'redis-down'
    """
    if not is_veiled(name):
        return name
    salt, _, digest = name.removeprefix(_START).partition("-")
    return next((each for each in known if _digest(each, salt) == digest), name)


def _digest(scenario: str, salt: str) -> str:
    return hashlib.sha256(f"{salt} {scenario}".encode()).hexdigest()[:_LENGTH]
