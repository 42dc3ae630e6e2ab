"""Carries out a plan that sends: `payops webhooks replay`, or `payops apply` of its plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

from payops.cli.apply import (
    Options,
    confirm,
    database_failures,
    emit_outcome,
    nothing,
    stopping,
    told_as,
)
from payops.cli.boundary import tell

if TYPE_CHECKING:
    from payops.cli.invocation import Invocation
    from payops.config.settings import Settings
    from payops.domain.plan import Plan

# A plan is good for an hour, and so is a run of it; what is left then needs another look anyway.
_LONGEST_S = 3600.0


def send_out(
    command: str, plan: Plan, asked: Invocation, settings: Settings, options: Options
) -> int:
    """Check where it goes, ask, send, read the ledger again, tell; the exit status."""
    from payops.domain.deadline import Deadline
    from payops.engine.applier import apply_plan
    from payops.engine.journal import Journal, operator
    from payops.engine.replay_after import reread
    from payops.engine.replay_lock import ReplayLock
    from payops.engine.replayer import PER_SECOND, Manner, Replayer
    from payops.engine.target import check_account, check_endpoint
    from payops.reconcile.spool import state_folder
    from payops.sources import Sources

    endpoint = check_endpoint(plan, settings)
    sources = Sources(settings, Deadline.after(_LONGEST_S))
    dry_run = options.choice.dry_run
    replayer: Replayer | None = None
    try:
        with database_failures():
            if note := check_account(plan, settings, sources):
                tell(f"payops: {note}")
        if not plan.changes:
            emit_outcome(command, plan, nothing(), options)
            return 0
        if not dry_run:
            confirm(plan, settings, asked, options)
        journal, who = Journal(state_folder(settings)), operator()
        with stopping() as stop, database_failures():
            manner = Manner(options.per_second or PER_SECOND, stop, tell)
            lock = ReplayLock(settings, journal.folder, who, plan.target.fingerprint)
            replayer = Replayer(settings, sources, endpoint, plan, lock, manner)
            applied = apply_plan(
                plan,
                replayer,
                journal,
                options.choice,
                who=who,
                stop=stop,
                told=told_as(options.output),
            )
            if not dry_run:
                applied = reread(
                    settings, sources, journal, plan, applied, replayer.events, say=tell
                )
    finally:
        if replayer is not None:
            replayer.close()
        sources.close()
    emit_outcome(command, plan, applied, options)
    return applied.exit_code
