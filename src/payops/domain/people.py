"""Texts without the people that they name."""

from __future__ import annotations

import re

_EMAIL = re.compile(r"[A-Za-z0-9._%+'-]{1,64}@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,24}\b")
STAND_IN = "[e-mail]"


def nameless(text: str) -> str:
    """`text` with every e-mail address hidden.

    >>> nameless("customer ann.lee@example.com failed 4 times")
    'customer [e-mail] failed 4 times'
    """
    return _EMAIL.sub(STAND_IN, text)
