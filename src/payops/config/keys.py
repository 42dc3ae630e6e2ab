"""`keys:`: what is known of API keys and secrets beside their values."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from msgspec import Meta

from payops.config.section import Duration, Section, span

_DAYS = 86_400


class KeySettings(Section, frozen=True):
    """What `payops keys` goes by."""

    max_age: Annotated[
        Duration, Meta(description="Rotation policy: an older key is WARN; see rotated_at")
    ] = span(365 * _DAYS)
    rotated_at: Annotated[
        dict[str, date],
        Meta(description="Key of the configuration (stripe.secret_key): date of its last rotation"),
    ] = {}
    variables: Annotated[
        dict[str, tuple[str, ...]],
        Meta(
            description="Key of the configuration: the variables that hold it in the environment, "
            ".env files, Kubernetes secrets and compose files"
        ),
    ] = {}
    sources: Annotated[
        tuple[str, ...],
        Meta(description="Files read by every `payops keys check`, each as of --from: [NAME=]FILE"),
    ] = ()
    logs: Annotated[
        tuple[str, ...],
        Meta(
            description="Logs, folders of them or globs, of which the newest 16 MB each are looked "
            "through for keys by `payops keys check` and `payops diagnose`"
        ),
    ] = ()
    never_read: Annotated[
        dict[str, tuple[str, ...]],
        Meta(
            description="table: columns that hold secrets. Never selected; `payops keys scan "
            "--database` only counts the rows that have any"
        ),
    ] = {}
