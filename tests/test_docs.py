"""The documents tell the truth: generated pages are current, and what they show can be typed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import typer
from docgen import reference

from payops.checks import check_ids
from payops.cli.main import app
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


def blocks_and_mentions(page: Path) -> tuple[list[str], list[str]]:
    """The `payops ...` lines of a page's code blocks, and those in its sentences."""
    text = page.read_text(encoding="utf-8")
    blocks = re.findall(r"```(?:sh|cron)\n(.*?)```", text, flags=re.DOTALL)
    lines = [line.split(" #")[0] for block in blocks for line in block.splitlines()]
    typed = [part.strip() for line in lines for part in re.split(r"&&|\|\||[;|>]", line)]
    mentioned = re.findall(r"`(payops [^`\n]+)`", text)
    return [line for line in typed if line.startswith("payops ")], mentioned


def test_every_command_line_in_the_documents_can_be_typed() -> None:
    seen = 0
    for page in PAGES:
        typed, mentioned = blocks_and_mentions(page)
        for line in typed:
            if "..." not in line and "…" not in line:
                assert_typeable(line)
                seen += 1
        for line in mentioned:
            assert line.split()[1].strip(".…") in COMMANDS | {"--help", "COMMAND"}, line
    assert seen > 15


COMMANDS = set(typer.main.get_command(app).commands)  # type: ignore[attr-defined]


def test_the_readme_names_every_check() -> None:
    text = (ROOT / "README.md").read_text()
    for id_ in check_ids():
        assert f"`{id_}`" in text, id_


@pytest.mark.parametrize("target", ["demo", "test", "check", "bench", "docs"])
def test_the_makefile_has_what_the_documents_name(target: str) -> None:
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)


def test_no_path_of_a_developers_machine_stands_in_the_documents() -> None:
    for page in PAGES:
        assert not re.search(r"/root/|/home/[a-z]|\.\./shared", page.read_text()), page
