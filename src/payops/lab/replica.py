"""A replica of the lab's database that receives everything and replays nothing.

It is a process that speaks the protocol of a standby, so the server sees it as any other in
pg_stat_replication; a whole second server would take longer to make than a drill wants to wait.
"""

from __future__ import annotations

import select
import struct
import time
from typing import TYPE_CHECKING

from payops.errors import LabError
from payops.lab import background

if TYPE_CHECKING:
    from payops.lab.running import Lab

NAME = "replica-2"
# The server ends a replica that says nothing for 60 s (wal_sender_timeout).
_BEAT_S = 5.0
_SENT_S = 10.0
# A part of one segment, of which the lab's are of 1 MiB.
_UNSENT = 256 * 1024
_EPOCH_OF_POSTGRES_S = 946_684_800  # 2000-01-01


def follow(lab: Lab) -> None:
    """Start it; the server knows how far it has come when this returns."""
    background.start(
        lab, __name__, {"dsn": lab.info.postgres_dsn}, lambda: _behind(lab) is not None
    )


def sent(lab: Lab) -> None:
    """Wait until the server has sent it nearly all: a checkpoint removes what was not sent yet,
    and the replica is ended. Raises LabError when it is gone, or this takes 10 s."""
    until = time.monotonic() + _SENT_S
    while True:
        found = lab.postgres.execute(
            "SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), sent_lsn)::bigint "
            "FROM pg_stat_replication WHERE application_name = %s",
            (NAME,),
        ).fetchone()
        if found is None or time.monotonic() > until:
            raise LabError(f"{NAME} does not follow the server", hint="see the lab's logs")
        if found[0] is not None and found[0] < _UNSENT:
            return
        time.sleep(0.002)


def _behind(lab: Lab) -> int | None:
    """Bytes that are not replayed; None before the replica has told of itself."""
    found = lab.postgres.execute(
        "SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn)::bigint "
        "FROM pg_stat_replication WHERE application_name = %s",
        (NAME,),
    ).fetchone()
    return found[0] if found else None


def _main() -> None:
    """Follow the server until it ends the connection."""
    from psycopg import conninfo, pq

    given = conninfo.make_conninfo(
        background.told()["dsn"], replication="true", application_name=NAME, connect_timeout=5
    )
    connection = pq.PGconn.connect(given.encode())
    if connection.status != pq.ConnStatus.OK:
        raise SystemExit(connection.error_message.decode())
    system = connection.exec_(b"IDENTIFY_SYSTEM")
    timeline, position = system.get_value(0, 1), system.get_value(0, 2)
    if timeline is None or position is None:
        raise SystemExit(connection.error_message.decode())
    asked = b"START_REPLICATION PHYSICAL " + position + b" TIMELINE " + timeline
    if connection.exec_(asked).status != pq.ExecStatus.COPY_BOTH:
        raise SystemExit(connection.error_message.decode())
    high, low = position.split(b"/")
    replayed = received = (int(high, 16) << 32) + int(low, 16)
    said = 0.0
    while True:
        if time.monotonic() - said > _BEAT_S:
            connection.put_copy_data(_status(received, replayed))
            connection.flush()
            said = time.monotonic()
        select.select([connection.socket], [], [], _BEAT_S)
        connection.consume_input()
        while True:
            length, message = connection.get_copy_data(1)
            if length < 0:
                raise SystemExit("the server has ended the connection")
            if not length:
                break
            if bytes(message[:1]) == b"w":
                start = struct.unpack("!Q", message[1:9])[0]
                received = max(received, start + length - 25)


def _status(received: int, replayed: int) -> bytes:
    """A standby's report: written and flushed what was received, replayed what was replayed."""
    now = int((time.time() - _EPOCH_OF_POSTGRES_S) * 1_000_000)
    return b"r" + struct.pack("!QQQqB", received, received, replayed, now, 0)


if __name__ == "__main__":
    _main()
