"""The command line that asks the same server without payops."""

from __future__ import annotations


def psql(*statements: str, option: str = "") -> str:
    """psql with these statements of payops' own (no `"`, no `$`) on the mapped database.

    The DSN holds a password and is never printed. Where nobody has set it the shell says so: with
    an empty one psql would open whatever database is this machine's own.

    >>> print(psql("select 1"))
    psql "${DSN:?set it to postgres.dsn}" -c "select 1"
    """
    command = ["psql", '"${DSN:?set it to postgres.dsn}"', option]
    command += [f'-c "{statement}"' for statement in statements]
    return " ".join(filter(None, command))
