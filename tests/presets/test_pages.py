"""The pages about presets: one for each, and what they show works."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from payops.config.files import preset_names, preset_text
from payops.config.load import settings_from
from payops.lab.systems import system_names
from presets.conftest import Filled

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
