"""The ignore file of a scan: which findings are known and meant.

One rule a line, its conditions as `name=value`, all of which must hold; `#` begins a comment:

    path=tests/**                          kind=test-key     # fixtures
    fingerprint=1a2b3c4d                                     # rotated 2026-01-12, still in old logs
    path=/var/log/orders.log* field=member kind=card         # our own order numbers
    last4=4242                             kind=test-card

`path` is a glob (`*` goes over `/` too) of the file or of `table.column`, `kind` a word of the
report, `fingerprint` the short hash of a key or secret. A card has none, since it would be undone
in a second; `last4` and `field`, the name that the number stands under, are for cards alone.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from payops.errors import UsageError
from payops.keys.patterns import Kind
from payops.keys.scan_findings import Finding

_CONDITIONS = frozenset({"path", "kind", "fingerprint", "last4", "field"})


@dataclass(frozen=True)
class Rule:
    """One line; an empty condition holds for everything."""

    line: int
    text: str
    path: str = ""
    kind: str = ""
    fingerprint: str = ""
    last4: str = ""
    field: str = ""

    def holds(self, finding: Finding) -> bool:
        """Whether a finding is known by this rule."""
        of_a_card = finding.kind in {Kind.CARD, Kind.TEST_CARD}
        return (
            (not self.path or fnmatchcase(finding.path, self.path))
            and (not self.kind or finding.kind.value == self.kind)
            and (not self.fingerprint or finding.fingerprint == self.fingerprint)
            and (not self.last4 or (of_a_card and finding.shown.endswith(self.last4)))
            and (not self.field or finding.field.lower() == self.field.lower())
        )


@dataclass(frozen=True)
class Sifted:
    """Findings that are no rule's, how many were one's, and the rules that held for none."""

    kept: tuple[Finding, ...]
    ignored: int
    unused: tuple[Rule, ...]


def read_rules(file: str) -> tuple[Rule, ...]:
    """The rules of an ignore file. Raises UsageError with the line that is wrong."""
    try:
        text = Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "is no UTF-8 text"
        raise UsageError(f"--ignore-file {file}: {why}") from None
    rules = (_rule(file, number, line) for number, line in enumerate(text.splitlines(), 1))
    return tuple(rule for rule in rules if rule is not None)


def _rule(file: str, number: int, line: str) -> Rule | None:
    where = f"--ignore-file {file}:{number}"
    try:
        words = shlex.split(line, comments=True)
    except ValueError as error:
        raise UsageError(f"{where}: {error}") from None
    if not words:
        return None
    conditions: dict[str, str] = {}
    for word in words:
        name, _, value = word.partition("=")
        if name not in _CONDITIONS or not value:
            raise UsageError(
                f"{where}: {word!r} is no condition",
                hint=f"write name=value with one of {', '.join(sorted(_CONDITIONS))}",
            )
        conditions[name] = value
    known = {kind.value for kind in Kind}
    if conditions.get("kind", "card") not in known:
        raise UsageError(
            f"{where}: there is no kind {conditions['kind']!r}", hint=", ".join(sorted(known))
        )
    return Rule(number, line.strip(), **conditions)


def sifted(findings: Iterable[Finding], rules: tuple[Rule, ...]) -> Sifted:
    """Findings without those that a rule knows."""
    kept: list[Finding] = []
    used: set[int] = set()
    ignored = 0
    for finding in findings:
        held = [rule.line for rule in rules if rule.holds(finding)]
        used.update(held)
        if held:
            ignored += 1
        else:
            kept.append(finding)
    unused = tuple(rule for rule in rules if rule.line not in used)
    return Sifted(tuple(kept), ignored, unused)
