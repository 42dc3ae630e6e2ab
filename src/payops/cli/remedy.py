"""`payops remedy`: guarded changes of a system's own, planned and never made at once."""

from __future__ import annotations

import shlex
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from payops.cli.apply import PlanOutput, output_of, show_plan
from payops.cli.boundary import emit, tell
from payops.cli.invocation import invocation
from payops.errors import UsageError

if TYPE_CHECKING:
    from payops.config.settings import Remedy, Settings
    from payops.remedies.contract import CodeRemedy

app = typer.Typer(
    help="List, show and plan guarded changes.", no_args_is_help=True, rich_markup_mode=None
)


@app.command("list")
def list_remedies(ctx: typer.Context, output: PlanOutput = None) -> int:
    """List the remedies of the configuration and of payops."""
    chosen = output_of(output)
    found = [_facts(name, each) for name, each in _all(invocation(ctx).load().settings).items()]
    if chosen == "json":
        from payops.formats.plans.data import document

        emit(document("remedy list", {"remedies": found}))
        return 0
    width = max((len(each["name"]) for each in found), default=0) + 2
    lines = [_line(f"{each['name']:{width}}{each['title']}") for each in found]
    emit("".join(lines) or "no remedies: see `remedies:` in config.example.yaml\n")
    return 0


@app.command()
def show(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="See `payops remedy list`.")],
    output: PlanOutput = None,
) -> int:
    """Say what a remedy does, why, and by which select."""
    chosen = output_of(output)
    facts = _facts(name, _named(name, invocation(ctx).load().settings))
    if chosen == "json":
        from payops.formats.plans.data import document

        emit(document("remedy show", facts))
        return 0
    for key, value in facts.items():
        if isinstance(value, dict):
            value = " ".join(f"{k}={v}" for k, v in value.items())  # noqa: PLW2901
        if value and key != "select":
            emit(_line(f"{key + ':':13}{value}"))
    for line in str(facts.get("select", "")).strip().split("\n"):
        emit(_line(f"  | {line}"))
    return 0


@app.command()
def plan(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="See `payops remedy list`.")],
    parameters: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="Repeatable.")
    ] = None,
    save: Annotated[
        Path | None, typer.Option("--save-plan", metavar="FILE", help="Write the plan there.")
    ] = None,
    output: PlanOutput = None,
) -> int:
    """Say what a remedy would change now, and write it as a plan for `payops apply`.

    Nothing is changed. Exit status: 0, also when nothing is to be done.
    """
    from payops.config.load import located
    from payops.engine.planning import plan_remedy, save_plan
    from payops.formats.plans.text import refusals

    chosen = output_of(output)
    given = dict(_parameter(text) for text in parameters or ())
    loaded = invocation(ctx).load()
    words = ["payops", "remedy", "plan", name, *(f"--set={text}" for text in parameters or ())]
    with located(loaded.path):
        planned = plan_remedy(
            name,
            loaded.settings,
            given,
            command=shlex.join(words),
            now=datetime.now(UTC),
        )
    show_plan("remedy plan", planned.plan, chosen)
    for line in refusals(planned.refused).splitlines():
        tell(line)
    if len(planned.plan.changes) > planned.plan.caps.changes:
        tell(
            f"payops: {len(planned.plan.changes)} changes are more than the cap of "
            f"{planned.plan.caps.changes}: apply will refuse it without --force"
        )
    if save is not None:
        save_plan(planned.plan, save)
        tell(f"payops: the plan is in {save}; next: payops apply {shlex.quote(str(save))}")
    return 0


def _all(settings: Settings) -> dict[str, Remedy | CodeRemedy]:
    from payops.remedies import code_remedies

    return {**code_remedies(), **settings.remedies}


def _named(name: str, settings: Settings) -> Remedy | CodeRemedy:
    from difflib import get_close_matches

    found = _all(settings)
    if name not in found:
        near = get_close_matches(name, found, n=1)
        hint = f"did you mean {near[0]}?" if near else "see `payops remedy list`"
        raise UsageError(f"there is no remedy {name!r}", hint=hint)
    return found[name]


def _facts(name: str, remedy: Remedy | CodeRemedy) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "name": name,
        "title": remedy.title,
        "why": remedy.why,
        "risk": remedy.risk,
        "source": remedy.source,
        "max_changes": remedy.max_changes,
        "params": dict(remedy.params),
    }
    for key in ("table", "select"):
        if hasattr(remedy, key):
            facts[key] = getattr(remedy, key)
    if hasattr(remedy, "key"):
        facts["key"] = ", ".join(remedy.key)
    return facts


def _parameter(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise UsageError(f"--set {text!r} is not NAME=VALUE")
    return name, value


def _line(text: str) -> str:
    from payops.domain.secret import redact
    from payops.domain.text import harmless

    return harmless(redact(text)).rstrip() + "\n"
