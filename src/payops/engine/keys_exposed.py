"""`keys.exposed`: does a key stand in the logs that the configuration names (`keys.logs`)?

Whoever reads a log with a secret key in it can charge cards and refund to their own (S3-41:
credentials in logs are a security incident). Of each log the newest part is looked through, with
the shapes and the exact texts that `payops keys scan` looks for; that one reads all of a file.
"""

from __future__ import annotations

import os
import secrets
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from glob import iglob
from itertools import islice
from typing import TYPE_CHECKING

from payops.domain.evidence import Action, Evidence
from payops.domain.result import CheckResult
from payops.domain.status import Status
from payops.domain.text import harmless
from payops.keys.patterns import Kind
from payops.keys.scan_files import LATE, Job, Part, Scanned, is_packed, walked
from payops.keys.scan_findings import Finding
from payops.keys.scan_lanes import scanned
from payops.keys.scan_report import place_text, size_text
from payops.keys.scan_secrets import known_secrets
from payops.keys.trouble import ROLL_WEBHOOK, skipped
from payops.sources.bounded import CutOffError, bounded

if TYPE_CHECKING:
    from payops.config.settings import Settings
    from payops.domain.deadline import Deadline

NEWEST = 16 << 20
"""Bytes of each log that are looked through, the newest."""
MOST, MOST_FILES = 32 << 20, 200
"""Bytes and logs of one look, those that were written to last: half a second's work, measured on
logs full of numbers."""
_MOST_NAMES = 10_000
_LISTED_S = 2.0
_SHOWN = 5  # pieces of evidence, and files in one command
# What anybody may know of, and numbers of nobody's cards.
_HARMLESS = frozenset({Kind.PUBLISHABLE_KEY, Kind.TEST_CARD})
# What is configured opens our doors, a live key somebody's; of others it is not known that they do.
_GRAVE = frozenset({Kind.CONFIGURED, Kind.LIVE_KEY})
_CALLED = {
    Kind.LIVE_KEY: "live key",
    Kind.TEST_KEY: "test key",
    Kind.WEBHOOK_SECRET: "webhook secret",
    Kind.CLIENT_SECRET: "client secret",
    Kind.CARD: "card number",
}
# No time in which the old one goes on: others know it.
_ROLL = Action(
    "Roll it in Stripe's Dashboard: Developers, API keys, the key's menu, Rotate key, and let the "
    "old one end as soon as the new one is deployed; then see what was asked with it: Developers, "
    "Logs"
)
_CLEAN = Action("Stop what writes it there, then clean the logs and what they were copied to")
_READERS = Action(
    "Ask who could read it meanwhile: log shipping, backups, support's access, tickets"
)
_PASSWORD = Action("Change the password, here and where it is used")
_CARD = Action("Tell who is responsible for PCI DSS before anything is deleted: 12.10")


@dataclass(frozen=True)
class Logs:
    """What was listed: `parts` to be read, the newest log first. `packed` and `left_out` count logs
    that are not looked at. `troubles` say what could not be found or read."""

    parts: tuple[Part, ...] = ()
    packed: int = 0
    left_out: int = 0
    troubles: tuple[str, ...] = ()


def exposed(settings: Settings, deadline: Deadline, now: datetime) -> CheckResult:
    """Whether a secret stands in one of the configured logs. Raises nothing that a file does."""
    if not settings.keys.logs:
        return skipped("the configuration names no logs to look through (keys.logs)", now)
    try:
        logs = bounded(deadline.within(_LISTED_S), lambda: listed(settings.keys.logs))
    except CutOffError:
        logs = Logs(troubles=("keys.logs could not be listed in time",))
    known, too_plain = known_secrets(settings)
    job = Job(known, secrets.token_bytes(16))
    done = tuple(scanned(list(logs.parts), job, 1, deadline))
    return concluded_from(logs, done, too_plain, now)


def listed(given: Sequence[str]) -> Logs:
    """The logs that these paths, folders and globs name, each once, the newest first."""
    troubles: list[str] = []
    paths: list[str] = []
    for each in given:
        path = os.path.expanduser(each)
        # A name that exists is meant as it is: it may hold a [ of its own.
        found = [path] if os.path.lexists(path) else list(_matching(path))
        if not found:
            troubles.append(f"{harmless(each)} names no file")
        paths += found
    walk = walked(paths)
    troubles += [f"{harmless(path)}: {why}" for path, why in walk.unreadable]
    newest: list[tuple[float, int, str]] = []
    packed = 0
    for path in dict.fromkeys(part.path for part in walk.parts):
        try:
            status = os.stat(path)
        except OSError as error:  # rotated away meanwhile
            troubles.append(f"{harmless(path)}: {error.strerror}")
            continue
        if is_packed(path):
            packed += 1
        else:
            newest.append((status.st_mtime, status.st_size, path))
    parts: list[Part] = []
    size = 0
    for _, length, path in sorted(newest, reverse=True):
        part = min(length, NEWEST)
        if len(parts) == MOST_FILES or size + part > MOST:
            break
        size += part
        parts.append(Part(path, begin=length - part, linked=True))
    return Logs(tuple(parts), packed, len(newest) - len(parts), tuple(troubles))


