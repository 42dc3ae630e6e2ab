"""A plausible past for the lab's shop: one story, told alike by Stripe, ledger, log and Redis.

`tell` is pure. What puts a history into files and servers is in `payops.lab.history.load`, which
alone imports database clients.
"""

from payops.lab.history.endings import Ending
from payops.lab.history.history import History
from payops.lab.history.plan import HistoryPlan
from payops.lab.history.stories import tell

__all__ = ["Ending", "History", "HistoryPlan", "tell"]
