"""Carries out a plan for Redis: `payops circuit reset|trip`, or `payops apply` and `undo` of it."""

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

if TYPE_CHECKING:
    from payops.cli.invocation import Invocation
    from payops.config.settings import Settings
    from payops.domain.plan import Plan

_LONGEST_S = 600.0


def set_keys(
    command: str, plan: Plan, asked: Invocation, settings: Settings, options: Options
) -> int:
    """Check that the plan is for this Redis and for keys that may be changed, ask, set, tell."""
    from payops.domain.deadline import Deadline
    from payops.engine.applier import apply_plan
    from payops.engine.journal import Journal, operator
    from payops.engine.target import check_redis
    from payops.errors import NotConfiguredError
    from payops.reconcile.spool import state_folder
    from payops.sources.redis_writer import RedisWriter

    if settings.redis is None:
        raise NotConfiguredError("redis is not configured", hint="add redis.url")
    writer = RedisWriter(settings.redis, Deadline.after(_LONGEST_S))
    try:
        with database_failures():
            check_redis(plan, settings, *writer.fingerprint())
        if not plan.changes:
            emit_outcome(command, plan, nothing(), options)
            return 0
        if not options.choice.dry_run:
            confirm(plan, settings, asked, options)
        with stopping() as stop, database_failures():
            applied = apply_plan(
                plan,
                writer,
                Journal(state_folder(settings)),
                options.choice,
                who=operator(),
                stop=stop,
                told=told_as(options.output),
            )
    finally:
        writer.close()
    emit_outcome(command, plan, applied, options)
    return applied.exit_code
