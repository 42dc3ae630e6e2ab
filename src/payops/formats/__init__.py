"""How a report is shown: one module an output, found by its place in this folder.

A new output is one new module with a function `render(report: SafeReport, page: Page) -> str`.
It is imported when its name is asked for, so JSON never loads rich, nor `--help` any of them.
"""

from __future__ import annotations

import importlib
import os
import pkgutil
import sys
from collections.abc import Iterator, Mapping
from datetime import datetime
from difflib import get_close_matches
from typing import Protocol, cast

from payops.domain.report import Report
from payops.domain.secret import redact
from payops.errors import UsageError
from payops.formats.safe import Page, SafeReport, safe

# Modules of this folder that are no outputs: how errors are told, and what the outputs share.
_NOT_OUTPUTS = frozenset(
    {
        "discrepancies",
        "grid",
        "message",
        "paper",
        "safe",
        "saved",
        "screen",
        "table_rows",
        "tables",
        "watched",
        "words",
    }
)

# Documents of a syntax, which a redactor that works on the finished text would break (a password
# that is a number, or the name of an element). They write in ASCII themselves.
_STRUCTURED = frozenset({"json", "junit", "prometheus"})


# What `diagnosis/` shows in its own way.
_OWN = dict.fromkeys(("diagnose", "impact"), frozenset({"table", "plain", "markdown", "nagios"}))


class Format(Protocol):
    """What a module of this folder offers."""

    def render(self, report: SafeReport, page: Page) -> str:
        """The whole text, ending with a newline."""
        ...


class _Formats(Mapping[str, Format]):
    """The outputs by name; a module is imported when it is taken out."""

    def __init__(self) -> None:
        found = (module.name for module in pkgutil.iter_modules(__path__) if not module.ispkg)
        self._names = tuple(sorted(set(found) - _NOT_OUTPUTS))

    def __getitem__(self, name: str) -> Format:
        if name not in self._names:
            raise KeyError(name)
        return cast(Format, importlib.import_module(f"{__name__}.{name}"))

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


FORMATS: Mapping[str, Format] = _Formats()


def render(
    report: Report,
    output: str,
    *,
    colour: bool,
    width: int,
    now: datetime,
    ascii_only: bool | None = None,
) -> str:
    """The report as `output` (a name in FORMATS), ending with a newline.

    `colour` and `width` (columns) matter to `table` alone; `now` (aware UTC) is what `12 min ago`
    counts from. `ascii_only`: nothing beyond ASCII is written; when not given, stdout's encoding
    and, for `table`, `TERM=dumb` decide. Raises UsageError for an unknown output.

    Every string of the report passes the redactor before it is laid out, since a secret cut in
    two by a line break would be missed after it; the finished text passes it once more.
    """
    known_output(output)
    if ascii_only is None:
        ascii_only = not _stdout_has_unicode() or (
            output == "table" and os.environ.get("TERM") == "dumb"
        )
    page = Page(colour=colour, width=width, now=now, ascii_only=ascii_only)
    # JSON keeps what was seen as it was and escapes it itself; see formats/json.py on both points.
    text = _format(report.command, output).render(safe(report, one_line=output != "json"), page)
    if output in _STRUCTURED:
        return text
    text = redact(text)
    return text.encode("ascii", "backslashreplace").decode() if ascii_only else text


def _format(command: str, output: str) -> Format:
    """The output; of a command that tells another story than its checks do, its own one."""
    if output in _OWN.get(command, ()):
        return cast(Format, importlib.import_module(f"{__name__}.diagnosis.{output}"))
    return FORMATS[output]


def known_output(output: str) -> str:
    """`output` itself when there is such a format. Raises UsageError naming the nearest."""
    if output not in FORMATS:
        near = get_close_matches(output.lower(), FORMATS, n=1, cutoff=0.5)
        hint = f"did you mean {near[0]}?" if near else f"one of {', '.join(FORMATS)}"
        raise UsageError(f"{output!r} is not an output", hint=hint)
    return output


def _stdout_has_unicode() -> bool:
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    try:
        "é→…·漢".encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True
