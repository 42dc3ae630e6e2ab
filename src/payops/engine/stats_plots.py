"""What of `payops stats` is drawn: payments, success and p95 by the hour or day."""

from __future__ import annotations

from typing import TYPE_CHECKING

from payops.checks.ledger import tally
from payops.domain.plot import Plot
from payops.engine.stats_judged import share

if TYPE_CHECKING:
    from payops.engine.stats_numbers import Numbers


def plots(found: Numbers) -> tuple[Plot, ...]:
    """None where the series could not be asked; no latency where none is stored."""
    if found.series is None:
        return ()
    from payops.sources.ledger import Outcomes

    moments = found.spans.buckets()
    counted = [
        tally(Outcomes(found.series.get(since, ()), found.as_of), found.ledger) for since in moments
    ]
    rates = tuple(share(one.paid, one.decided) for one in counted)
    known = [rate for rate in rates if rate is not None]
    unit = found.spans.unit
    drawn = [
        Plot(
            "payments",
            f"Payments by {unit}",
            moments,
            tuple(float(one.attempts + one.unknown) for one in counted),
            bars=True,
        ),
        Plot(
            "success_rate",
            f"Success by {unit}, declines left out",
            moments,
            rates,
            unit="%",
            # From a whole ten below the worst, so that a fall of two per cent is seen.
            lowest=max(min(known, default=0) // 10 * 10 - 10, 0),
            highest=100,
        ),
    ]
    if found.series_latency:
        p95 = [found.series_latency.get(since) for since in moments]
        drawn.append(
            Plot(
                "p95_ms",
                f"p95 from creation to completion by {unit}",
                moments,
                tuple(one.p95 if one else None for one in p95),
                unit="ms",
            )
        )
    return tuple(drawn)
