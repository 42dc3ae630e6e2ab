"""`payops config`: is the configuration right, what is in force, what may stand in it."""

from __future__ import annotations

import typer

from payops.cli.boundary import emit, emit_text
from payops.cli.invocation import invocation
from payops.domain.text import harmless

app = typer.Typer(
    help="Check, show and describe the configuration.\n\n"
    "It is the file that --config names, or PAYOPS_CONFIG; else ./payops.yaml, or "
    "~/.config/payops/payops.yaml.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.command()
def check(ctx: typer.Context) -> int:
    """Say whether the configuration can be used.

    Keys, values, references and thresholds; nothing is contacted. Exit status: 0 when it is
    right, 3 when not.
    """
    from payops.config.key_forms import refuse_wrong_keys
    from payops.config.load import located
    from payops.engine.thresholds import verify

    loaded = invocation(ctx).load()
    with located(loaded.path):
        verify(loaded.settings)
        refuse_wrong_keys(loaded.settings)
    settings = loaded.settings
    parts = [
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
        )
        if there
    ]
    preset = f" on preset {settings.preset}" if settings.preset else ""
    emit_text(
        f"{harmless(str(loaded.path))}: OK, environment {settings.environment}{preset}; "
        f"configured: {', '.join(parts) or 'nothing'}\n"
    )
    return 0


@app.command()
def show(ctx: typer.Context) -> int:
    """Print the configuration in force; never a secret.

    Defaults and preset included.
    """
    from payops.config.show import as_yaml

    loaded = invocation(ctx).load()
    emit_text(f"# {harmless(str(loaded.path))}\n{as_yaml(loaded.settings)}")
    return 0


@app.command()
def schema() -> int:
    """Print a JSON Schema of the file, for editors."""
    import json

    from payops.config.show import json_schema

    emit(json.dumps(json_schema(), indent=2) + "\n")
    return 0
