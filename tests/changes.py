"""What the tests of plan, apply, journal and undo share: a shop in a real Postgres, and plans."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import yaml
from psycopg import sql

from payops.config.load import settings_from
from payops.config.settings import Settings
from payops.domain.plan import Caps, Change, Plan, Target, signed
from payops.domain.plan_outcome import Applied
from payops.engine.applier import Choice, apply_plan
from payops.engine.journal import Journal
from payops.engine.planning import reading

EVERY_ROW = "SELECT * FROM {} ORDER BY 1"


@dataclass(frozen=True)
class Shop:
    """A database with tables of the test's own, and a state folder."""

    dsn: str
    sql: psycopg.Connection[Any]
    folder: Path

    def raw(self, **sections: Any) -> dict[str, Any]:
        """The configuration as the file would hold it."""
        return {
            "environment": "test",
            "postgres": {"dsn": self.dsn, "write_dsn": self.dsn},
            "paths": {"state": str(self.folder / "state")},
            **sections,
        }

    def settings(self, **sections: Any) -> Settings:
        return settings_from(self.raw(**sections))

    def config(self, **sections: Any) -> Path:
        path = self.folder / "payops.yaml"
        path.write_text(yaml.safe_dump(self.raw(**sections)))
        path.chmod(0o600)
        return path

    @property
    def journal(self) -> Journal:
        return Journal(self.folder / "state")

    def rows(self, table: str = "payments") -> list[tuple[Any, ...]]:
        """Every row, as the database writes it."""
        query = sql.SQL("SELECT t::text FROM {} t ORDER BY 1").format(sql.Identifier(table))
        return self.sql.execute(query).fetchall()

    def value(self, query: str) -> Any:
        row = self.sql.execute(query).fetchone()  # type: ignore[arg-type]
        assert row is not None
        return row[0]

    def change(
        self,
        key: Mapping[str, str | None],
        before: Mapping[str, str | None],
        after: Mapping[str, str | None],
        *,
        table: str = "payments",
        **more: Any,
    ) -> Change:
        """A change with the statement that payops makes of it."""
        from dataclasses import replace

        id_ = more.pop("id", f"test:{','.join(map(str, key.values()))}")
        made = Change(id_, "test", table, key, before, after, "", "a test", **more)
        with reading(self.settings()) as rows:
            return replace(made, statement=rows.statement(made))

    def plan(self, *changes: Change, **more: Any) -> Plan:
        with reading(self.settings()) as rows:
            database, fingerprint = rows.target()
        given: dict[str, Any] = {
            "command": "payops test",
            "created_at": datetime.now(UTC),
            "expires_s": 3600,
            "target": Target("postgres", "test", database, fingerprint),
            "changes": changes,
            "caps": Caps(1000),
            **more,
        }
        return signed(Plan(**given))

    def apply(self, plan: Plan, **choice: Any) -> Applied:
        """In this process, without the command line."""
        from payops.sources.writer import PostgresWriter

        settings = self.settings()
        assert settings.postgres is not None
        writer = PostgresWriter(settings.postgres, "tester@here")
        try:
            return apply_plan(plan, writer, self.journal, Choice(**choice), who="tester@here")
        finally:
            writer.close()

    def payments(self, count: int) -> list[str]:
        """A table of pending payments; their ids."""
        self.sql.execute(
            "CREATE TABLE payments (id uuid PRIMARY KEY, status text NOT NULL,"
            " amount numeric(12,2) NOT NULL, done integer NOT NULL DEFAULT 0,"
            " processor_ref text, updated_at timestamptz NOT NULL DEFAULT '2026-02-11 09:30+00')"
        )
        ids = [str(uuid.UUID(int=n + 1)) for n in range(count)]
        with self.sql.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO payments (id, status, amount, processor_ref)"
                " VALUES (%s, 'pending', 10, 'pi_' || %s)",
                [(id_, id_) for id_ in ids],
            )
        return ids

    def succeed(self, ids: list[str]) -> list[Change]:
        """A change for each payment. `done` is counted up by a trigger: a change that is made
        twice shows."""
        self.sql.execute(
            "CREATE FUNCTION count_up() RETURNS trigger LANGUAGE plpgsql AS"
            " $$BEGIN NEW.done := OLD.done + 1; RETURN NEW; END$$;"
            "CREATE TRIGGER counted BEFORE UPDATE ON payments"
            " FOR EACH ROW EXECUTE FUNCTION count_up()"
        )
        first = self.change(
            {"id": ids[0]}, {"status": "pending", "amount": "10.00"}, {"status": "succeeded"}
        )
        from dataclasses import replace

        return [
            replace(
                first,
                id=f"test:{id_}",
                key={"id": id_},
                statement=first.statement.replace(ids[0], id_),
            )
            for id_ in ids
        ]


def words(applied: Applied) -> list[str]:
    """What became of each change, in order."""
    return [outcome.result.value for _, outcome in applied.outcomes]


def why(applied: Applied, number: int = 0) -> str:
    return applied.outcomes[number][1].why
