"""`thresholds:` of the configuration: the ids that may stand there, and the limits in force.

Beside the checks of `payops health` other commands judge measured values under ids of their own;
each has its limits in a table that is named here once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from payops.checks import ids_in, named, overridden, refuse_unknown
from payops.domain.threshold import Limits
from payops.engine.reconcile_limits import CLASSES, EXTERNAL, PAYOUTS
from payops.engine.stats_limits import STATS, TARGETS
from payops.engine.webhook_limits import WEBHOOKS

if TYPE_CHECKING:
    from payops.checks.contract import NamedCheck
    from payops.config.settings import Settings

# The limits of every command but health, by id: a table for each.
TABLES: tuple[Mapping[str, Limits], ...] = (CLASSES, PAYOUTS, EXTERNAL, STATS, TARGETS, WEBHOOKS)
ELSEWHERE: Mapping[str, Limits] = {id_: own for table in TABLES for id_, own in table.items()}


def checks_in_force(ids: Iterable[str], settings: Settings) -> tuple[NamedCheck, ...]:
    """Health's checks with these ids, under the limits of the configuration.

    Raises ConfigError, for an id that neither health nor another command knows too.
    """
    return named(ids, settings, elsewhere=ELSEWHERE)


def limits_in_force(settings: Settings, own: Mapping[str, Limits]) -> Mapping[str, Limits]:
    """A command's `own` limits by id, with the configuration's put in.

    Raises ConfigError, for an id that no command knows too.
    """
    overrides = settings.thresholds
    refuse_unknown(overrides, [*ids_in(settings), *ELSEWHERE])
    return {id_: overridden(id_, limits, overrides.get(id_, {})) for id_, limits in own.items()}


def verify(settings: Settings) -> None:
    """Raises ConfigError when any threshold of the configuration fits nothing that is judged."""
    checks_in_force(ids_in(settings), settings)
    limits_in_force(settings, ELSEWHERE)
