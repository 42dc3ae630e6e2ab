"""The payments that a reconciliation found, out of its JSON."""

from __future__ import annotations

import json
from pathlib import Path

from payops.domain.text import harmless, shortened
from payops.errors import UsageError

# A reconciliation of a million rows with all of them wrong; more is no such file.
_LONGEST = 512 * 1024 * 1024


def ids_of(path: Path, most: int) -> tuple[list[str], int]:
    """Up to `most` ids in the file's order, and how many there are. Raises UsageError.

    Stripe's id where a discrepancy has one, else the row's.
    """
    try:
        if path.stat().st_size > _LONGEST:
            raise UsageError(f"{path} is larger than any reconciliation's JSON")
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise UsageError(
            f"{path} is not JSON", hint="make it with: payops reconcile -o json"
        ) from error
    listed = document.get("discrepancies") if isinstance(document, dict) else None
    if not isinstance(listed, list):
        raise UsageError(
            f"{path} has no discrepancies in it", hint="make it with: payops reconcile -o json"
        )
    found: dict[str, None] = {}
    for number, each in enumerate(listed):
        id_ = _id(each)
        if not id_:
            raise UsageError(
                f"{path}: discrepancy {number + 1} has neither stripe_id nor local_id: "
                f"{shortened(harmless(str(each)), 60)}"
            )
        found.setdefault(id_)
    return list(found)[:most], len(found)


def _id(each: object) -> str:
    if not isinstance(each, dict):
        return ""
    stripe, local = each.get("stripe_id"), each.get("local_id")
    if isinstance(stripe, str) and stripe:
        return stripe
    return f"local:{local}" if isinstance(local, str | int) and str(local) else ""
