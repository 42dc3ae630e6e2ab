"""What text is laid out on for a terminal: nothing in it is obeyed, and nothing is guessed."""

from __future__ import annotations

import io

from rich.console import Console


def paper(width: int, *, colour: bool) -> Console:
    """A console of that many columns that writes to no terminal, to be captured.

    Markup, emoji and highlighting are off: text from outside is shown as it is. The environment
    says nothing, since who asks has decided on width and colour.
    """
    return Console(
        file=io.StringIO(),
        width=width,
        force_terminal=True,
        color_system="standard" if colour else None,
        force_jupyter=False,
        highlight=False,
        markup=False,
        emoji=False,
        legacy_windows=False,
        _environ={},
    )
