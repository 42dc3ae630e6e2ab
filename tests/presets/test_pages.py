"""The pages about presets: one for each, and what they show works."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from payops.checks import FAMILIES, check_ids, ids_in, named
from payops.config.files import preset_names, preset_text
from payops.config.load import settings_from
from payops.config.settings import Settings
from payops.domain.discrepancy import MatchClass
from payops.domain.webhook import Cause
from payops.engine.thresholds import ELSEWHERE
from payops.lab.systems import system_names
from presets.conftest import Filled
from tools import assert_typeable

DOCS = Path(__file__).parents[2] / "docs"
OWN = DOCS / "your-own-system.md"


@pytest.mark.parametrize("name", [name for name in preset_names() if name != "reference"])
def test_every_preset_has_a_page_that_names_its_source(name: str) -> None:
    page = (DOCS / "presets" / f"{name}.md").read_text(encoding="utf-8")
    source = re.search(r"public repository (\S+?)[,\s]", preset_text(name))
    assert source is not None
    assert source[1] in page
    settings = settings_from({"preset": name})
    for remedy in settings.remedies:
        assert f"`{remedy}`" in page
    tables = [one.table for one in (*settings.ledgers.values(), *settings.event_logs.values())]
    assert all(f"`{table}`" in page for table in tables)


def test_the_list_names_every_preset_and_every_lab() -> None:
    page = (DOCS / "presets" / "README.md").read_text(encoding="utf-8")
    assert all(f"`{name}`" in page for name in {*preset_names(), *system_names()})


def test_the_example_mapping_is_a_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    blocks = re.findall(r"```yaml\n(.*?)```", OWN.read_text(encoding="utf-8"), re.DOTALL)
    whole = yaml.safe_load(blocks[0])
    whole["ledgers"]["payments"] |= yaml.safe_load(blocks[1])
    settings = settings_from(whole)
    assert settings.payments is not None
    assert settings.payments.references.local_id == "payment_id"


@pytest.mark.parametrize(
    ("name", "table", "reference", "status", "created"),
    [
        ("reference", "payments", "processor_ref", "status", "created_at"),
        ("v-edfinance", '"Transaction"', '"stripePaymentIntentId"', "status", '"createdAt"'),
        ("bookedbarber", "payments", "stripe_payment_intent_id", "status", "created_at"),
    ],
)
def test_the_questions_find_what_the_preset_maps(
    name: str,
    table: str,
    reference: str,
    status: str,
    created: str,
    fill: Callable[[str], Filled],
) -> None:
    filled = fill(name)
    blocks = re.findall(r"```sql\n(.*?)```", OWN.read_text(encoding="utf-8"), re.DOTALL)
    _, columns, begins, words, _ = blocks
    with filled.connect() as connection:
        found = {(row[1], row[2]) for row in connection.execute(columns).fetchall()}
        assert (table.strip('"'), reference.strip('"')) in found
        asked = begins.replace("orders_payment", table).replace("stripe_id", reference)
        asked = asked.replace("created_at", created)
        assert [row[0] for row in connection.execute(asked).fetchall()] == ["pi_"]
        asked = words.replace("orders_payment", table).replace("created_at", created)
        counts, labels = asked.strip().rstrip(";").split(";")
        ledger = filled.settings.payments
        assert ledger is not None
        known = {word for given in ledger.statuses.values() for word in given}
        assert {row[0] for row in connection.execute(counts.encode()).fetchall()} <= known
        connection.execute(labels.encode())


def quirks_of(page: str) -> list[tuple[str, str]]:
    """The table of quirks: what is odd, and how it is found."""
    section = page.partition("## Quirks, and how each is found")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (.+?) \| (.+?) \|$", section, re.MULTILINE)
    return [(quirk, found) for quirk, found in rows if quirk not in ("quirk", "---")]


@pytest.mark.parametrize("name", [name for name in preset_names() if name != "reference"])
def test_each_quirk_is_found_or_said_not_to_be(name: str) -> None:
    page = (DOCS / "presets" / f"{name}.md").read_text(encoding="utf-8")
    settings = settings_from({"preset": name})
    quirks = quirks_of(page)
    assert len(quirks) >= 18
    words = "not found|not looked at|not a check|not compared|not by the preset|named here"
    for quirk, found in quirks:
        ways = re.findall(r"`([^`]+)`", found)
        assert ways or re.match(words, found), quirk
        for way in ways:
            assert_way(way, settings, name)
    # An id, exactly: own.late is no own.late-event.
    on_page = set(re.findall(r"`own\.([a-z-]+)`", page))
    assert on_page == set(settings.checks)


def assert_way(way: str, settings: Settings, name: str) -> None:
    """What a quirk is found by exists: a check, a command, a class, a cause, a remedy, a key."""
    family = way.partition(".")[0]
    if way.startswith("payops "):
        line = way.replace(" KEY", " key_1").replace("payops trace", "payops trace pi_1")
        if line.startswith("payops webhooks probe --signed"):
            line = "payops webhooks probe --signed"
        assert_typeable(line)
    elif way.startswith("own."):
        assert way.removeprefix("own.") in settings.checks, way
    elif family in FAMILIES or family == "external":
        assert way in {*check_ids(), *ELSEWHERE}, way
    elif "_" in way and way.islower() and way in {one.value for one in MatchClass}:
        assert way
    else:
        known = {cause.value for cause in Cause} | set(settings.remedies)
        text = preset_text(name) + (DOCS / "presets" / f"{name}.md").read_text(encoding="utf-8")
        assert way in known or way.partition(":")[0] in text


def test_the_examples_of_own_checks_are_configurations() -> None:
    pages = [DOCS / "own-checks.md", *(DOCS / "presets").glob("*.md")]
    blocks = [
        block
        for page in pages
        for block in re.findall(r"```yaml\n(checks:.*?)```", page.read_text("utf-8"), re.DOTALL)
    ]
    assert len(blocks) == 5
    for block in blocks:
        settings = settings_from(yaml.safe_load(block))
        assert named(ids_in(settings)[-1:], settings)
