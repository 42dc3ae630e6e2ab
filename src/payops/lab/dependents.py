"""Which checks fall with a dependency: those that ask it, as each says of itself."""

from __future__ import annotations

from payops.checks import check_ids, load_check
from payops.config.load import settings_from
from payops.domain.status import Status


def all_that_ask(source: str) -> dict[str, Status]:
    """CRIT for every check of `payops health` that asks this source; not the deep ones."""
    checks = {id_: load_check(id_) for id_ in check_ids()}
    return {
        id_: Status.CRIT
        for id_, check in checks.items()
        if source in check.source.split("+") and not check.deep
    }


# Asks only where a version is pinned, which a lab's configuration does not.
_ASKS_RARELY = frozenset({"stripe.api-version"})


def all_that_need_stripe() -> dict[str, Status]:
    """CRIT for every check of `payops health` that Stripe alone can answer."""
    checks = {id_: load_check(id_) for id_ in check_ids()}
    return {
        id_: Status.CRIT
        for id_, check in checks.items()
        if check.source == "stripe" and not check.deep and id_ not in _ASKS_RARELY
    }


def own_that_ask_postgres(preset: str) -> dict[str, Status]:
    """CRIT for every own check of a preset that asks the database."""
    checks = settings_from({"preset": preset}).checks
    return {f"own.{name}": Status.CRIT for name, check in checks.items() if check.sql}
