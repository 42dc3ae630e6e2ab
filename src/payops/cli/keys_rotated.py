"""`payops keys rotated`: records that a key was rotated, since Stripe tells no key's age."""

from __future__ import annotations

from typing import Annotated

import typer

from payops.cli.boundary import emit_text
from payops.cli.invocation import invocation


def rotated(
    ctx: typer.Context,
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME", help="The configuration's key: stripe.secret_key, …", show_default=False
        ),
    ],
) -> int:
    """Record in the journal that a key was rotated just now.

    Once the new key is in the configuration: its name, fingerprint and operator are kept, never the
    key. Exit status: 0 recorded, 1 refused, 2 the journal cannot be written.
    """
    from payops.engine.keys import record_rotation

    one, entry = record_rotation(invocation(ctx).load().settings, name)
    emit_text(f"entry {entry}: {one.name} is {one.form.described} from now on\n")
    return 0
