"""One `payops runbook run`: which run it is, what it stands on, and what it ends with."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from payops.cli.boundary import tell
from payops.cli.invocation import Invocation
from payops.cli.runbook_commands import OwnCommands
from payops.cli.runbook_person import Nobody, Terminal
from payops.cli.runbook_shelf import misfits_in, shelf_told
from payops.domain.duration import ago
from payops.errors import ConfigError, FailedError, RefusedError, UsageError

if TYPE_CHECKING:
    from payops.config.load import Loaded
    from payops.domain.report import Report
    from payops.domain.runbook import Runbook
    from payops.domain.runbook_run import Place, Run

_OFFERED = timedelta(hours=24)
_WINDOW = "1h"  # as that of `payops health`


class Session:
    """What one run needs: the runbooks, the journal, the person, payops' own commands."""

    def __init__(
        self, asked: Invocation, loaded: Loaded, since: str | None, deadline_s: float, *, auto: bool
    ) -> None:
        from payops.engine.journal import Journal
        from payops.reconcile.spool import state_folder

        self._asked, self._loaded, self._since = asked, loaded, since
        self._deadline_s, self._auto = deadline_s, auto
        self._runbooks = shelf_told().runbooks
        self._journal = Journal(state_folder(loaded.settings))
        colour = Invocation(no_color=asked.no_color).colour and sys.stderr.isatty()
        self._person: Nobody | Terminal = (
            Nobody(tell) if auto else Terminal(colour=colour, confirmed=self._confirmed)
        )

    def new(self, name: str, first: str | None, given: Mapping[str, str], began: datetime) -> Run:
        """A run that begins. Raises UsageError, and ConfigError for a page that cannot be run."""
        from payops.domain.runbook_run import Run
        from payops.engine.journal import operator
        from payops.engine.runbook_log import new_id
        from payops.engine.runbook_run import first_place, named_place
        from payops.engine.runbook_values import refuse_unknown

        runbook = self._checked(name)
        if self._since is not None and "since" in runbook.parameters:
            given = {"since": self._since, **given}
        refuse_unknown(given, runbook)
        return Run(
            id=new_id(),
            runbook=runbook.id,
            began=began,
            started=datetime.now(UTC),
            who=operator(),
            place=named_place(runbook, first) if first else first_place(runbook),
            auto=self._auto,
            parameters=dict(given),
        )

    def left(self, name: str | None) -> Run:
        """The latest run that is not over. Raises UsageError where there is none, RefusedError
        where the journal was touched: it says what was agreed to, and where one goes on."""
        from payops.engine.runbook_log import unfinished
        from payops.runbook.shelf import runbook

        wanted = runbook(name, self._runbooks).id if name else ""
        found = unfinished(self._journal.trusted().entries, wanted)
        if found is None:
            of = f" of {wanted}" if wanted else ""
            raise UsageError(f"no run{of} was left unfinished", hint="see `payops runbook list`")
        return found

    def offered(self, name: str) -> Run | None:
        """The run of this runbook that was left lately, if the person wants to go on with it."""
        from payops.engine.runbook_log import unfinished
        from payops.runbook.shelf import runbook

        if self._auto:
            return None
        try:
            entries = self._journal.trusted().entries
        except (FailedError, RefusedError):
            return None  # told when the run that begins cannot be written down
        found = unfinished(entries, runbook(name, self._runbooks).id)
        now = datetime.now(UTC)
        if found is None or found.last is None or now - found.last > _OFFERED:
            return None
        if self._is_under_way(found):
            self._person.tell(f"{found.who} is at a run of this in another terminal")
            return None
        self._person.tell(
            f"{found.who} left a run of this {ago(found.last, now)}, before step {found.place.step}"
        )
        reply = self._person.choose("Go on with it?", ("yes", "no"))
        if reply.word == "quit":
            raise KeyboardInterrupt
        return found if reply.text == "yes" else None

    def _is_under_way(self, run: Run) -> bool:
        from payops.engine.runbook_log import RunLog

        log = RunLog(self._journal, run.id, tell)
        try:
            log.hold()
        except RefusedError:
            return True
        log.free()
        return False

    def carried_out(self, run: Run) -> Report:
        """Lead the person through it; what became of it. Raises UsageError, RefusedError."""
        from payops.engine.journal import operator
        from payops.engine.runbook_log import RunLog
        from payops.engine.runbook_run import Ground, Runner
        from payops.engine.runbook_steps import Steps
        from payops.engine.runbook_summary import summary

        settings = self._loaded.settings
        runbook = self._checked(run.place.runbook)
        _refuse_another_page(runbook, run.place)
        _tell_of_a_stand_in(runbook)

        def values(page: Runbook) -> Mapping[str, str]:
            from payops.engine.runbook_values import values_for

            return values_for(page, settings, run.parameters, self._choose, auto=self._auto)

        log = RunLog(self._journal, run.id, lambda text: tell(f"payops: {text}"))
        since = self._since or run.parameters.get("since") or _WINDOW
        commands = OwnCommands(self._asked, self._loaded, since, self._deadline_s)
        steps = Steps(self._person, commands, log, values(runbook), self._auto)
        if runbook.presets and settings.preset not in runbook.presets:
            here = settings.preset or "without a preset"
            tell(f"payops: this page is for {', '.join(runbook.presets)}; the system is {here}")
        log.hold()
        try:
            if run.last is None:
                log.begin(run)
            else:
                log.resume(run, operator())
            runner = Runner(
                run, runbook, steps, log, Ground(self._checked, values, settings.escalation)
            )
            run = runner.go()
            report = summary(run, runner.runbook, settings.environment)
            if run.place.step:
                tell(f"payops: left; go on with it: {self._again(run)}")
            else:
                log.end(run.runbook, report.status.value)
        finally:
            log.free()
        return report

    def _again(self, run: Run) -> str:
        """The command that goes on with a run."""
        config = f"--config {shlex.quote(self._asked.config)} " if self._asked.config else ""
        return f"payops {config}runbook run {run.runbook} --resume"

    def _checked(self, name: str) -> Runbook:
        """The runbook, when it can be run. Raises UsageError, ConfigError."""
        from payops.runbook.shelf import runbook

        page = runbook(name, self._runbooks)
        misfits = misfits_in([page], self._runbooks, self._loaded.settings)
        if misfits:
            for each in misfits[1:]:
                tell(f"payops: {each}")
            first = misfits[0]
            raise ConfigError(
                f"{first.place}: {first.what}",
                file=first.file,
                hint=f"`payops runbook check {page.path}`; nothing was run",
            )
        return page

    def _choose(self, name: str, there: Sequence[str]) -> str:
        """Which of several is meant. Raises UsageError where nobody says so."""
        if not self._auto:
            reply = self._person.choose(f"Which {name}?", there)
            if reply.word == "go":
                return reply.text
        raise UsageError(f"there are several: {', '.join(there)}", hint=f"--set {name}=NAME")

    def _confirmed(self, plan: Path) -> bool:
        """In production the environment's name is typed, just as for `payops apply`."""
        from payops.cli.apply import Options, confirm
        from payops.engine.applier import Choice
        from payops.engine.planning import load_plan
        from payops.engine.target import is_production

        settings = self._loaded.settings
        if not is_production(settings):
            return True
        alone = replace(self._asked, environment=None)
        options = Options(Choice(), False, "table", f"payops apply {plan}")
        try:
            confirm(load_plan(plan), settings, alone, options)
        except (RefusedError, UsageError) as error:
            tell(f"payops: {error}")
            return False
        return True


def _refuse_another_page(runbook: Runbook, place: Place) -> None:
    """Raises UsageError when a run is to go on at a step that the page no longer has."""
    if place.step and place.step not in {each.id for each in runbook.every_step}:
        raise UsageError(
            f"runbook {runbook.id} has changed: it has no step {place.step!r} any more",
            hint=f"begin at another: payops runbook run {runbook.id} --from STEP",
        )


def _tell_of_a_stand_in(runbook: Runbook) -> None:
    """A page that has the id of one of payops' own says other things than people expect of it."""
    from payops.runbook.shelf import shipped

    ours = shipped() / f"{runbook.id}.md"
    if Path(runbook.path) != ours and ours.is_file():
        tell(f"payops: this is your own page, in the place of payops': {runbook.path}")
