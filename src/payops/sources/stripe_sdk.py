"""The official SDK, imported without an HTTP library that payops does not use.

When it is imported, stripe looks for `requests` to be its default transport, and takes urllib's
when there is none. payops brings its own (`stripe_transport`), so requests with all that it loads,
a tenth of the time of `payops health`, is left out by the way that Python documents for it: None in
`sys.modules` is 'cannot be imported'. It is so for the moment of the import only.
"""

from __future__ import annotations

import sys
from typing import Any

_UNUSED = "requests"

_modules: dict[str, Any] = sys.modules
_hidden = _UNUSED not in _modules
if _hidden:
    _modules[_UNUSED] = None
try:
    import stripe
finally:
    if _hidden:
        del _modules[_UNUSED]

stripe.enable_telemetry = False

__all__ = ["stripe"]
