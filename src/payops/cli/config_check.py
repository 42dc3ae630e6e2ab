"""`payops config check`: can the configuration be used, and does it fit the database?"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from payops.cli.boundary import OWN_FAULT, emit, emit_text
from payops.cli.invocation import DeadlineOption, duration_option, invocation
from payops.domain.report import SCHEMA_VERSION
from payops.domain.secret import redact
from payops.domain.text import harmless
from payops.errors import ConfigError, NotConfiguredError, SourceError, UsageError

if TYPE_CHECKING:
    from payops.config.load import Loaded
    from payops.config.settings import Settings
    from payops.engine.config_fit import Fit, Misfit

_OUTPUTS = ("plain", "json")


def check(
    ctx: typer.Context,
    offline: Annotated[
        bool, typer.Option("--offline", help="Look at the file alone; ask no database.")
    ] = False,
    deadline: DeadlineOption = "10s",
    output: Annotated[
        str, typer.Option("--output", "-o", metavar="FORMAT", help="plain or json.")
    ] = "plain",
) -> int:
    """Say whether the configuration can be used, and fits the database.

    Keys, values, references and thresholds; then every table, column, type, status and query that
    it names, held against the database's catalog. Nothing else is contacted. Exit status: 0 when
    it is right, 3 when not, or when the database does not answer.
    """
    from payops.config.key_forms import refuse_wrong_keys
    from payops.config.load import located
    from payops.engine.thresholds import verify

    if output not in _OUTPUTS:
        raise UsageError(f"-o: there is no {output!r} here", hint="plain or json")
    seconds = duration_option("--deadline", deadline).total_seconds()
    loaded = invocation(ctx).load()
    with located(loaded.path):
        verify(loaded.settings)
        refuse_wrong_keys(loaded.settings)
    found = None if offline else _fit(loaded.settings, seconds)
    if output == "json":
        emit(json.dumps(_document(loaded, found), indent=2) + "\n")
    else:
        emit_text(_text(loaded, found))
    return OWN_FAULT if found is not None and (found.wrong or found.untold) else 0


def _fit(settings: Settings, seconds: float) -> Fit | None:
    """None where there is no database to hold it against."""
    from payops.engine.config_fit import Fit, Misfit, database, fit

    try:
        source = database(settings, seconds)
    except NotConfiguredError:
        return None
    except SourceError as error:  # a DSN that cannot be read
        return Fit(untold=[Misfit("postgres.dsn", str(error), error.hint)])
    try:
        return fit(settings, source)
    finally:
        source.close()


def _parts(settings: Settings) -> list[str]:
    """The sections that are filled in."""
    return [
        name
        for name, there in (
            ("stripe", settings.stripe),
            ("postgres", settings.postgres),
            ("redis", settings.redis),
            ("ledgers", settings.ledgers),
            ("event_logs", settings.event_logs),
            ("webhooks", settings.webhooks.endpoints),
            ("circuit", settings.circuit.breakers),
            ("app", settings.app.endpoints),
            ("checks", settings.checks),
        )
        if there
    ]


def _text(loaded: Loaded, found: Fit | None) -> str:
    settings = loaded.settings
    preset = f" on preset {settings.preset}" if settings.preset else ""
    wrong = found is not None and (found.wrong or found.untold)
    parts = ", ".join(_parts(settings)) or "nothing"
    verdict = f"{'can be read' if wrong else 'OK'}, environment {settings.environment}{preset}"
    lines = [f"{harmless(str(loaded.path))}: {verdict}; configured: {parts}"]
    if found is None:
        return "\n".join(lines) + "\n"
    if found.tables and not wrong:
        tables = f"{found.tables} table{'s' * (found.tables > 1)}"
        lines.append(f"it fits the database: {tables}, {found.columns} columns")
    if found.wrong:
        count = len(found.wrong)
        lines.append(f"{count} thing{'s' * (count > 1)} in it do{'es' * (count == 1)} not fit:")
        lines += [f"  {_told(one, loaded)}" for one in found.wrong]
    lines += [f"not compared: {_told(one, None)}" for one in found.untold]
    lines += [f"note: {_told(one, loaded)}" for one in found.notes]
    return redact("\n".join(lines)) + "\n"


def _told(one: Misfit, loaded: Loaded | None) -> str:
    """`payops.yaml:12: ledgers.payments.columns.status: …; did you mean …?`, on one line."""
    from payops.config.load import located

    text = f"{one.path}: {one.what}"
    if loaded is not None:
        try:
            with located(loaded.path):
                raise ConfigError(one.what, path=one.path)
        except ConfigError as error:
            text = str(error)
    return harmless(f"{text}; {one.hint}" if one.hint else text)


def _document(loaded: Loaded, found: Fit | None) -> dict[str, object]:
    """For a pipeline: `misfits`, `notes` and `not_compared`, each a list of path, what, hint."""

    def listed(ones: list[Misfit]) -> list[dict[str, str]]:
        return [
            {"path": one.path, "what": redact(harmless(one.what)), "hint": redact(one.hint)}
            for one in ones
        ]

    wrong = found is not None and bool(found.wrong or found.untold)
    return {
        "schema_version": SCHEMA_VERSION,
        "command": "config check",
        "status": "UNKNOWN" if wrong else "OK",
        "file": str(loaded.path),
        "environment": loaded.settings.environment,
        "preset": loaded.settings.preset,
        "configured": _parts(loaded.settings),
        "compared": {"tables": found.tables, "columns": found.columns} if found else None,
        "misfits": listed(found.wrong) if found else [],
        "notes": listed(found.notes) if found else [],
        "not_compared": listed(found.untold) if found else [],
    }
