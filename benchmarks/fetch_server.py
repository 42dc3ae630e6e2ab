"""A list of PaymentIntents that costs its server next to nothing: what is measured is the client.

`python -m benchmarks.fetch_server OBJECTS`: answers `GET /v1/payment_intents` for any `created`
range, cursor and limit, with expanded charges of Stripe's published shape; prints its URL, and runs
until its standard input ends. Every other list is empty. One object a second from FIRST on.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import sys
from urllib.parse import parse_qs, urlsplit

from payops.lab.stripe import objects
from payops.lab.stripe.store import encode

FIRST = 1_700_000_000
_ID, _CREATED = "pi_" + "X" * 24, 1_111_111_111


def template() -> bytes:
    """One object, with `%` places for its number and its second."""
    charge = objects.charge(
        id="ch_" + "X" * 24,
        amount=1999,
        currency="usd",
        status="succeeded",
        created=_CREATED,
        livemode=False,
        payment_intent=_ID,
    )
    intent = objects.payment_intent(
        id=_ID,
        amount=1999,
        currency="usd",
        status="succeeded",
        created=_CREATED,
        livemode=False,
        customer="cus_1",
        metadata={"order_id": "4711"},
    )
    intent["latest_charge"] = charge
    text = encode(intent).replace(b"%", b"%%").replace(b"X" * 24, b"%(id)024d")
    return re.sub(rb"\b1111111111\b", b"%(created)d", text)


class _Connection(asyncio.Protocol):
    def __init__(self, count: int, shape: bytes) -> None:
        self._count, self._shape = count, shape
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while b"\r\n\r\n" in self._buffer:
            head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
            body = self._page(head.split(b" ", 2)[1].decode())
            self._transport.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                b"Request-Id: req_bench\r\nContent-Length: %d\r\n\r\n" % len(body)
            )
            self._transport.write(body)

    def _page(self, url: str) -> bytes:
        parts = urlsplit(url)
        if parts.path != "/v1/payment_intents":
            return b'{"object":"list","has_more":false,"data":[]}'
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        # Object number n was created in the second FIRST + n.
        end = min(int(asked.get("created[lt]", FIRST + self._count)) - FIRST, self._count)
        if "starting_after" in asked:
            end = min(end, int(asked["starting_after"][3:]))
        first = max(int(asked.get("created[gte]", FIRST)) - FIRST, 0)
        start = max(first, end - int(asked.get("limit", "10")))
        numbers = range(end - 1, start - 1, -1)
        page = b",".join([self._shape % {b"id": n, b"created": FIRST + n} for n in numbers])
        more = b"true" if start > first else b"false"
        return b'{"object":"list","url":"/v1/payment_intents","has_more":%s,"data":[%s]}' % (
            more,
            page,
        )


async def _serve(count: int) -> None:
    shape = template()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Connection(count, shape), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    print(json.dumps({"url": f"http://127.0.0.1:{port}", "bytes": len(shape)}), flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(int(sys.argv[1])))
