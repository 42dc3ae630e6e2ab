"""Every output of every report, as it is on the page. PAYOPS_UPDATE_GOLDEN=1 writes them anew."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from formats.reports import NOW, REPORTS
from payops.formats import FORMATS, render

GOLDEN = Path(__file__).parent / "golden"
_NAMED = ("table", "plain", "markdown", "json", "nagios", "csv", "junit", "prometheus")
CASES = [(name, output, 80, False, False) for name in REPORTS for output in _NAMED]
CASES += [
    ("incident", "table", 60, False, False),
    ("incident", "table", 200, False, False),
    ("incident", "table", 80, True, False),
    ("incident", "table", 80, False, True),
    ("tables", "table", 60, False, True),
    ("tables", "table", 140, True, False),
]


@pytest.mark.parametrize(("name", "output", "width", "colour", "ascii_only"), CASES)
def test_golden(name: str, output: str, width: int, colour: bool, ascii_only: bool) -> None:
    text = render(REPORTS[name], output, colour=colour, width=width, now=NOW, ascii_only=ascii_only)
    marks = f"{'.colour' if colour else ''}{'.ascii' if ascii_only else ''}"
    size = f".{width}" if output == "table" else ""
    path = GOLDEN / f"{name}.{output}{size}{marks}.txt"
    if os.environ.get("PAYOPS_UPDATE_GOLDEN") == "1":
        path.write_text(text, encoding="utf-8", newline="")
    assert path.read_bytes().decode() == text


def test_every_output_has_its_golden_files() -> None:
    assert set(FORMATS) == set(_NAMED)
