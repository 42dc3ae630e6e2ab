"""What runbooks may name: every check, and every finding that `payops diagnose` looks at."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from payops.checks import check_ids
from payops.config.files import preset_names, preset_text
from payops.engine.diagnose import PARTS
from payops.engine.keys import TITLES
from payops.engine.reconcile_limits import CLASSES, EXTERNAL
from payops.engine.webhook_limits import WEBHOOKS

if TYPE_CHECKING:
    from payops.config.settings import Settings

# Findings of diagnose's parts that have no limits of their own.
_BESIDE = (
    "circuit.ledger",
    "circuit",
    "reconcile.stripe",
    "reconcile.postgres",
    "reconcile.deadline",
    "webhooks.endpoints",
    "webhooks.objects",
    "webhooks.log",
    "webhooks.keys",
    "webhooks.ledger",
    *(f"diagnose.{part}" for part in PARTS),
)


def checks_known(settings: Settings | None) -> frozenset[str]:
    """The checks that a step may ask: payops' own, those of the presets, and those of a
    configuration."""
    own = settings.checks if settings is not None else {}
    shipped = (name for section in _of_presets("checks") for name in section)
    return frozenset({*check_ids(), *(f"own.{name}" for name in (*own, *shipped))})


def remedies_known(settings: Settings | None) -> frozenset[str]:
    """The remedies that a step may plan: those in code, of the presets, and of a configuration."""
    from payops.remedies import code_remedies

    own = settings.remedies if settings is not None else {}
    shipped = (name for section in _of_presets("remedies") for name in section)
    return frozenset({*code_remedies(), *shipped, *own})


def signals_known(settings: Settings | None) -> frozenset[str]:
    """What a symptom may name beside those."""
    breakers = [one.name for one in settings.circuit.breakers] if settings is not None else []
    shipped = [
        str(one.get("name"))
        for section in _of_presets("circuit")
        for one in section.get("breakers", ())
    ]
    named = (f"circuit.{name}" for name in (*breakers, *shipped))
    return frozenset({*CLASSES, *WEBHOOKS, *TITLES, *EXTERNAL, *_BESIDE, *named})


@cache
def _of_presets(key: str) -> tuple[dict[str, list[dict[str, object]]], ...]:
    """That section of every preset that has one."""
    from payops.config.files import parse_yaml

    sections = (parse_yaml(preset_text(name), f"preset {name}").get(key) for name in preset_names())
    return tuple(section for section in sections if isinstance(section, dict))
