"""How plans, what became of them and the journal are shown: for people, for the ticket, as JSON.

`text.py` is for a terminal or a pipe, at most 80 columns but for SQL, which is never broken;
`ticket.py` is Markdown, `data.py` JSON, `journal.py` the journal's lines. Every text from outside
goes through `harmless`, the whole through the redactor.
"""

from __future__ import annotations

from difflib import get_close_matches

from payops.errors import UsageError

OUTPUTS = ("table", "plain", "markdown", "json")


def known(output: str) -> str:
    """`output` itself when plans can be shown so. Raises UsageError naming the nearest."""
    if output not in OUTPUTS:
        near = get_close_matches(output.lower(), OUTPUTS, n=1, cutoff=0.5)
        hint = f"did you mean {near[0]}?" if near else f"one of {', '.join(OUTPUTS)}"
        raise UsageError(f"{output!r} is not an output of this command", hint=hint)
    return output
