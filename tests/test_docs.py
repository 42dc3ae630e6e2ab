"""The documents tell the truth: generated pages are current, and what they show can be typed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from docgen import reference

from payops.checks import check_ids
from tools import assert_typeable

ROOT = Path(__file__).parent.parent
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "runbooks" / "README.md",
    *sorted((ROOT / "docs").glob("**/*.md")),
]


def test_the_generated_pages_are_current() -> None:
    assert (ROOT / "docs" / "cli.md").read_text() == reference.cli_page(), "run `make docs`"
    assert (ROOT / "docs" / "checks.md").read_text() == reference.checks_page(), "run `make docs`"


def test_the_picture_is_of_todays_words() -> None:
    drawn = re.sub(r"<[^>]+>|&#160;|\s", " ", (ROOT / "docs" / "health.svg").read_text())
    for word in ("circuit.state", "payments.stuck-pending", "CRIT"):
        assert word in drawn


def command_lines(page: Path) -> list[str]:
    """Every `payops ...` line in the code blocks and spans of a page."""
    text = page.read_text(encoding="utf-8")
    blocks = re.findall(r"```(?:sh|cron)\n(.*?)```", text, flags=re.DOTALL)
    spans = re.findall(r"`(payops [^`\n]+)`", text)
    lines = [line.split(" #")[0] for block in blocks for line in block.splitlines()]
    found = [part for line in lines + spans for part in re.split(r"&&|\|\||;|\||[>]", line)]
    return [line.strip() for line in found if line.strip().startswith("payops ")]


def test_every_command_line_in_the_documents_can_be_typed() -> None:
    seen = 0
    for page in PAGES:
        for line in command_lines(page):
            if "..." in line or "…" in line or "[" in line or line == "payops COMMAND":
                continue
            assert_typeable(line)
            seen += 1
    assert seen > 15


def test_the_readme_names_every_check() -> None:
    text = (ROOT / "README.md").read_text()
    for id_ in check_ids():
        assert f"`{id_}`" in text, id_


@pytest.mark.parametrize("target", ["demo", "test", "check", "bench", "docs"])
def test_the_makefile_has_what_the_documents_name(target: str) -> None:
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)


def test_no_path_of_a_developers_machine_stands_in_the_documents() -> None:
    for page in PAGES:
        assert not re.search(r"/work/|/root/|\.\./shared", page.read_text()), page
