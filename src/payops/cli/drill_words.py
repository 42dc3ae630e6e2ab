"""What a drill tells the person who takes it."""

from __future__ import annotations

import shlex
import textwrap
from typing import TYPE_CHECKING

from payops.domain.duration import human_duration

if TYPE_CHECKING:
    from payops.lab.drill_record import Drill


def briefing(drill: Drill, config: str, flag: str) -> str:
    """What people say, the configuration to use, what can be asked, and the clock.

    `flag` is the option that chooses the lab's folder, as it is typed.
    """
    from payops.lab.drill_told import told_of
    from payops.lab.scenario import load_scenario
    from payops.lab.systems import system

    found = [load_scenario(name) for name in drill.scenarios]
    heard = told_of(found, system(drill.preset), drill.severity)
    lines = [
        f"A drill: a lab on this machine (preset {drill.preset}, seed {drill.seed}).",
        "",
        "What you hear",
        *map(_wrapped, heard),
        "",
    ]
    if not drill.blind:
        lines += ["What it is", *(_wrapped(f"{one.title}: {one.breaks}.") for one in found), ""]
    lines += ["Look, and repair it", f"  export PAYOPS_CONFIG={shlex.quote(config)}"]
    lines += ["  payops diagnose"]
    if not drill.blind:
        lines += [f"  payops runbook run {name}" for name in drill.ids]
    lines += [
        "",
        f"  payops drill --check{flag}       is it repaired?",
        f"  payops drill --outside{flag}     have done what only somebody else can do",
    ]
    if drill.blind:
        lines += [f"  payops drill --diagnosis ID{flag}   say what it is (payops lab list)"]
    lines += [f"  payops drill --end{flag}         end it, and see how it went", "", clock(drill)]
    return "\n".join(lines) + "\n"


def _wrapped(sentence: str) -> str:
    return textwrap.fill(sentence, 80, initial_indent="  ", subsequent_indent="    ")


def clock(drill: Drill) -> str:
    """How long it has lasted, of how much."""
    told = f"The clock: {human_duration(max(1, drill.elapsed_s()))}"
    if drill.is_over:
        return f"{told}. Its time is up: payops drill --end."
    if drill.target_s is None:
        return f"{told}; no target. It ends after {human_duration(drill.timeout_s)}."
    return (
        f"{told} of {human_duration(drill.target_s)} to repair it. "
        f"It ends after {human_duration(drill.timeout_s)}."
    )
