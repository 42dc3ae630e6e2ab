"""`payops lab`: real Postgres, real Redis and a Stripe simulator on loopback, to try and practise.

What `lab up -o json` prints is usable as it is, passwords included: they are made up for this lab,
lead to loopback only and end with it. Every other output is redacted like any.
"""

from __future__ import annotations

import contextlib
import json
import shlex
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from payops.cli.boundary import emit, emit_text, emit_unredacted, ended_in_order, tell
from payops.cli.invocation import duration_option, invocation
from payops.cli.lab_break import heal, inject, mend
from payops.cli.lab_options import DirOption, laboratory_module, where_flag
from payops.domain.report import SCHEMA_VERSION
from payops.errors import LabError, UsageError

if TYPE_CHECKING:
    from payops.lab.info import LabInfo

app = typer.Typer(
    help="A payment system on loopback, to try and practise on.", no_args_is_help=True
)

TextOrJson = Annotated[
    str | None, typer.Option("--output", "-o", metavar="FORMAT", help="plain or json.")
]


def _as_json(output: str | None) -> bool:
    if output in (None, "plain", "table"):
        return False
    if output == "json":
        return True
    raise UsageError(f"{output!r} is not an output of this command", hint="plain or json")


@app.command()
def up(
    ctx: typer.Context,
    directory: DirOption = None,
    preset: Annotated[str, typer.Option(help="Which system's tables and keys.")] = "reference",
    payments: Annotated[int, typer.Option(min=0, help="How many payments to make up.")] = 500,
    since: Annotated[str, typer.Option(help="How far back they reach.")] = "48h",
    seed: Annotated[int, typer.Option(help="Same seed, same payments.")] = 1,
    load: Annotated[
        Path | None,
        typer.Option(help="NDJSON, one Stripe object a line: served instead, with --payments 0."),
    ] = None,
    rate_limits: Annotated[
        bool, typer.Option(help="Stripe's limits: 25 requests/s an endpoint, 25 or 100 in all.")
    ] = True,
    output: TextOrJson = None,
) -> int:
    """Start the lab and leave it running; prints what to run next.

    `--environment production` makes live-mode keys, to practise with the safety on.
    """
    lab = laboratory_module()
    as_json = _as_json(output)
    history = duration_option("--since", since)
    if load is not None and not load.is_file():
        raise UsageError(f"--load: no such file: {load}")
    started = time.monotonic()
    with ended_in_order():
        info = lab.up(
            lab.LabOptions(
                dir=directory or lab.default_directory(),
                preset=preset,
                payments=payments,
                since=history,
                seed=seed,
                environment=invocation(ctx).environment or "lab",
                load=load,
                rate_limits=rate_limits,
            ),
            say=tell,
        )
    if as_json:
        emit_unredacted(json.dumps(_public(info), indent=2) + "\n")
        return 0
    emit_text(
        f"The lab is up ({time.monotonic() - started:.1f} s): {info.payments:,} payments of the "
        f"last {since}, preset {info.preset}, seed {info.seed}"
        f"{f'; Stripe serves {load} too' if load else ''}.\n\n"
        f"  export PAYOPS_CONFIG={shlex.quote(info.config)}\n"
        "  payops health\n"
        "  payops lab list                          what can be broken\n"
        f"  payops lab inject circuit-stuck-open{where_flag(directory)}\n"
        f"  payops lab down{where_flag(directory)}\n"
    )
    return 0


def _public(info: LabInfo) -> dict[str, object]:
    """The lab's addresses, config, pids; not its Stripe keys, which the config has."""
    return {
        "schema_version": SCHEMA_VERSION,
        "command": "lab up",
        "dir": info.dir,
        "config": info.config,
        "preset": info.preset,
        "environment": info.environment,
        "payments": info.payments,
        "seed": info.seed,
        "postgres_dsn": info.postgres_dsn,
        "redis_url": info.redis_url,
        "stripe_url": info.stripe_url,
        "stripe_control_url": info.stripe_control_url,
        "status_url": info.status_url,
        "app_url": info.app_url,
        "app_control_url": info.app_control_url,
        "pids": info.pids,
        "scenarios": list(info.scenarios),
    }


@app.command()
def down(directory: DirOption = None) -> int:
    """Stop the lab and remove what it made; also what a killed lab left behind."""
    lab = laboratory_module()
    where = directory or lab.default_directory()
    lab.down(where, say=tell)
    emit_text(f"No lab is in {where} any more.\n")
    return 0


@app.command()
def status(directory: DirOption = None, output: TextOrJson = None) -> int:
    """Say which servers run and what is broken.

    Exit status: 0 all run, 2 some are down, 3 no lab.
    """
    lab = laboratory_module()
    from payops.lab.info import LabInfo

    as_json = _as_json(output)
    where = directory or lab.default_directory()
    servers = lab.status(where)
    if not servers:
        raise LabError(f"there is no lab in {where}", hint="start one: payops lab up")
    all_up = all(server.running for server in servers)
    scenarios: tuple[str, ...] = ()
    with contextlib.suppress(ValueError):  # a record that a crash has damaged
        info = LabInfo.load(where.expanduser())
        scenarios = info.scenarios if info else ()
    if as_json:
        rows = [
            {"name": s.name, "running": s.running, "pid": s.pid, "address": s.address}
            for s in servers
        ]
        document = {
            "schema_version": SCHEMA_VERSION,
            "command": "lab status",
            "servers": rows,
            "scenarios": list(scenarios),
        }
        emit(json.dumps(document, indent=2) + "\n")
    else:
        lines = [
            f"{s.name:10}{'running' if s.running else 'DOWN':9}{s.pid or '-':>8}  {s.address}\n"
            for s in servers
        ]
        emit_text("".join(lines) + f"broken by: {', '.join(scenarios) or 'nothing'}\n")
    return 0 if all_up else 2


@app.command("list")
def list_scenarios(output: TextOrJson = None) -> int:
    """List what can be broken, and which runbook it comes from."""
    laboratory_module()
    from payops.lab.scenario import load_scenario, scenario_ids

    found = {id_: load_scenario(id_) for id_ in scenario_ids()}
    if _as_json(output):
        document = {
            "schema_version": SCHEMA_VERSION,
            "command": "lab list",
            "scenarios": [
                {
                    "id": id_,
                    "title": scenario.title,
                    "runbook": scenario.runbook,
                    "breaks": scenario.breaks,
                    "presets": list(scenario.presets),
                    "expected": {k: v.value for k, v in scenario.expected.items()},
                    "differs": {
                        severity: {k: v.value for k, v in statuses.items()}
                        for severity, statuses in scenario.differs.items()
                    },
                    "causes": sorted(scenario.causes),
                    "classes": sorted(scenario.classes),
                    "parameters": {
                        name: asdict(parameter) for name, parameter in scenario.parameters.items()
                    },
                    "severities": {k: dict(v) for k, v in scenario.severities.items()},
                    "cured_by": scenario.cured_by,
                    "outside": scenario.outside,
                    "told_as": sorted(scenario.told_as),
                }
                for id_, scenario in found.items()
            ],
        }
        emit(json.dumps(document, indent=2) + "\n")
        return 0
    width = max(map(len, found), default=0) + 2
    emit("".join(f"{id_:{width}}{s.title} (runbook {s.runbook})\n" for id_, s in found.items()))
    return 0


app.command()(inject)
app.command()(mend)
app.command()(heal)
