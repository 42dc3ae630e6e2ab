"""What makes changes out of what was found: nothing here writes anything.

`ledger.py` turns a discrepancy into a change by the ledger's `fixes`, `sql.py` the rows of a
configured remedy's `select`. A remedy that needs code is a module NAME.py of this folder with
`REMEDY = CodeRemedy(...)`; it is found by its place as `NAME`, with `-` for `_`.
"""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from payops.remedies.contract import CodeRemedy

_NOT_REMEDIES = frozenset({"contract", "ledger", "sql", "values"})


@cache
def code_remedies() -> dict[str, CodeRemedy]:
    """The remedies written in code, by name."""
    found: dict[str, CodeRemedy] = {}
    for module in pkgutil.iter_modules(__path__):
        if module.name not in _NOT_REMEDIES:
            loaded = importlib.import_module(f"{__name__}.{module.name}")
            found[module.name.replace("_", "-")] = loaded.REMEDY
    return found
