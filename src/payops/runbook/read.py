"""From a Markdown file with front matter to a `Runbook`.

    ---
    id: circuit-stuck-open
    title: The circuit breaker is stuck open
    ...
    ---
    # The circuit breaker is stuck open

    Prose for people.

`docs/runbooks.md` tells every key.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from payops.config.files import parse_yaml
from payops.config.section import Duration
from payops.domain.duration import parse_duration
from payops.domain.evidence import Action
from payops.domain.runbook import SINCE_CHANGE, Kind, Runbook, RunbookParameter, Step
from payops.domain.status import Status
from payops.domain.symptom import TROUBLE, Condition, Operator, Suspect, Symptom, Symptoms
from payops.errors import ConfigError
from payops.runbook.page import NextPart, Page, ScenarioPart, StatusWords, StepPart
from payops.runbook.page import SymptomPart as Part
from payops.runbook.page import SymptomsPart as Parts

_FENCE = "---"
_LARGEST = 512 * 1024
_KINDS: tuple[Kind, ...] = ("check", "run", "ask", "tell", "plan", "wait")
_OPERATORS: tuple[Operator, ...] = (">=", "<=", "!=", ">", "<", "~")


def read_runbook(path: Path) -> Runbook:
    """The runbook in one file. Raises ConfigError with file, line and what is wrong."""
    try:
        if path.exists() and not path.is_file():  # a pipe would keep everybody waiting
            raise ConfigError("is not a file", file=str(path))
        with path.open("rb") as file:
            content = file.read(_LARGEST + 1)
        if len(content) > _LARGEST:
            raise ConfigError("is larger than a runbook may be (512 kB)", file=str(path))
        text = content.decode("utf-8")
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", file=str(path)) from error
    except UnicodeDecodeError as error:
        raise ConfigError("is not UTF-8", file=str(path)) from error
    return parsed(text, str(path))


def parsed(text: str, path: str) -> Runbook:
    """The runbook in `text`; `path` is for errors. Raises ConfigError."""
    matter, prose = _split(text, path)
    raw = parse_yaml(matter, path)
    _name_yes_and_no(raw)
    try:
        page = msgspec.convert(raw, Page, strict=False, dec_hook=_decode, str_keys=True)
        return _runbook(page, prose, path)
    except msgspec.ValidationError as error:
        raise ConfigError(_said(error), file=path) from error
    except ValueError as error:
        raise ConfigError(str(error), file=path) from error


def _split(text: str, path: str) -> tuple[str, str]:
    lines = text.splitlines()
    if not lines or lines[0].rstrip() != _FENCE:
        raise ConfigError("has no front matter: the first line is not ---", file=path, line=1)
    for number, line in enumerate(lines[1:], start=1):
        if line.rstrip() == _FENCE:
            # A leading empty line keeps the numbers of the lines as they are in the file.
            return "\n" + "\n".join(lines[1:number]), "\n".join(lines[number + 1 :]).strip() + "\n"
    raise ConfigError("its front matter does not end: a second --- is missing", file=path, line=1)


def _name_yes_and_no(raw: dict[str, Any]) -> None:
    """YAML takes `yes` and `no` for true and false; as answers they are words."""
    words = {True: "yes", False: "no"}
    for key in ("steps", "verify"):
        for step in raw.get(key) or ():
            if not isinstance(step, dict):
                continue
            if isinstance(answers := step.get("answers"), list):
                step["answers"] = [words[a] if isinstance(a, bool) else a for a in answers]
            if isinstance(then := step.get("then"), dict):
                step["then"] = {words[k] if isinstance(k, bool) else k: v for k, v in then.items()}


def _decode(wanted: type[Any], given: object) -> object:
    if wanted is Duration:
        if isinstance(given, bool) or not isinstance(given, (str, int, float)):
            raise ValueError("expected a duration such as 30s, 10m or 24h")
        return Duration(parse_duration(str(given)).total_seconds())
    raise NotImplementedError(wanted)


def _said(error: msgspec.ValidationError) -> str:
    what, _, place = str(error).partition(" - at `$")
    place = place.rstrip("`").lstrip(".")
    return f"{place}: {what[:1].lower()}{what[1:]}" if place else what


def _runbook(page: Page, prose: str, path: str) -> Runbook:
    own = _symptoms(page.symptoms, "symptoms")
    steps = tuple(_step(each, f"steps[{n}]") for n, each in enumerate(page.steps))
    verify = tuple(_step(each, f"verify[{n}]") for n, each in enumerate(page.verify))
    return Runbook(
        id=page.id,
        title=page.title,
        kind=page.kind,
        severity=page.severity,
        mttr_s=None if page.mttr is None else float(page.mttr),
        rows=tuple(page.rows),
        source=page.source,
        presets=tuple(page.presets),
        symptoms=own,
        suspects=tuple(_suspects(page, own)),
        next=_actions(page.next),
        parameters={
            name: RunbookParameter(each.default, each.meaning)
            for name, each in page.parameters.items()
        },
        steps=steps,
        verify=verify,
        prose=prose,
        path=path,
    )


def _suspects(page: Page, own: Symptoms) -> Iterable[Suspect]:
    """The page's own cause, where it has something decisive of its own, and the narrower ones.

    A narrower cause has what the page says of the wider one beside its own, but what is decisive;
    what follows from it, where it says so itself, is that and no more.
    """
    if any(each.decisive for each in own.confirm):
        yield Suspect(page.id, page.id, page.title, page.severity, own, _actions(page.next))
    shared = tuple(each for each in own.confirm if not each.decisive)
    for id_, part in page.scenarios.items():
        mine = _symptoms(part.symptoms, f"scenarios.{id_}.symptoms")
        if not any(each.decisive for each in mine.confirm):
            raise ValueError(f"scenarios.{id_}: nothing decisive confirms it")
        whole = Symptoms(
            (*mine.confirm, *shared),
            (*mine.refute, *own.refute),
            own.neutral if part.symptoms.neutral is None else mine.neutral,
        )
        yield _narrower(page, id_, part, whole)


def _narrower(page: Page, id_: str, part: ScenarioPart, symptoms: Symptoms) -> Suspect:
    severity = page.severity if part.severity is None else part.severity
    actions = _actions(part.next or page.next)
    return Suspect(id_, page.id, part.title, severity, symptoms, actions, narrow=True)


def _actions(parts: Sequence[NextPart]) -> tuple[Action, ...]:
    return tuple(Action(each.text, each.command) for each in parts)


def _symptoms(parts: Parts, place: str) -> Symptoms:
    def read(given: Sequence[Part | str], side: str) -> tuple[Symptom, ...]:
        return tuple(_symptom(each, f"{place}.{side}[{n}]") for n, each in enumerate(given))

    return Symptoms(
        read(parts.confirm, "confirm"),
        read(parts.refute, "refute"),
        read(parts.neutral or (), "neutral"),
    )


def _symptom(given: Part | str, place: str) -> Symptom:
    if isinstance(given, str):
        check, _, words = given.strip().partition(" ")
        return Symptom(_check_of(check, place), _statuses_of(words, place))
    return Symptom(
        check=_check_of(given.check, place),
        statuses=_statuses(given.is_, TROUBLE),
        where=tuple(_condition(name, wanted, place) for name, wanted in given.where.items()),
        says=given.says,
        decisive=given.decisive,
        also=tuple(_symptom(each, f"{place}.also") for each in given.also),
        unless=tuple(_symptom(each, f"{place}.unless") for each in given.unless),
    )


def _check_of(text: str, place: str) -> str:
    if not text.strip():
        raise ValueError(f"{place}: names no check")
    return text.strip()


def _statuses_of(words: str, place: str) -> frozenset[Status]:
    if not words.strip():
        return TROUBLE
    try:
        return frozenset(Status(word.strip()) for word in words.split(","))
    except ValueError:
        raise ValueError(
            f"{place}: {words.strip()!r} is not a status or several by commas"
        ) from None


def _statuses(given: StatusWords | None, default: frozenset[Status]) -> frozenset[Status]:
    if given is None:
        return default
    return frozenset(Status(word) for word in ([given] if isinstance(given, str) else given))


def _condition(name: str, wanted: object, place: str) -> Condition:
    """`open`, `[refused, dns]`, `>= 5`, `~ *abc*`, `absent`."""
    if isinstance(wanted, list):
        return Condition(name, "=", tuple(_scalar(each, f"{place}.{name}") for each in wanted))
    if isinstance(wanted, str):
        if wanted == "absent":
            return Condition(name, "=", (None,))
        if wanted == "present":
            return Condition(name, "~", ("*",))
        for operator in _OPERATORS:
            if wanted.startswith(operator):
                rest = wanted.removeprefix(operator).strip()
                return Condition(name, operator, (_number(rest),))
    return Condition(name, "=", (_scalar(wanted, f"{place}.{name}"),))


def _scalar(value: object, place: str) -> str | int | float | bool | None:
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    raise ValueError(f"{place}: expected a word, a number or a list of them")


def _number(text: str) -> str | float:
    try:
        return float(text)
    except ValueError:
        return text


def _step(part: StepPart, place: str) -> Step:
    given = {kind: getattr(part, kind) for kind in _KINDS if getattr(part, kind)}
    if len(given) != 1:
        there = " and ".join(given) or "none"
        raise ValueError(
            f"{place} ({part.id or 'without id'}): is one of {', '.join(_KINDS)}, and has {there}"
        )
    ((kind, what),) = given.items()
    return Step(
        id=part.id,
        kind=kind,
        what=what.strip(),
        title=part.title,
        expect=_statuses(part.expect, frozenset({Status.OK, Status.SKIP})),
        answers=_answers(kind, part.answers),
        then=_then(part.then),
        seen=part.seen,
        why=part.why,
        risk=part.risk,
        timeout_s=float(part.timeout),
        every_s=float(part.every),
        since=_since(part, place),
        rows=tuple(part.rows),
    )


def _since(part: StepPart, place: str) -> str:
    """`change`, or a duration."""
    if part.since and part.since != SINCE_CHANGE:
        try:
            parse_duration(part.since)
        except ValueError as error:
            raise ValueError(f"{place}.since: {error}, and not {SINCE_CHANGE!r}") from None
    return part.since


def _answers(kind: Kind, given: Sequence[str]) -> tuple[str, ...]:
    if kind != "ask":
        return ()
    return tuple(given) or ("yes", "no")


def _then(given: Mapping[str, str]) -> dict[str, str]:
    return {outcome.strip(): target.strip() for outcome, target in given.items()}
