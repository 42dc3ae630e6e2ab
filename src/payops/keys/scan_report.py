"""What a scan's findings mean: a result a family, and a table of places. Pure.

Runbook 001: no card data in logs or database. Runbook 003 (S3-41): credentials in logs or in plain
text are a security incident.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from payops.domain.evidence import Action, Evidence
from payops.domain.result import CheckResult
from payops.domain.status import Status, worst
from payops.domain.table import Column, Table
from payops.keys.ignore import Rule
from payops.keys.patterns import SEVERITY, Kind
from payops.keys.scan_findings import Finding, Place

_SHOWN = 5  # pieces of evidence of one result: the table has the rest
_READERS = Action(
    "Ask who could read it meanwhile: log shipping, backups, support's access, tickets"
)
_ROTATE = (
    Action("Rotate the key: Dashboard, Developers, API keys, Rotate key; then restart the senders"),
    Action("Stop what writes it there, then clean the places below and what they were copied to"),
    _READERS,
    Action("See what was asked with it: Dashboard, Developers, Logs, by key"),
)


_TEST_CARDS = Action(
    "Test numbers, nobody's cards: see that what writes them would not write a real one as well; "
    "known ones: kind=test-card in --ignore-file"
)


@dataclass(frozen=True)
class Family:
    """A check of the scan: which kinds it speaks of, and what to do when one was found."""

    id: str
    title: str
    kinds: tuple[Kind, ...]
    actions: tuple[Action, ...]


FAMILIES = (
    Family(
        "scan.keys",
        "Stripe keys in the open",
        (Kind.LIVE_KEY, Kind.TEST_KEY, Kind.PUBLISHABLE_KEY),
        _ROTATE,
    ),
    Family(
        "scan.webhook-secrets",
        "Webhook secrets in the open",
        (Kind.WEBHOOK_SECRET,),
        (
            Action("Roll the secret: Dashboard, Webhooks, the endpoint, Roll secret (old: 24 h)"),
            Action("Stop what writes it there, then clean the places below"),
            _READERS,
        ),
    ),
    Family(
        "scan.client-secrets",
        "Client secrets in the open",
        (Kind.CLIENT_SECRET,),
        (
            Action("Whoever has one sees its payment and can act on it while it is open"),
            Action("Log the id alone (pi_…), then clean the places below"),
        ),
    ),
    Family(
        "scan.cards",
        "Card numbers in the open",
        (Kind.CARD, Kind.TEST_CARD),
        (
            Action("Tell who is responsible for PCI DSS before anything is deleted: 12.10"),
            Action("Stop what writes it there, then clean the places below, copies and backups"),
            _READERS,
            Action("Is it no card but a number of yours? Say field=NAME in --ignore-file"),
        ),
    ),
    Family(
        "scan.configured",
        "Secrets of the configuration in the open",
        (Kind.CONFIGURED,),
        (
            Action("Change the password or key, here and where it is used"),
            Action("Clean the places below"),
            _READERS,
        ),
    ),
)
_WORDS = {
    Kind.LIVE_KEY: "live key",
    Kind.TEST_KEY: "test key",
    Kind.PUBLISHABLE_KEY: "publishable key (public by design)",
    Kind.WEBHOOK_SECRET: "webhook secret",
    Kind.CLIENT_SECRET: "client secret",
    Kind.CARD: "card number",
    Kind.TEST_CARD: "test card number",
    Kind.CONFIGURED: "secret of the configuration",
}


@dataclass(frozen=True)
class Looked:
    """How much a scan looked at, and what it could not look at.

    `failures` are `(what, why)`; `others` counts numbers that were taken for something else, by the
    name they stand under; `beyond` occurrences of values too many to be kept.
    """

    files: int = 0
    size: int = 0
    rows: int = 0
    seconds: float = 0
    links: int = 0
    special: int = 0
    old: int = 0
    failures: tuple[tuple[str, str], ...] = ()
    others: Mapping[str, int] = field(default_factory=dict)
    beyond: Mapping[Kind, int] = field(default_factory=dict)
    too_plain: tuple[str, ...] = ()
    searched: int = 0
    """Secrets of the configuration that were searched for; with none there is no such result."""
    ignored: int = 0
    unused: tuple[Rule, ...] = ()

    @property
    def amount(self) -> str:
        """`12 files, 340.2 MB, 2,000 rows in 1.2 s (280 MB/s)`."""
        parts = []
        if self.files or not self.rows:
            parts += [f"{self.files:,} file{'' if self.files == 1 else 's'}", size_text(self.size)]
        if self.rows:
            parts.append(f"{self.rows:,} rows")
        return f"{', '.join(parts)} in {self.seconds:.1f} s"


def size_text(size: int) -> str:
    """Bytes for people, in powers of 1000.

    >>> size_text(999), size_text(340_200_000)
    ('999 B', '340.2 MB')
    """
    if size < 1000:
        return f"{size} B"
    units = ("kB", "MB", "GB", "TB")
    power = min(len(units), (len(str(size)) - 1) // 3)
    return f"{size / 1000**power:.1f} {units[power - 1]}"


def results(findings: Sequence[Finding], looked: Looked, now: datetime) -> tuple[CheckResult, ...]:
    """One result a family, and what was looked at."""
    families = [
        _family(each, [f for f in findings if f.kind in each.kinds], looked, now)
        for each in FAMILIES
        if each.id != "scan.configured" or looked.searched
    ]
    return (*families, _coverage(looked, now))


def _family(family: Family, findings: list[Finding], looked: Looked, now: datetime) -> CheckResult:
    tally = Counter[Kind]()
    values: dict[Kind, set[bytes]] = {kind: set() for kind in family.kinds}
    for finding in findings:
        tally[finding.kind] += finding.count
        values[finding.kind].add(finding.value)
    for kind, count in looked.beyond.items():
        if kind in family.kinds:
            tally[kind] += count
    status = worst([Status.OK, *(SEVERITY[kind] for kind in tally)])
    measured: dict[str, int] = {}
    for kind in family.kinds:
        measured[kind.value.replace("-", "_") + "s"] = len(values[kind])
        measured[kind.value.replace("-", "_") + "_places"] = tally[kind]
    return CheckResult(
        status,
        _summary(family, tally, values, looked) if tally else f"none in {looked.amount}",
        source="files" if looked.files or not looked.rows else "postgres",
        as_of=now,
        measured=measured,
        evidence=tuple(_evidence(f, now) for f in _worst_first(findings)[:_SHOWN]),
        actions=_actions(family, tally) if status is not Status.OK else (),
        id=family.id,
        title=family.title,
    )


def _actions(family: Family, tally: Counter[Kind]) -> tuple[Action, ...]:
    # A test number is nobody's: no reason to wake whoever answers for PCI DSS.
    return (_TEST_CARDS,) if set(tally) == {Kind.TEST_CARD} else family.actions


def _summary(
    family: Family, tally: Counter[Kind], values: Mapping[Kind, set[bytes]], looked: Looked
) -> str:
    parts = []
    for kind in family.kinds:
        if tally[kind]:
            known = len(values[kind])
            number = f"at least {known:,}" if looked.beyond.get(kind) else f"{known:,}"
            plural = "" if known == 1 else "s"
            head, bracket, rest = _WORDS[kind].partition(" (")
            if kind is Kind.CONFIGURED and known != 1:
                head, plural = "secrets of the configuration", ""
            times = f"{tally[kind]:,} time{'' if tally[kind] == 1 else 's'}"
            parts.append(f"{number} {head}{plural}{bracket}{rest}, {times}")
    return f"{'; '.join(parts)}; looked at {looked.amount}"


def _worst_first(findings: Sequence[Finding]) -> list[Finding]:
    return sorted(findings, key=lambda f: (-SEVERITY[f.kind].rank, -f.count))


def _evidence(finding: Finding, now: datetime) -> Evidence:
    return Evidence(
        f"{finding.shown} in {place_text(finding, finding.first)}"
        + (f", {finding.count:,} times" if finding.count > 1 else "")
        + (f" ({finding.note})" if finding.note else ""),
        "postgres" if finding.row else "files",
        now,
        {"kind": finding.kind.value},
    )


def place_text(finding: Finding, place: Place) -> str:
    """`app.log:17`, of a binary file `core+0x1f40`, of a row `payments.metadata id=17`."""
    if finding.row:
        return f"{finding.path} {finding.row}"
    if finding.line_based:
        return f"{finding.path}:{place.line}"
    return f"{finding.path}+{place.offset:#x}"


def _coverage(looked: Looked, now: datetime) -> CheckResult:
    evidence = [Evidence(f"{what}: {why}", "files", now) for what, why in looked.failures]
    told: list[str] = []
    for count, what in (
        (looked.links, "symbolic links not followed"),
        (looked.special, "devices, pipes and sockets left out"),
        (looked.old, "files left out as older than --since"),
        (looked.ignored, "findings known to the ignore file"),
    ):
        if count:
            told.append(f"{count:,} {what}")
    if looked.others:
        total = sum(looked.others.values())
        names = ", ".join(
            f"{name} {count:,}" for name, count in Counter(looked.others).most_common(5)
        )
        told.append(
            f"{total:,} numbers with a right sum taken for others, by their name or since most "
            f"beside them fail it: {names} (--strict lists them)"
        )
    if looked.too_plain:
        told.append(f"not searched for, too short or plain: {', '.join(looked.too_plain)}")
    told += [f"rule that held for nothing, line {rule.line}: {rule.text}" for rule in looked.unused]
    evidence += [Evidence(text, "payops", now) for text in told]
    status = Status.UNKNOWN if looked.failures else Status.OK
    nothing = not looked.files and not looked.rows and not looked.failures
    summary = f"looked at {looked.amount}"
    if looked.failures:
        summary = f"{len(looked.failures):,} not looked at whole; {summary}"
    elif nothing:
        status, summary = Status.UNKNOWN, "there was nothing to look at"
    if looked.others:
        summary += f"; {sum(looked.others.values()):,} numbers taken for no cards, see --strict"
    if left_out := looked.links + looked.special + looked.old:
        summary += f"; {left_out:,} files left out (links, devices, older ones)"
    if looked.unused:
        rules = "1 rule" if len(looked.unused) == 1 else f"{len(looked.unused)} rules"
        summary += f"; {rules} of the ignore file held for nothing"
    return CheckResult(
        status,
        summary,
        source="payops",
        as_of=now,
        measured={
            "files": looked.files,
            "bytes": looked.size,
            "rows": looked.rows,
            "failures": len(looked.failures),
            "ignored": looked.ignored,
            "taken_for_others": sum(looked.others.values()),
        },
        evidence=tuple(evidence),
        actions=(Action("Scan again what is named here, with rights to read it"),)
        if looked.failures
        else (),
        id="scan.coverage",
        title="What was looked at",
    )


_COLUMNS = (
    Column("kind", "Kind"),
    Column("status", "Status"),
    Column("place", "First place", wide=True),
    Column("shown", "What"),
    Column("count", "Times"),
    Column("last", "Last place"),
    Column("fingerprint", "Fingerprint"),
    Column("field", "Field"),
    Column("note", "Note"),
)


def table(findings: Sequence[Finding], most: int | None) -> Table:
    """The findings as a table, the worst first; at most `most` rows (None: all)."""
    ordered = _worst_first(findings)
    shown = ordered if most is None else ordered[:most]
    left = len(ordered) - len(shown)
    return Table(
        "findings",
        "Where it stands",
        _COLUMNS,
        tuple(_row(finding) for finding in shown),
        note=f"and {left:,} more: --limit, or -o json, which has all" if left else "",
    )


def _row(finding: Finding) -> tuple[str | int | Status | None, ...]:
    last = None
    if finding.count > 1 and not finding.row:
        last = place_text(finding, finding.last).removeprefix(finding.path)
    return (
        finding.kind.value,
        SEVERITY[finding.kind],
        place_text(finding, finding.first),
        finding.shown.partition(" (sha256")[0],
        finding.count,
        last,
        finding.fingerprint or None,
        finding.field or None,
        finding.note or None,
    )
