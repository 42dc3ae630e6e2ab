"""How often `payops diagnose` is right: every scenario in every system, mild, usual and severe, by
two seeds; two at once; and labs in which nothing is wrong. `python -m benchmarks.accuracy --help`.

All of it takes the better part of an hour. What was seen is kept in `build/accuracy`, so that a run
that was broken off goes on, as long as payops' own code is the same; the runbooks may change, and
what was seen is judged by them again.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import groupby
from pathlib import Path

from benchmarks.accuracy_cases import Case, every_case
from benchmarks.accuracy_look import FOLDER, Look, kept, looks, version
from benchmarks.accuracy_verdict import Judged, Outcome, judged
from payops.lab.parameter import SEVERITIES
from payops.lab.scenario import EVERY_PRESET

LONGEST_S, MOST_CALLS = 3.0, 30
_ALL = "all"
_LISTED = 12


def run() -> Iterator[str]:
    """The lines of the Markdown tables. `--resume` among the arguments takes what another version
    of payops has seen for what this one would see; `--kept` takes that alone, and looks at nothing.
    """
    only_kept = "--kept" in sys.argv[1:]
    any_version = only_kept or "--resume" in sys.argv[1:]
    cases = tuple(every_case())
    found = tuple(results(cases, any_version=any_version, only_kept=only_kept))
    if len(found) < len(cases):
        yield f"{len(found):,} of {len(cases):,} cases; the others were not tried, or cannot be.\n"
    yield from table(found)


def results(
    cases: Iterable[Case], *, any_version: bool = False, only_kept: bool = False
) -> Iterator[Judged]:
    """Every case judged, in their order."""

    @cache
    def alone(case: Case) -> Look:
        found = kept(case, any_version=any_version)
        return found or next(iter(looks([case], any_version=any_version)))

    if only_kept:
        found = (kept(case, any_version=any_version) for case in cases)
        seen: Iterable[Look] = (one for one in found if one is not None)
    else:
        seen = looks(cases, any_version=any_version)
    for look in seen:
        one = judged(look, alone)
        if one is not None:
            yield one


# ── the tables ───────────────────────────────────────────────────────────────────────────────────


def table(found: Sequence[Judged]) -> Iterator[str]:
    """All of them."""
    single = [one for one in found if len(one.case.scenarios) == 1]
    two = [one for one in found if len(one.case.scenarios) == 2]
    well = [one for one in found if not one.case.scenarios]
    yield "One incident at a time, every scenario that a system has:\n"
    words = (Outcome.RIGHT, Outcome.BESIDE, Outcome.WRONG, Outcome.MISSED)
    heads = ("right alone", "right, and another", "wrong", "missed")
    yield from _counted("system", _by_preset(single), words, heads, {Outcome.RIGHT})
    yield ""
    by_severity = {
        one: [each for each in single if each.case.severity == one] for one in SEVERITIES
    }
    yield from _counted("severity", by_severity, words, heads, {Outcome.RIGHT})
    yield "\nTwo at once, drawn. One hides the other where the other's checks gave no answer:\n"
    words = (Outcome.RIGHT, Outcome.HIDDEN, Outcome.BESIDE, Outcome.ONE, *words[2:])
    heads = ("both named", "one hidden", "both, and another", "one named", *heads[2:])
    yield from _counted("system", _by_preset(two), words, heads, {Outcome.RIGHT, Outcome.HIDDEN})
    yield "\nNothing is wrong:\n"
    words, heads = (Outcome.RIGHT, Outcome.ALARM), ("said so", "false alarm")
    yield from _counted("system", _by_preset(well), words, heads, {Outcome.RIGHT})
    yield "\nWhat a look takes:\n"
    yield "| looks | seconds, median | most | requests to Stripe, median | most | goal |"
    yield "|---|---|---|---|---|---|"
    yield _taken(found)
    yield from _beyond(found)
    yield from _versions(found)
    yield from _misses(found)


def _by_preset(found: Iterable[Judged]) -> dict[str, list[Judged]]:
    parted: dict[str, list[Judged]] = {preset: [] for preset in EVERY_PRESET}
    for one in found:
        parted[one.case.preset].append(one)
    return parted


def _counted(
    of: str,
    parts: dict[str, list[Judged]],
    words: Sequence[Outcome],
    heads: Sequence[str],
    good: set[Outcome],
) -> Iterator[str]:
    yield f"| {of} | cases | {' | '.join(heads)} | goal: {heads[0]} |"
    yield "|---" * (len(heads) + 3) + "|"
    every = [one for part in parts.values() for one in part]
    for name, part in {**parts, _ALL: every}.items():
        counts = Counter(one.outcome for one in part)
        if not part:
            continue
        told = " | ".join(str(counts[each]) for each in words)
        share = sum(counts[each] for each in good) / len(part)
        verdict = "met" if share == 1 else f"{share:.1%}, MISSED"
        yield f"| {name} | {len(part):,} | {told} | {verdict} |"


def _taken(found: Sequence[Judged]) -> str:
    seconds, calls = [one.seconds for one in found], [one.calls for one in found]
    met = max(seconds) <= LONGEST_S and max(calls) <= MOST_CALLS
    return (
        f"| {len(found):,} | {statistics.median(seconds):.1f} | {max(seconds):.1f} "
        f"| {statistics.median(calls):.0f} | {max(calls)} "
        f"| at most {LONGEST_S:.0f} s and {MOST_CALLS}: {'met' if met else 'MISSED'} |"
    )


def _beyond(found: Sequence[Judged]) -> Iterator[str]:
    """Which looks took more than they may: those that took most."""
    over = [one for one in found if one.seconds > LONGEST_S or one.calls > MOST_CALLS]
    if over:
        yield f"\n{len(over):,} took more:\n"
        yield "| looked at | seconds | requests |"
        yield "|---|---|---|"
        for one in sorted(over, key=lambda one: (one.calls, one.seconds), reverse=True)[:_LISTED]:
            yield f"| {one.case.name} | {one.seconds:.1f} | {one.calls} |"


def _versions(found: Sequence[Judged]) -> Iterator[str]:
    others = sum(one.version != version() for one in found)
    if others:
        yield f"\n{others:,} of these looks were another version's, judged by today's runbooks."


def _misses(found: Sequence[Judged]) -> Iterator[str]:
    """What was not right, and what was said instead: alike ones in one row."""
    wrong = [one for one in found if _is_bad(one)]
    if not wrong:
        return
    yield "\nWhat was not right:\n"
    yield "| what it was | where | outcome | what was said |"
    yield "|---|---|---|---|"

    def alike(one: Judged) -> tuple[str, str, str]:
        return (" + ".join(one.case.scenarios) or "nothing", one.outcome.value, one.said)

    for (what, outcome, said), rows in groupby(sorted(wrong, key=alike), key=alike):
        yield f"| {what} | {_where([one.case for one in rows])} | {outcome} | {said} |"


def _where(cases: Sequence[Case]) -> str:
    """`reference mild 1, 2; debtflow usual 1`."""
    seeds: dict[tuple[str, str], list[int]] = defaultdict(list)
    for case in cases:
        numbers = seeds[case.preset, case.severity]
        if case.seed not in numbers:
            numbers.append(case.seed)
    return "; ".join(
        f"{preset} {severity}, seed {' and '.join(map(str, sorted(numbers)))}"
        for (preset, severity), numbers in seeds.items()
    )


# ── by itself ────────────────────────────────────────────────────────────────────────────────────


def main() -> None:
    """Look, and print the tables; each case that was not right is told on stderr at once."""
    told = argparse.ArgumentParser(prog="python -m benchmarks.accuracy", description=__doc__)
    told.add_argument("--preset", choices=EVERY_PRESET, help="one system alone")
    told.add_argument("--seed", type=int, help="one seed alone")
    told.add_argument("--scenario", action="append", help="this one alone; repeatable")
    told.add_argument("--all-pairs", action="store_true", help="every pair: takes hours")
    told.add_argument("--resume", action="store_true", help="use what another version has seen")
    told.add_argument("--judge", action="store_true", help="judge what is kept, look at nothing")
    told.add_argument("--fresh", action="store_true", help="forget what was seen")
    told.add_argument("--misses", type=Path, metavar="FILE", help="write what was not right there")
    asked = told.parse_args()
    if asked.fresh:
        for path in FOLDER.glob("*.json.gz"):
            path.unlink()
    wanted = [case for case in every_case(asked.all_pairs) if _is_wanted(case, asked)]
    found: list[Judged] = []
    for one in results(wanted, any_version=asked.resume or asked.judge, only_kept=asked.judge):
        found.append(one)
        if _is_bad(one):
            print(f"{one.case.name}: {one.outcome.value}: {one.said}", file=sys.stderr, flush=True)
    for line in table(found):
        print(line)
    if asked.misses:
        asked.misses.write_text("\n".join(map(signals_told, filter(_is_bad, found))))


def _is_bad(one: Judged) -> bool:
    return one.outcome not in (Outcome.RIGHT, Outcome.HIDDEN)


def _is_wanted(case: Case, asked: argparse.Namespace) -> bool:
    return (
        asked.preset in (None, case.preset)
        and asked.seed in (None, case.seed)
        and (not asked.scenario or set(asked.scenario) & set(case.scenarios))
    )


def signals_told(one: Judged) -> str:
    """A case with every signal that was not well, to mend a runbook by."""
    lines = [f"{one.case.name}: {one.outcome.value}: {one.said}"]
    for id_, signal in one.signals.items():
        if signal.abnormal:
            measured = {k: v for k, v in signal.measured.items() if k != "request_id"}
            lines.append(f"    {signal.status.value} {id_} | {signal.summary[:140]} | {measured}")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
