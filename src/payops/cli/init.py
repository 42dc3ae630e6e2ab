"""`payops init`: a configuration to start from."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import Annotated

import typer

from payops.cli.boundary import emit_text
from payops.errors import UsageError

TEMPLATE = """\
# payops.yaml, made by `payops init`. Put your own names in, then: payops config check
# Secrets come from the environment, or from a command: {{secret_command: "pass show payops"}}

preset: {preset}
environment: production          # must have live keys; call it anything else for test keys

stripe:
  secret_key: ${{STRIPE_PAYOPS_KEY}}  # a restricted key that can only read is best

postgres:
  dsn: ${{PAYOPS_DSN}}                # a role that can only read; a replica is fine

redis:                           # not used by your system? `redis: null`, and its checks are SKIP
  url: ${{REDIS_URL}}

# Every key that you give overrides the preset's; `payops config show` prints what is in force.
# ledgers:
#   payments:
#     table: payments
#     columns: {{processor_ref: stripe_payment_intent_id, amount: total}}
#     amount_unit: major
#     statuses: {{succeeded: [paid, complete], pending: [new]}}

# app:
#   endpoints:
#     - {{name: health, url: "https://shop.example.com/health"}}
"""


def init(
    path: Annotated[Path, typer.Argument(help="Where to write it.")] = Path("payops.yaml"),
    preset: Annotated[str, typer.Option(help="The system that is most like yours.")] = "reference",
) -> int:
    """Write a configuration to start from; never over a file that is there."""
    from payops.config.files import preset_names

    if preset not in preset_names():
        known = ", ".join(preset_names())
        raise UsageError(f"there is no preset {preset!r}", hint=f"one of {known}")
    text = TEMPLATE.format(preset=preset)
    try:
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(text)
    except FileExistsError:
        raise UsageError(f"{path} is there already, and was not touched") from None
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}") from error
    emit_text(
        f"Wrote {path}. Put your own names in, then:\n"
        f"  payops --config {shlex.quote(str(path))} config check\n"
    )
    return 0
