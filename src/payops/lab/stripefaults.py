"""Faults of the simulator that a scenario sets beside those that are there, and lifts again."""

from __future__ import annotations

from typing import Any

from payops.lab.running import Lab

_COUNTED = ("seen", "hits")


def strike(lab: Lab, *faults: dict[str, Any]) -> None:
    """Set them; remembered for `lift`."""
    lab.remember(struck=True)
    lab.stripe.post("/faults", list(faults))


def lift(lab: Lab, *faults: dict[str, Any]) -> None:
    """Take those away that `strike` set; nothing happens where it never did."""
    if not lab.recall().get("struck"):
        return
    kept = [
        {name: value for name, value in there.items() if name not in _COUNTED}
        for there in lab.stripe.get("/state")["faults"]
        if all(any(there.get(name) != one[name] for name in one) for one in faults)
    ]
    lab.stripe.put("/faults", kept)
