"""The systems that a lab can be: a folder for each, found by itself.

A folder holds the system's tables (`*.sql`) and `SYSTEMS`, its shapes; see `system.System`.
"""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from payops.errors import LabError
from payops.lab.systems.system import System

__all__ = ["System", "system", "system_names"]


def system(name: str) -> System:
    """The system of that name. Raises LabError that names those there are."""
    try:
        return _systems()[name]
    except KeyError:
        raise LabError(
            f"the lab has no preset {name!r}", hint=f"it has: {', '.join(system_names())}"
        ) from None


def system_names() -> tuple[str, ...]:
    """The systems' names, `reference` first."""
    return tuple(sorted(_systems(), key=lambda name: (name != "reference", name)))


@cache
def _systems() -> dict[str, System]:
    found: dict[str, System] = {}
    for module in pkgutil.iter_modules(__path__):
        if not module.ispkg:
            continue
        shapes: tuple[System, ...] = importlib.import_module(f"{__name__}.{module.name}").SYSTEMS
        for shape in shapes:
            if shape.name in found:
                raise LabError(f"two systems are named {shape.name!r}")
            found[shape.name] = shape
    return found
