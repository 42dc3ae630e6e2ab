"""What people are told when something changed: a title and a few lines, for chat, mail or pager.

Plain text. Whatever it is sent through, a text from outside mentions nobody in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from payops.domain.change import FLAPPING, Change, Kind
from payops.domain.duration import human_duration, utc_text
from payops.domain.report import Report
from payops.domain.result import CheckResult
from payops.domain.secret import redact
from payops.domain.status import Status
from payops.domain.text import harmless, shortened
from payops.formats.safe import safe
from payops.formats.words import (
    by_cause,
    counted,
    is_finding,
    money_text,
    title_of,
    worst_first,
)

# The shortest of the usual limits is Discord's, 2000 characters with the title.
_MOST = 1700
_MOST_TITLE = 200
_SUMMARY = 300
# Also a link that says another address than it leads to: `[your bank](https://…)`.
_MENTION = re.compile(r"[@<](?=\S)|\](?=\()")


def message(
    report: Report, changes: Iterable[Change], to_tell: Mapping[str, str]
) -> tuple[str, str]:
    """Title and body about the checks in `to_tell` (ids, with the word to tell of each)."""
    shown = safe(report, one_line=True)
    known = {change.id: change for change in changes}
    told = [
        list(_lines(check, known.get(check.id), word, report))
        for check, word in _chosen(shown.checks, known, to_tell)
    ]
    named = {check.id for check in shown.checks}
    gone = [one for one in known.values() if one.id in to_tell and one.id not in named]
    told += [list(_gone(one, report)) for one in gone]
    title = (
        f"payops {shown.environment} {shown.command} {shown.status.value}: "
        f"{_counts(known, to_tell)}"
    )
    others = [
        title_of(check)
        for check in worst_first(shown.checks)
        if is_finding(check) and not check.advisory and check.id not in to_tell
    ]
    tail = [shortened(f"Still: {', '.join(dict.fromkeys(others))}", _SUMMARY)] if others else []
    body = _fitting([list(map(_quiet, lines)) for lines in told], list(map(_quiet, tail)))
    # Once more: a secret may stand where the report's own words meet.
    return redact(shortened(_quiet(title), _MOST_TITLE)), redact(body)


def _chosen(
    checks: Sequence[CheckResult], known: Mapping[str, Change], to_tell: Mapping[str, str]
) -> Iterator[tuple[CheckResult, str]]:
    """Each check to tell of, once, with the word; those of one cause and word as one."""
    words: dict[str, str] = {}
    alike: dict[str, list[CheckResult]] = {}
    for check in worst_first(checks):
        if check.id in to_tell and check.id not in words:
            words[check.id] = _word(known.get(check.id), to_tell[check.id])
            alike.setdefault(words[check.id], []).append(check)
    for check in worst_first([check for each in alike.values() for check in by_cause(each)]):
        yield check, words[check.id]


def _word(change: Change | None, word: str) -> str:
    """What is told of one check, which people may have been told nothing of before."""
    if word == FLAPPING:
        return FLAPPING
    if word == Status.OK.value:
        return "RESOLVED"
    if change is not None and change.kind in (Kind.WORSE, Kind.BETTER):
        return str(change.kind.value).upper()
    return "NEW"


def _counts(known: Mapping[str, Change], to_tell: Mapping[str, str]) -> str:
    words = [_word(known.get(id_), word).lower() for id_, word in to_tell.items()]
    ordered = ("new", "worse", "better", "flapping", "resolved")
    return ", ".join(f"{words.count(one)} {one}" for one in ordered if one in words)


def _lines(check: CheckResult, change: Change | None, word: str, report: Report) -> Iterator[str]:
    summary = shortened(" ".join(check.summary.split()), _SUMMARY)
    yield f"{word} {check.status.value} {title_of(check)}: {summary}"
    seen = change.since if change else None
    if word == "RESOLVED":
        if seen is not None:
            lasted = human_duration((report.generated_at - seen).total_seconds())
            yield f"  seen since {utc_text(seen)}, for {lasted}"
        return
    if word == FLAPPING:
        yield "  it keeps changing; no more is said of it until it holds still"
    elif since := check.since or seen:
        yield f"  since {utc_text(since)}"
    if check.money_at_risk:
        yield f"  at risk {money_text(check)}"
    following = next((one.command or one.text for one in check.actions), "")
    if following and is_finding(check):
        yield f"  next: {following}"


def _gone(change: Change, report: Report) -> Iterator[str]:
    """A trouble that the report has no word of any more."""
    lasted = human_duration((report.generated_at - change.since).total_seconds())
    yield f"RESOLVED {change.status.value} {harmless(change.id)}: not found any more"
    yield f"  seen since {utc_text(change.since)}, for {lasted}"


def _fitting(blocks: list[list[str]], tail: list[str]) -> str:
    """As many blocks as there is room for, and how many there are more."""
    lines: list[str] = []
    for number, block in enumerate(blocks):
        text = "\n".join([*lines, *block, *tail])
        if lines and len(text) > _MOST:
            lines.append(f"… and {counted(len(blocks) - number, 'other change')}")
            break
        lines += block
    text = "\n".join([*lines, *tail])
    return text if len(text) <= _MOST else text[: _MOST - 1] + "…"


def _quiet(text: str) -> str:
    """Without `@everyone`, `<!channel>`, `[words](address)` and the like."""
    return _MENTION.sub(lambda match: f"{match.group()} ", text)
