"""What was asked of the simulator: the proof of how many calls a tool made."""

from collections import Counter, deque
from typing import Any

KEPT = 1000
OPERATIONS = 500
"""Operations counted by name; beyond them (a client that guesses paths) as `other`."""


class RequestLog:
    """The last 1,000 requests, and totals of all."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Forget everything, totals too."""
        self.recent: deque[dict[str, Any]] = deque(maxlen=KEPT)
        self.total = 0
        self.by_operation: Counter[str] = Counter()
        self.by_status: Counter[str] = Counter()

    def add(self, entry: dict[str, Any]) -> None:
        """Count one request; `entry` has operation and status (of the answer, or the fault)."""
        self.total += 1
        operation = entry["operation"]
        if operation not in self.by_operation and len(self.by_operation) >= OPERATIONS:
            operation = "other"
        self.by_operation[operation] += 1
        self.by_status[str(entry["status"])] += 1
        self.recent.append(entry)

    def dump(self) -> dict[str, Any]:
        """Totals and the last requests, oldest first."""
        return {
            "total": self.total,
            "by_operation": dict(self.by_operation),
            "by_status": dict(self.by_status),
            "requests": list(self.recent),
        }
