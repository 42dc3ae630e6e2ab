"""Sends queued events to their endpoints, signed as Stripe signs them. Loopback only."""

import asyncio
import contextlib
import ipaddress
import json
import logging
import sqlite3
import time
from urllib.parse import urlsplit

import h11

from payops.domain.signature import signature_header
from payops.lab.stripe.objects import StripeObject
from payops.lab.stripe.webhooks import Due, Webhooks

log = logging.getLogger(__name__)

PARALLEL = 16
IDLE_S = 3600.0
BUSY_S = 0.25


class NotLoopbackError(ValueError):
    """An endpoint elsewhere than on this machine: the lab sends nothing there."""


def loopback_address(url: str) -> tuple[str, int, str]:
    """Host, port and target of an endpoint's URL. Raises NotLoopbackError for any other host."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if host == "localhost":
        host = "127.0.0.1"
    try:
        inside = ipaddress.ip_address(host).is_loopback
    except ValueError:
        inside = False
    if parts.scheme != "http" or not inside:
        raise NotLoopbackError(f"{url}: the lab delivers to http on loopback only")
    target = parts.path or "/"
    return host, parts.port or 80, f"{target}?{parts.query}" if parts.query else target


async def post(url: str, headers: list[tuple[str, str]], body: bytes) -> int:
    """POST to a loopback URL; the HTTP status. Redirects are not followed.

    Raises NotLoopbackError, OSError, or h11.RemoteProtocolError for an answer that is none.
    """
    host, port, target = loopback_address(url)
    reader, writer = await asyncio.open_connection(host, port)
    try:
        http = h11.Connection(h11.CLIENT)
        netloc = urlsplit(url).netloc.rpartition("@")[2]
        sent = [("Host", netloc), ("Content-Length", str(len(body))), *headers]
        for event in (
            h11.Request(method="POST", target=target, headers=[*sent, ("Connection", "close")]),
            h11.Data(data=body),
            h11.EndOfMessage(),
        ):
            writer.write(http.send(event) or b"")
        await writer.drain()
        while True:
            answer = http.next_event()
            if answer is h11.NEED_DATA:
                http.receive_data(await reader.read(1 << 16))
            elif isinstance(answer, h11.Response):
                return answer.status_code
            elif isinstance(answer, h11.ConnectionClosed):
                raise ConnectionError("the endpoint closed the connection without an answer")
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


class Dispatcher:
    """Works through the queue of `webhooks` until it is cancelled."""

    def __init__(self, webhooks: Webhooks) -> None:
        self.webhooks = webhooks
        self._wake = asyncio.Event()
        self._tasks: dict[tuple[str, str], asyncio.Task[None]] = {}
        webhooks.wake = self._wake.set

    async def run(self) -> None:
        """Deliver what is due, wait for the next, for ever."""
        try:
            while True:
                self._wake.clear()
                pause = BUSY_S
                try:
                    free = PARALLEL - len(self._tasks)
                    for due in self.webhooks.due(free, self._tasks) if free else []:
                        self._start(due)
                    pause = self._pause()
                except sqlite3.OperationalError as error:
                    log.warning("deliveries wait for the store: %s", error)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), pause)
        finally:
            for task in self._tasks.values():
                task.cancel()
            await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    def _pause(self) -> float:
        if self._tasks:
            # A finished attempt wakes the loop; the poll is for what falls due meanwhile.
            return BUSY_S
        next_at = self.webhooks.next_at()
        return IDLE_S if next_at is None else max(next_at - time.time(), 0.01)

    def _start(self, due: Due) -> None:
        name = (due.event, due.endpoint)

        def done(task: asyncio.Task[None]) -> None:
            self._tasks.pop(name, None)
            self._wake.set()
            if not task.cancelled() and task.exception() is not None:
                log.error("delivery of %s failed inside", due.event, exc_info=task.exception())

        self._tasks[name] = task = asyncio.create_task(self._attempt(due))
        task.add_done_callback(done)

    async def _attempt(self, due: Due) -> None:
        webhooks = self.webhooks
        try:
            event = webhooks.store.get(due.event)
            endpoint = webhooks.store.get(due.endpoint)
        except KeyError as gone:
            webhooks.stop(due, f"{gone} is gone")
            return
        if endpoint["status"] != "enabled":
            webhooks.stop(due, "the endpoint is disabled")
            return
        status, error = None, None
        try:
            async with asyncio.timeout(webhooks.delivery.timeout_s):
                status = await self._send(event, endpoint)
        except TimeoutError:
            error = f"no answer within {webhooks.delivery.timeout_s:g} s"
        except (OSError, NotLoopbackError, h11.RemoteProtocolError) as failure:
            error = str(failure) or type(failure).__name__
        if error or status is None or not 200 <= status < 300:
            log.info("%s to %s: %s", due.event, endpoint["url"], error or status)
        webhooks.record(due, status, error)

    async def _send(self, event: StripeObject, endpoint: StripeObject) -> int:
        body = json.dumps(event, indent=2).encode()
        now = int(self.webhooks.clock.now())
        secret = self.webhooks.secrets().get(endpoint["id"], "")
        headers = [
            ("User-Agent", "Stripe/1.0 (+https://stripe.com/docs/webhooks)"),
            ("Accept", "*/*; q=0.5, application/xml"),
            ("Cache-Control", "no-cache"),
            ("Content-Type", "application/json; charset=utf-8"),
            ("Stripe-Signature", signature_header(secret, body, now)),
        ]
        return await post(endpoint["url"], headers, body)
