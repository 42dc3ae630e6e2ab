"""Which checks fall with a dependency: those that ask it, as each says of itself."""

from __future__ import annotations

from payops.checks import check_ids, load_check
from payops.domain.status import Status


def all_that_ask(source: str) -> dict[str, Status]:
    """CRIT for every check of `payops health` that asks this source; not the deep ones."""
    checks = {id_: load_check(id_) for id_ in check_ids()}
    return {
        id_: Status.CRIT
        for id_, check in checks.items()
        if source in check.source.split("+") and not check.deep
    }
