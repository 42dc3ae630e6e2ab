"""`payops config`: is the configuration right, what is in force, what may stand in it."""

from __future__ import annotations

import typer

from payops.cli import config_check
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


app.command()(config_check.check)


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
