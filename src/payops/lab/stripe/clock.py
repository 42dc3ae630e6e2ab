"""Stripe's clock, which may be set apart from this machine's to practise clock skew."""

import time
from email.utils import formatdate


class Clock:
    """Stripe's time: this machine's plus `offset_s` seconds.

    It stamps the Date header, `created` and the webhook signatures; delays between retries
    are real time.
    """

    def __init__(self, offset_s: float = 0.0) -> None:
        self.offset_s = offset_s

    def now(self) -> float:
        """Epoch seconds."""
        return time.time() + self.offset_s

    def date(self) -> str:
        """Now, as the Date header of HTTP."""
        return formatdate(self.now(), usegmt=True)
