"""How an error is told on stderr."""

from __future__ import annotations

from payops.domain.secret import redact
from payops.domain.text import harmless
from payops.errors import PayopsError


def error_text(error: PayopsError) -> str:
    r"""`payops: what, where`, and on a second line what to do next; ends with a newline.

    >>> print(error_text(PayopsError("no such check", hint="payops health --help")), end="")
    payops: no such check
      try: payops health --help
    """
    lines = [f"payops: {_shown(str(error)) or type(error).__name__}"]
    if error.hint:
        lines.append(f"  try: {_shown(error.hint)}")
    return redact("\n".join(lines)) + "\n"


def _shown(text: str) -> str:
    # Redacted first: once a line break in a secret is made visible, it is no longer that secret.
    return harmless(redact(text.strip()))
