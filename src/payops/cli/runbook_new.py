"""`payops runbook new`: a page of one's own to start from."""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from payops.cli.boundary import emit_text
from payops.errors import UsageError

if TYPE_CHECKING:
    from payops.domain.runbook import Runbook

TEMPLATE = """\
---
# What every key means: docs/runbooks.md. Check it: payops runbook check {file}
id: {id}                    # the file's name
title: {title}
kind: incident              # or routine, which has no severity, mttr or symptoms
severity: P2                # P1 to P4
mttr: 30m                   # how long a repair may take
source: ""                  # where it comes from
# symptoms:                 # what tells `payops diagnose` that it is this
#   confirm:
#     - {{check: circuit.state, is: CRIT, decisive: true, says: the breaker is open}}
#   refute:
#     - {{check: stripe.api, is: CRIT, decisive: true, says: Stripe itself does not answer}}
parameters:
  since: {{default: 24h, meaning: how far back to look}}
steps:
  - id: look
    title: Is Stripe well?
    check: stripe.api,stripe.latency      # checks of `payops health`, by name or glob
    then: {{not_ok: escalate}}              # ok, not_ok, unknown: next, end, verify, escalate,
                                          # a step, or runbook:ID
  - id: compare
    title: What is missing?
    run: payops reconcile --since {{since}} # any command that changes nothing
    expect: [OK]
  - id: which
    title: Did somebody deploy?
    ask: Was anything deployed in the last hour?
    answers: ["yes", "no"]
    then: {{"no": repair}}
  - id: roll-back
    title: Roll it back
    tell: Roll back to the release before, and say which it was.
    seen: true                            # asks what was seen
  - id: repair
    title: Write what is missing
    plan: payops reconcile --since {{since}} --save-plan {{plan}}
    why: customers were charged, and their orders are not paid
    risk: an order that was cancelled by hand meanwhile is not touched, and stays open
    then: {{refused: escalate, failed: escalate}}
  - id: wait
    title: Payments are well again
    wait: payments.success-rate
    timeout: 5m
    every: 10s
    then: {{timeout: escalate}}
verify:
  - id: well
    check: payments.success-rate,payments.stuck-pending
---
# {title}

What it looks like, why it happens, what not to do.
"""


def new(
    name: Annotated[str, typer.Argument(metavar="ID", help="Lower-case words and hyphens.")],
    source: Annotated[
        str | None, typer.Option("--from", metavar="ID", help="Copy this runbook.")
    ] = None,
) -> int:
    """Write a runbook to start from into your own folder; never over one that is there.

    Under the id of one of payops' own it takes that one's place.
    """
    from payops.runbook.shelf import every_runbook, own_folder, runbook, shipped

    if not re.fullmatch(r"[a-z0-9]+(?:-[a-z0-9]+)*", name):
        raise UsageError(f"{name!r} is not lower-case words joined by hyphens")
    path = own_folder() / f"{name}.md"
    if source is None:
        title = name.replace("-", " ").capitalize()
        text = TEMPLATE.format(id=name, title=title, file=shlex.quote(str(path)))
    else:
        text = copied(runbook(source, every_runbook(shipped())), name)
    _write(path, text)
    emit_text(
        f"Wrote {path}. Put your own steps in, then:\n"
        f"  payops runbook check {shlex.quote(str(path))}\n"
        f"  payops runbook run {name}\n"
    )
    return 0


def copied(page: Runbook, name: str) -> str:
    """The page's text under another id. Its symptoms stay behind, since `payops diagnose` would
    name both pages for them; under its own id they come along."""
    text = Path(page.path).read_text(encoding="utf-8")
    if name == page.id:
        return text
    text = re.sub(r"^id:.*$", f"id: {name}", text, count=1, flags=re.MULTILINE)
    for key in ("symptoms", "scenarios"):
        block = rf"^{key}:.*\n(?:(?:[ \t#-].*)?\n)*"
        kept = f"# {key}: those of {page.id} are not repeated, or diagnose would name both\n"
        text = re.sub(block, kept, text, count=1, flags=re.MULTILINE)
    return text


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with open(
            os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8"
        ) as file:
            file.write(text)
    except FileExistsError:
        raise UsageError(f"{path} is there already, and was not touched") from None
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}") from error
