"""What is put in for the names in braces of a runbook."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence

from payops.config.settings import Settings
from payops.domain.runbook import AUTOMATIC, Runbook
from payops.errors import UsageError
from payops.runbook.lines import placeholders

Choose = Callable[[str, Sequence[str]], str]
"""Asks a person for one of several; raises UsageError where nobody is to be asked."""


def built_in(settings: Settings) -> Mapping[str, tuple[str, ...]]:
    """Of each name that every page has, what the configuration has for it."""
    ledgers = [name for name, one in settings.ledgers.items() if one.kind == "payments"]
    return {
        "breaker": tuple(one.name for one in settings.circuit.breakers),
        "endpoint": tuple(one.name or one.url for one in settings.webhooks.endpoints),
        # health looks at the first ledger of payments, and so does a runbook
        "ledger": tuple(ledgers[:1]),
    }


def values_for(
    runbook: Runbook,
    settings: Settings,
    given: Mapping[str, str],
    choose: Choose,
    *,
    auto: bool = False,
) -> dict[str, str]:
    """The values for one runbook: its defaults, what was `given`, what is configured.

    Of several configured ones the person says which. What is not configured is empty: the command
    says then what is missing. Raises UsageError, also for a value that a command would take for an
    option: a resumed run has its values from the journal. With `auto` nobody is asked about a name
    that only steps have which are not taken then: it stays as it stands on the page.
    """
    _refuse_options(given)
    values = {name: one.default for name, one in runbook.parameters.items()}
    values |= {name: value for name, value in given.items() if name in values}
    steps = runbook.every_step
    used = {name for step in steps for name in placeholders(step.what)}
    taken = [each for each in steps if not auto or each.kind in AUTOMATIC]
    needed = {name for step in taken for name in placeholders(step.what)}
    for name, there in built_in(settings).items():
        if name not in used:
            continue
        if name in given:
            values[name] = given[name]
        elif len(there) > 1:
            if name in needed:
                values[name] = choose(name, there)
        else:
            values[name] = there[0] if there else ""
    return values


def refuse_unknown(given: Mapping[str, str], runbook: Runbook) -> None:
    """Raises UsageError for a name that the runbook does not have, and for a value that a command
    would take for an option."""
    known = {*runbook.parameters, "breaker", "endpoint", "ledger"}
    for name in given:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"one of {', '.join(sorted(known))}"
            raise UsageError(f"--set: runbook {runbook.id} has no {name!r}", hint=hint)
    _refuse_options(given)


def _refuse_options(given: Mapping[str, str]) -> None:
    for name, value in given.items():
        if value.startswith("-"):
            raise UsageError(f"--set {name}: {value!r} begins with a hyphen, as an option does")
