"""The simulator as a whole: store, API, webhooks, status page and control, on three ports."""

import asyncio
import contextlib
import json
import logging
import os
import threading
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from payops.lab.stripe.api import Api
from payops.lab.stripe.clock import Clock
from payops.lab.stripe.config import Config
from payops.lab.stripe.control import Control
from payops.lab.stripe.delivery import Dispatcher
from payops.lab.stripe.faults import Faults
from payops.lab.stripe.keys import Keyring
from payops.lab.stripe.limits import Limits
from payops.lab.stripe.status_page import StatusPage
from payops.lab.stripe.store import Store
from payops.lab.stripe.webhooks import Webhooks
from payops.lab.stripe.wire import HttpServer

log = logging.getLogger(__name__)

CONTROL_BODY = 1 << 28
"""Largest body that the control endpoint takes: 256 MiB of objects."""
STARTUP_S = 30.0


class Simulator:
    """A simulated Stripe account, kept in `directory`.

    Port 0 picks a free one. In a test:

        with Simulator(tmp_path).running() as sim:
            stripe.StripeClient(default_key(), base_addresses={"api": sim.url})

    A second one over the same directory, after the first has stopped or was killed, goes on
    where the first was: objects, deliveries, idempotency keys, and what control has set.
    """

    def __init__(
        self,
        directory: Path,
        config: Config | None = None,
        *,
        port: int = 0,
        control_port: int = 0,
        status_port: int = 0,
    ) -> None:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.directory = directory
        self.config = config or Config()
        self.clock = Clock()
        self.store = Store(
            directory / "stripe.sqlite", default_livemode=self.config.default_livemode
        )
        self.webhooks = Webhooks(self.store, self.clock, self.config.delivery)
        self.keyring = Keyring(self.config.keys)
        self.status_page = StatusPage(self.clock)
        self.api = Api(self.config, self.store, self.webhooks, self.clock, self.keyring)
        self.api_server = HttpServer(self.api.handle, port, self.clock)
        self.status_server = HttpServer(self.status_page.handle, status_port, self.clock)
        self.control_server = HttpServer(
            Control(self).handle, control_port, self.clock, max_body=CONTROL_BODY
        )
        self._dispatching: asyncio.Task[None] | None = None
        self._load_configuration()
        self._load_state()

    @property
    def url(self) -> str:
        """Where the API is: the SDK's `base_addresses={"api": url}`."""
        return self.api_server.url

    @property
    def control_url(self) -> str:
        """Where the control endpoint is."""
        return self.control_server.url

    @property
    def status_url(self) -> str:
        """Where the status page is."""
        return self.status_server.url

    async def start(self) -> None:
        """Listen, deliver, and say where in `stripe.json`. Raises OSError for a port in use."""
        for server in (self.api_server, self.control_server, self.status_server):
            await server.listen()
        if self.api.faults.refuses:
            await self.api_server.refuse()
        self._dispatching = asyncio.create_task(Dispatcher(self.webhooks).run())
        described = {
            "pid": os.getpid(),
            "url": self.url,
            "control_url": self.control_url,
            "status_url": self.status_url,
        }
        draft = self.directory / f".stripe.json.{os.getpid()}"
        draft.write_text(json.dumps(described, indent=2) + "\n", "utf-8")
        draft.replace(self.directory / "stripe.json")

    async def stop(self) -> None:
        """Close everything; what was answered is on disk."""
        if self._dispatching is not None:
            # More than once: before Python 3.12 `wait_for` may lose a cancellation that comes in
            # the moment in which what it waits for is there.
            while not self._dispatching.done():
                self._dispatching.cancel()
                await asyncio.wait([self._dispatching], timeout=0.2)
        for server in (self.api_server, self.control_server, self.status_server):
            await server.refuse()
        self.store.close()

    @contextlib.contextmanager
    def running(self) -> Iterator["Simulator"]:
        """Run in a thread of its own until the block ends."""
        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=loop.run_forever, name="stripe-simulator", daemon=True)
        thread.start()
        try:
            asyncio.run_coroutine_threadsafe(self.start(), loop).result(STARTUP_S)
            yield self
        finally:
            asyncio.run_coroutine_threadsafe(self.stop(), loop).result(STARTUP_S)
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            loop.close()

    def save_state(self) -> None:
        """Keep what control has set, for the next start."""
        self.store.save_setting("state", self.state())

    def state(self) -> dict[str, Any]:
        """What control has set."""
        limits = self.api.limiter.limits
        return {
            "keys": self.keyring.changes,
            "faults": self.api.faults.dump(counts=False),
            "status_page": self.status_page.dump(),
            "clock_offset_s": self.clock.offset_s,
            "muted": sorted(self.webhooks.muted),
            # None: as configured, also when the configuration has changed by the next start.
            "rate_limits": None if limits == self.config.rate_limits else asdict(limits),
        }

    def _load_state(self) -> None:
        state = self.store.setting("state")
        if state is None:
            return
        self.keyring.changes = state["keys"]
        self.api.faults = Faults(state["faults"])
        self.status_page.change(state["status_page"])
        self.clock.offset_s = state["clock_offset_s"]
        self.webhooks.muted = frozenset(state.get("muted", ()))
        if state["rate_limits"] is not None:
            self.api.limiter.limits = Limits(**state["rate_limits"])

    def _load_configuration(self) -> None:
        """Put the configured account and endpoints in the store; only what is new or changed.

        So what control has changed since (an account's `charges_enabled`) outlives a restart.
        """
        if self.store.setting("account_configured") != self.config.account:
            self.store.put(self.config.account)
            self.store.save_setting("account", self.config.account["id"])
            self.store.save_setting("account_configured", self.config.account)
        self.webhooks.configure(self.config.webhook_endpoints, self.config.default_livemode)
