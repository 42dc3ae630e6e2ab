"""How circuit breakers are kept in Redis: one layout a file, found by its name."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from payops.domain.layouts.layout import Layout, Parts, Place, Stored, Values, Written

__all__ = ["Layout", "Parts", "Place", "Stored", "Values", "Written", "layouts"]

_NOT_LAYOUTS = frozenset({"layout"})


@cache
def layouts() -> dict[str, Layout]:
    """Every layout by its id, sorted."""
    found: dict[str, Layout] = {}
    for name in sorted(module.name for module in pkgutil.iter_modules(__path__)):
        if name not in _NOT_LAYOUTS:
            found[name] = importlib.import_module(f"{__name__}.{name}").LAYOUT
    return found
