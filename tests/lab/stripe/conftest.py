"""A running simulator and the official SDK as its client."""

import json
import random
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import stripe

from payops.lab.stripe import Config, Delivery, Simulator, default_key, objects
from payops.lab.stripe.limits import Limits

CREATED = 1_700_000_000
"""When the objects of these tests begin, in epoch seconds."""


def http(method: str, url: str, body: Any = None) -> Any:
    """One JSON exchange with the control endpoint or the status page."""
    data = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, method=method)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.loads(answer.read())


class Control:
    """The control endpoint of a simulator."""

    def __init__(self, url: str) -> None:
        self.url = url

    def __getattr__(self, method: str) -> Callable[..., Any]:
        return lambda path, body=None: http(method.upper(), self.url + path, body)

    def refusal(self, method: str, path: str, body: Any = None) -> tuple[int, str]:
        """Status and message of what it will not do."""
        with pytest.raises(urllib.error.HTTPError) as raised:
            http(method, self.url + path, body)
        with raised.value as error:
            return error.code, json.loads(error.read())["error"]


class Receiver:
    """A webhook endpoint that keeps what it got and answers `statuses`, the last for ever."""

    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.statuses = [200]
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.got.append((dict(self.headers), body))
                nth = min(len(receiver.got), len(receiver.statuses)) - 1
                self.send_response(receiver.statuses[nth])
                self.send_header("Location", "/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args: object) -> None:
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}/webhook"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def types(self) -> list[str]:
        """The types of the events it got, in the order of their arrival."""
        return [json.loads(body)["type"] for _, body in self.got]

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.close()


@pytest.fixture
def config() -> Config:
    return Config(
        rate_limits=Limits(enabled=False), delivery=Delivery(base_s=0.05, cap_s=0.2, timeout_s=1)
    )


@pytest.fixture
def sim(tmp_path: Path, config: Config) -> Iterator[Simulator]:
    with Simulator(tmp_path / "stripe", config).running() as running:
        yield running


@pytest.fixture
def control_of() -> Callable[[Simulator], Control]:
    """Gives the control endpoint of a simulator that the test started itself."""
    return lambda sim: Control(sim.control_url)


@pytest.fixture
def control(sim: Simulator) -> Control:
    return Control(sim.control_url)


@pytest.fixture
def connect() -> Iterator[Callable[..., stripe.StripeClient]]:
    """Makes SDK clients of a simulator, and closes their connections."""
    clients: list[stripe.HTTPClient] = []

    def make(sim: Simulator, key: str = "", **options: Any) -> stripe.StripeClient:
        http_client = stripe.RequestsClient(timeout=options.pop("timeout", 10))
        clients.append(http_client)
        return stripe.StripeClient(
            key or default_key(),
            base_addresses={"api": sim.url},
            max_network_retries=0,
            http_client=http_client,
            **options,
        )

    yield make
    for client in clients:
        client.close()


@pytest.fixture
def client(sim: Simulator, connect: Callable[..., stripe.StripeClient]) -> stripe.StripeClient:
    return connect(sim)


@pytest.fixture
def intents(sim: Simulator) -> list[str]:
    """Ids of 25 PaymentIntents, newest first, five in each second from CREATED on."""
    rng = random.Random(7)
    made = []
    for number in range(25):
        id_ = objects.new_id("pi", rng)
        sim.store.put(
            objects.payment_intent(
                id=id_,
                amount=1000 + number,
                currency="usd",
                status="succeeded",
                created=CREATED + number // 5,
                livemode=False,
                customer=f"cus_{number % 2}",
            )
        )
        made.append(id_)
    return made[::-1]


@pytest.fixture
def eventually() -> Callable[[Callable[[], object]], None]:
    """Waits until a condition holds, for at most five seconds."""

    def wait(condition: Callable[[], object]) -> None:
        end = time.monotonic() + 5
        while not condition():
            assert time.monotonic() < end, "it did not come true within 5 s"
            time.sleep(0.01)

    return wait
