"""Messages to people through apprise: chat, mail, pager, by the address of each.

An optional library (`payops[notify]`), loaded when there is a message to send. An address is a
secret: whoever has it can write there. What apprise logs is kept from stderr and passes the
redactor like all else.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from contextvars import ContextVar
from importlib.util import find_spec
from queue import Empty, SimpleQueue

from payops.domain.secret import redact
from payops.domain.text import harmless, shortened

INSTALL = "pip install 'payops[notify]'"
_REASON = 160  # characters of what apprise says


def missing() -> bool:
    """Whether apprise is not installed."""
    return find_spec("apprise") is None


def send(urls: Sequence[str], title: str, body: str, *, bad: bool, seconds: float) -> list[str]:
    """Send one message to every address, side by side; why each that failed did so.

    Never raises and never takes longer than `seconds`.
    """
    answers: SimpleQueue[tuple[int, str]] = SimpleQueue()
    for number, url in enumerate(urls):
        threading.Thread(
            target=lambda number=number, url=url: answers.put(
                (number, _send(url, title, body, bad=bad))
            ),
            name=f"notify {number}",
            daemon=True,
        ).start()
    ends = time.monotonic() + seconds
    said: dict[int, str] = {}
    while len(said) < len(urls):
        try:
            number, why = answers.get(timeout=max(ends - time.monotonic(), 0.001))
        except Empty:
            break
        said[number] = why
    late = f"no answer within {seconds:g} s"
    return [
        f"{shown(url)}: {why}" for number, url in enumerate(urls) if (why := said.get(number, late))
    ]


def shown(url: str) -> str:
    """What may be shown of an address: `slack://…`."""
    scheme, sign, _ = url.partition("://")
    return f"{shortened(harmless(scheme), 20)}://…" if sign else "an address without a scheme"


def _send(url: str, title: str, body: str, *, bad: bool) -> str:
    """Why it failed; empty when it was sent."""
    try:
        import apprise

        with _Heard() as heard:
            target = apprise.Apprise()
            if not target.add(url):
                return "is not understood; try it with `apprise -vv -b test ADDRESS`"
            kind = apprise.NotifyType.FAILURE if bad else apprise.NotifyType.SUCCESS
            done = target.notify(
                body=body, title=title, notify_type=kind, body_format=apprise.NotifyFormat.TEXT
            )
        return "" if done else f"could not be sent: {heard.last or 'no reason was given'}"
    except ImportError:
        return f"apprise is not installed: {INSTALL}"
    except Exception as error:  # noqa: BLE001  a plugin of apprise; the run's result goes on
        return redact(harmless(f"could not be sent: {type(error).__name__}: {error}"))


_hearing: ContextVar[_Heard | None] = ContextVar("_hearing", default=None)


class _Heard(logging.Handler):
    """What apprise says of one address, kept from everybody else's stderr. It may say it on a
    thread of its own, to which it hands the context on."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.last = ""

    def emit(self, record: logging.LogRecord) -> None:
        if _hearing.get() is self:
            text = " ".join(record.getMessage().split())
            self.last = shortened(redact(harmless(text)), _REASON)

    def __enter__(self) -> _Heard:
        _hearing.set(self)
        logger = logging.getLogger("apprise")
        logger.propagate = False
        logger.addHandler(self)
        return self

    def __exit__(self, *_: object) -> None:
        logging.getLogger("apprise").removeHandler(self)
        _hearing.set(None)
