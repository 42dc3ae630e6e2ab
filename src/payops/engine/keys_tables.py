"""The tables of `payops keys check`: every key in its place, and what a restricted one may read."""

from __future__ import annotations

from collections.abc import Sequence

from payops.domain.table import Column, Table
from payops.engine.keys_asked import Asked
from payops.keys.found import Found, Of
from payops.keys.judge import word_of

_KEYS = (
    Column("role", "role"),
    Column("place", "place", wide=True),
    Column("name", "name", wide=True),
    Column("environment", "environment"),
    Column("kind", "kind"),
    Column("mode", "mode"),
    Column("shown", "key"),
    Column("sha256", "sha256"),
    Column("status", "status"),
)
_PERMISSIONS = (
    Column("resource", "resource"),
    Column("granted", "read"),
    Column("commands", "without it not", wide=True),
)


def tables_of(found: Sequence[Found], asked: Asked) -> tuple[Table, ...]:
    """`keys`, and `permissions` where a restricted key was asked for them."""
    keys = Table(
        "keys",
        "Keys",
        _KEYS,
        tuple(
            (
                one.role.title,
                one.place.title,
                "" if one.place.of is Of.CONFIGURATION and one.name == one.role.value else one.name,
                one.place.environment,
                one.form.kind.value,
                one.form.mode or None,
                one.form.shown,
                one.form.digest or None,
                word_of(one, asked.answers),
            )
            for one in found
        ),
        note="" if found else "no key was found",
    )
    if not asked.permissions:
        return (keys,)
    permissions = Table(
        "permissions",
        "Permissions of the restricted key",
        _PERMISSIONS,
        tuple(
            (each.resource, each.granted, ", ".join(f"payops {one}" for one in each.commands))
            for each in asked.permissions
        ),
    )
    return keys, permissions