def _matching(pattern: str) -> Sequence[str]:
    return sorted(islice(iglob(pattern, recursive=True), _MOST_NAMES))


def concluded_from(
    logs: Logs, done: Sequence[Scanned], too_plain: Sequence[str], now: datetime
) -> CheckResult:
    """One result of what was found; UNKNOWN where nothing was, and a log could not be looked at.

    One for which the time was too short is told, and no trouble of its own while others were read:
    the newest come first.
    """
    found = sorted(
        (
            _placed(finding, each)
            for each in done
            for finding in each.findings.settled()
            if finding.kind not in _HARMLESS
        ),
        key=lambda finding: (finding.kind not in _GRAVE, -finding.count),
    )
    size = sum(each.read for each in done)
    late = [_unread(each) for each in done if size and each.failure.endswith(LATE)]
    failed = [_unread(each) for each in done if each.failure]
    unread = [*logs.troubles, *(why for why in failed if why not in late)]
    if found:
        status = Status.CRIT if found[0].kind in _GRAVE else Status.WARN
        more = f"; and {len(found) - 1:,} more" if len(found) > 1 else ""
        summary = f"{_said(found[0])}{more}"
    else:
        count = f"{len(done):,} log{'' if len(done) == 1 else 's'}"
        status, summary = Status.OK, f"none in {size_text(size)} of {count}"
        if unread:
            status, summary = Status.UNKNOWN, f"{len(unread)} not looked at, {unread[0]}; {summary}"
    told = [*map(_said, found[:_SHOWN] if len(found) > 1 else ()), *unread, *_notes(logs)]
    told += late
    if too_plain:
        told.append(f"not searched for, too short or plain: {', '.join(too_plain)}")
    return CheckResult(
        status,
        summary,
        source="files",
        as_of=now,
        measured={"count": len(found), "files": len(done), "bytes": size},
        evidence=tuple(Evidence(what, "files", now) for what in told),
        actions=_actions(found),
    )


def _placed(finding: Finding, done: Scanned) -> Finding:
    # Of a log of which the end alone was read, the lines before that were not counted.
    whole = not done.part.begin and not done.binary
    return replace(finding, path=done.part.path, line_based=whole)


def _said(finding: Finding) -> str:
    called = _CALLED.get(finding.kind) or finding.note.removesuffix(" of the configuration")
    times = f", {finding.count:,} times" if finding.count > 1 else ""
    place = harmless(place_text(finding, finding.first))
    return f"{called} {finding.shown} stands in {place}{times}"


def _unread(done: Scanned) -> str:
    return f"{harmless(done.part.path)}: {done.failure}"


def _notes(logs: Logs) -> list[str]:
    notes = []
    if logs.left_out:
        notes.append(
            f"{logs.left_out:,} older logs not looked at: at most {MOST_FILES} are, and "
            f"{size_text(MOST)}"
        )
    if logs.packed:
        notes.append(f"{logs.packed:,} packed logs not looked at: `payops keys scan` reads them")
    return notes


def _actions(found: Sequence[Finding]) -> tuple[Action, ...]:
    """See it whole, close the door that it opens, then clean up."""
    if not found:
        return ()
    paths = tuple(dict.fromkeys(harmless(each.path) for each in found))[:_SHOWN]
    look = " ".join(map(shlex.quote, paths))
    cures = dict.fromkeys(action for each in found for action in _cure(each))
    return (
        Action("See every place of it, masked", f"payops keys scan {look}"),
        *cures,
        _CLEAN,
        _READERS,
    )


def _cure(finding: Finding) -> tuple[Action, ...]:
    match finding.kind:
        case Kind.LIVE_KEY | Kind.TEST_KEY:
            return (_ROLL,)
        case Kind.WEBHOOK_SECRET:
            return (Action(ROLL_WEBHOOK),)
        case Kind.CONFIGURED if "password" in finding.note:
            return (_PASSWORD,)
        case Kind.CONFIGURED:
            return (_ROLL if "secret_key" in finding.note else Action(ROLL_WEBHOOK),)
        case Kind.CARD:
            return (_CARD,)
    return ()
