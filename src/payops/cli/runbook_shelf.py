"""The runbooks as every command of `payops runbook` needs them: read, and checked."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from payops.cli.boundary import tell
from payops.cli.invocation import Invocation
from payops.errors import ConfigError

if TYPE_CHECKING:
    from payops.config.settings import Settings
    from payops.domain.runbook import Runbook
    from payops.runbook.shelf import Shelf
    from payops.runbook.sound import Misfit
    from payops.runbook.wording import Known

# Names that only a configuration knows: without one, a user's own page is believed.
_OPEN = frozenset({"own.*", "circuit.*"})


def shelf_told() -> Shelf:
    """All runbooks; those that cannot be used are told, and hide no other."""
    from payops.runbook.shelf import shelf

    found = shelf()
    for error in found.broken:
        tell(f"payops: this runbook is not used: {error}" + (f"; {error.hint}" * bool(error.hint)))
    return found


def settings_if_any(asked: Invocation) -> Settings | None:
    """The configuration, where there is a usable one. One that was named must be."""
    try:
        return asked.load().settings
    except ConfigError:
        if asked.config:
            raise
        return None


def misfits_in(
    pages: Sequence[Runbook], among: Sequence[Runbook], settings: Settings | None
) -> tuple[Misfit, ...]:
    """What is wrong with `pages`, which may name any runbook `among` all."""
    from payops.runbook.sound import misfits_of, misfits_together

    ids = {each.id for each in (*among, *pages)}
    alone = [misfit for page in pages for misfit in misfits_of(page, ids, _known(page, settings))]
    wanted = {page.path for page in pages}
    together = misfits_together(among, ids)
    return (*alone, *(each for each in together if each.file in wanted))


def _known(page: Runbook, settings: Settings | None) -> Known:
    from payops.cli.command_line import commands, parse
    from payops.engine.runbook_known import checks_known, remedies_known, signals_known
    from payops.runbook.shelf import shipped
    from payops.runbook.wording import Known

    beside = _OPEN if settings is None and Path(page.path).parent != shipped() else frozenset()
    return Known(
        checks_known(settings) | beside,
        signals_known(settings) | beside,
        commands(),
        parse,
        None if beside else remedies_known(settings),
    )
