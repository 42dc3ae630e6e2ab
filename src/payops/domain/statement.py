"""A statement of SQL as it may be shown: one line, its literals and comments taken out."""

from __future__ import annotations

import re

from payops.domain.secret import redact
from payops.domain.text import harmless, shortened

# Literals hold customers' names, amounts, keys; comments whatever a tracer puts there. Cut off by
# the server, the last one may have no end. An identifier in double quotes stays: it is a name.
_HIDDEN = re.compile(
    r"""
    (?P<identifier>"(?:[^"]|"")*")
    | /\*(?:[^*/]|\*(?!/)|/(?!\*)|/\*.*?(?:\*/|\Z))*(?:\*/|\Z)  # one may stand in another
    | --[^\n]*
    | [eE]'(?:[^'\\]|''|\\.)*(?:'|\Z)
    | '(?:[^']|'')*(?:'|\Z)
    | \$(?P<tag>[^\W\d]\w*|)\$.*?(?:\$(?P=tag)\$|\Z)
    | (?<![\w$])\d+(?:\.\d+)?(?![\w])
    """,
    re.VERBOSE | re.DOTALL,
)


def shown(statement: str, width: int = 120) -> str:
    r"""`statement` on one line of at most `width` characters, without literals and comments.

    >>> shown("SELECT *\n FROM payments /* trace=1 */ WHERE email = 'a@b.c' AND id = 42 AND k = $1")
    'SELECT * FROM payments WHERE email = ? AND id = ? AND k = $1'
    """
    bare = " ".join(_HIDDEN.sub(_stand_in, statement).split())
    return shortened(harmless(redact(bare)), width)


def _stand_in(match: re.Match[str]) -> str:
    if match.group("identifier"):
        return match.group()
    return " " if match.group().startswith(("/*", "--")) else "?"
