"""What the words of a page name, held against what there is: checks, commands, runbooks."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from fnmatch import fnmatchcase

from payops.domain.runbook import Runbook, Step
from payops.errors import UsageError
from payops.runbook.lines import (
    OURS,
    PLAN,
    CommandLine,
    Parse,
    lines_in,
    placeholders,
    why_not_a_plan,
    why_not_read_only,
    words_of,
)

BUILT_IN: Mapping[str, str] = {
    "plan": "plan.json",
    "breaker": "stripe",
    "endpoint": "https://shop.example.com/webhooks",
    "ledger": "payments",
}
"""Names in braces that every page has, with an example each: a file in the state folder for the
plan; the only breaker, webhook endpoint and ledger of payments that is configured."""


@dataclass(frozen=True)
class Known:
    """What a page may name.

    `checks` are those that `payops health` can ask, `signals` those that `payops diagnose` sees
    beside them; both may hold `own.*` and `circuit.*` where no configuration says which there are.
    `commands` are the paths of all commands and groups, `parse` reads a command line. `remedies`
    are those that can be planned; None where that is not known.
    """

    checks: Collection[str]
    signals: Collection[str]
    commands: Collection[tuple[str, ...]]
    parse: Parse
    remedies: Collection[str] | None = None


@dataclass(frozen=True)
class Wording:
    """The words of one page: each question gives what is wrong, one line each."""

    runbook: Runbook
    known: Known

    @property
    def examples(self) -> dict[str, str]:
        """A value for every name in braces, so that a line can be read."""
        given = {name: one.default or "x" for name, one in self.runbook.parameters.items()}
        return {**given, **BUILT_IN}

    def signal(self, glob: str) -> Iterator[str]:
        """A glob of a symptom matches nothing that diagnose sees."""
        if not self._is_known(glob):
            near = nearest(glob, [*self.known.checks, *self.known.signals])
            yield f"no check matches {glob!r}{near}"

    def checks(self, globs: str) -> Iterator[str]:
        """Of globs by commas those that match no check of health."""
        for glob in (part.strip() for part in globs.split(",")):
            if placeholders(glob) or any(_match(glob, id_) for id_ in self.known.checks):
                continue
            if self._is_known(glob):
                yield f"{glob!r} is no check of `payops health`: run the command that asks it"
            else:
                yield f"no check matches {glob!r}{nearest(glob, self.known.checks)}"

    def reading(self, line: str) -> Iterator[str]:
        """A line that is to change nothing."""
        read, wrong = self.read(line)
        yield from wrong
        if read is not None and (why := why_not_read_only(read)):
            yield why

    def planning(self, step: Step) -> Iterator[str]:
        """A line that is to write a plan."""
        if PLAN not in step.what:
            yield f"has no {PLAN}: --save-plan {PLAN}"
        read, wrong = self.read(step.what)
        yield from wrong
        if read is not None and (why := why_not_a_plan(read)):
            yield why
        elif read is not None and read.given.get("--save-plan") != self.examples["plan"]:
            yield f"--save-plan is followed by {PLAN}"

    def mentions(self, text: str) -> Iterator[str]:
        """The `payops ...` lines of a text for people."""
        for line, in_block in dict.fromkeys(lines_in(text)):
            if "…" in line or "..." in line:
                continue
            if not in_block and tuple(line.split()[1:]) in self.known.commands:
                continue
            yield from self.read(line)[1]

    def read(self, line: str) -> tuple[CommandLine | None, tuple[str, ...]]:
        """A command line as it is understood, or what is wrong with it."""
        try:
            words = words_of(line, self.examples)
        except ValueError:
            return None, (f"`{line}`: a quote is not closed",)
        if words[:1] != [OURS]:
            return None, (f"`{line}` is no payops command",)
        try:
            read = self.known.parse(words[1:])
        except UsageError as error:
            hint = f"; {error.hint}" if error.hint else ""
            return None, (f"`{line}`: {error}{hint}",)
        wrong = [what for glob in _checks_named(read) for what in self.checks(glob)]
        wrong += self._remedies(read)
        return read, tuple(f"`{line}`: {what}" for what in wrong)

    def _remedies(self, line: CommandLine) -> Iterator[str]:
        """A remedy that is planned or shown, and that no system has."""
        there = self.known.remedies
        name = str(line.given.get("name", ""))
        named = line.path in {("remedy", "plan"), ("remedy", "show")}
        if named and there is not None and name not in there:
            yield f"there is no remedy {name!r}{nearest(name, there)}"

    def _is_known(self, glob: str) -> bool:
        return any(_match(glob, id_) for id_ in (*self.known.checks, *self.known.signals))


def nearest(word: str, known: Iterable[str]) -> str:
    """`; did you mean 'x'?`, where something is near."""
    near = get_close_matches(word, list(known), n=1, cutoff=0.4)
    return f"; did you mean {near[0]!r}?" if near else ""


def _checks_named(line: CommandLine) -> Iterator[str]:
    """The checks that `payops health` is asked for."""
    if line.name == "health":
        for option in ("--only", "--skip"):
            given = line.given.get(option)
            yield from (str(each) for each in given) if isinstance(given, list | tuple) else ()


def _match(glob: str, id_: str) -> bool:
    """Whether a glob names an id, a family's name all of it; `own.*` may be known as such."""
    return (
        fnmatchcase(id_, glob)
        or id_.partition(".")[0] == glob
        or (id_.endswith(".*") and fnmatchcase(glob, id_))
    )
