"""`python -m benchmarks.reconcile_client ARGUMENTS`: `payops ARGUMENTS`, Stripe's limits lifted.

At its real limits a million payments take Stripe 400 s whatever payops does, so the whole command
is measured with nothing else to wait for.
"""

from __future__ import annotations

import sys

from payops.sources.stripe_pages_pace import FetchPace


def main() -> None:
    """Run the command."""
    from payops.cli.main import main as payops

    FetchPace.of = classmethod(lambda cls, budget, *, test: cls(1e6, 1e6))  # type: ignore[assignment, method-assign]
    payops()


if __name__ == "__main__":
    sys.exit(main())
