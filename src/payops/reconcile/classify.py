"""What a pair of states means: the table is the domain's, since a trace judges by it too."""

from payops.domain.pairs import PAIRS, STATES, Verdict, verdict, verdicts

__all__ = ["PAIRS", "STATES", "Verdict", "verdict", "verdicts"]
