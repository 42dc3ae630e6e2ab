"""HTTP/1.1 on a loopback socket through h11: answers, and answers that go wrong on the wire."""

import asyncio
import contextlib
import logging
import socket
import struct
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import h11

from payops.lab.stripe.clock import Clock

log = logging.getLogger(__name__)

READ_SIZE = 1 << 16
SLOW_PIECES = 10


@dataclass(frozen=True, slots=True)
class Request:
    """One request; header names are in lower case, `path` without the query string."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes = b""


@dataclass(slots=True)
class Answer:
    """One answer, and how it is to fail on its way: hang, reset, cut_body, slow_body or not."""

    status: int
    body: bytes = b""
    headers: list[tuple[str, str]] = field(default_factory=list)
    content_type: str = "application/json"
    failure: str | None = None
    ms: int = 0
    """How long a slow_body takes."""


Handler = Callable[[Request], Awaitable[Answer]]


class HttpServer:
    """A listening socket on 127.0.0.1 whose requests go to `handler`.

    `port` 0 picks a free one; afterwards `port` is the one in use, and stays the same when the
    socket is closed by `refuse` and opened again by `listen`.
    """

    def __init__(
        self, handler: Handler, port: int, clock: Clock, *, max_body: int = 1 << 20
    ) -> None:
        self.handler = handler
        self.port = port
        self.clock = clock
        self.max_body = max_body
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        """Where it listens, without a trailing slash."""
        return f"http://127.0.0.1:{self.port}"

    async def listen(self) -> None:
        """Open the listening socket, unless it is open."""
        if self._server is None:
            self._server = await asyncio.start_server(
                self._accept, "127.0.0.1", self.port, limit=READ_SIZE, backlog=512
            )
            self.port = self._server.sockets[0].getsockname()[1]

    async def refuse(self) -> None:
        """Close the listening socket and every connection: the next one is refused."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for task in list(self._connections):
            task.cancel()
        if self._connections:
            await asyncio.wait(list(self._connections), timeout=0.5)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101  asyncio runs this in a task
        self._connections.add(task)
        try:
            await _Connection(self, reader, writer).serve()
        except (ConnectionError, TimeoutError, h11.LocalProtocolError) as error:
            log.debug("connection ended: %s", error)
        except asyncio.CancelledError:
            log.debug("connection closed by the server")
        finally:
            self._connections.discard(task)
            writer.close()


class _Connection:
    """One client: its requests one after the other."""

    def __init__(
        self, server: HttpServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.server = server
        self.reader = reader
        self.writer = writer
        self.http = h11.Connection(h11.SERVER)

    async def serve(self) -> None:
        while True:
            try:
                request = await self._request()
            except h11.RemoteProtocolError as error:
                if self.http.our_state in (h11.IDLE, h11.SEND_RESPONSE):
                    await self._malformed(error)
                return
            if request is None:
                return
            answer = await self.server.handler(request)
            await self._send(answer, head=request.method == "HEAD")
            if answer.failure in ("hang", "reset", "cut_body"):
                return
            if self.http.our_state is not h11.DONE or self.http.their_state is not h11.DONE:
                return
            self.http.start_next_cycle()

    async def _event(self) -> h11.Event | type[h11.PAUSED] | type[h11.NEED_DATA]:
        while True:
            event = self.http.next_event()
            if event is h11.NEED_DATA:
                if self.http.they_are_waiting_for_100_continue:
                    self._write(h11.InformationalResponse(status_code=100, headers=[]))
                self.http.receive_data(await self.reader.read(READ_SIZE))
                continue
            return event

    async def _request(self) -> Request | None:
        head = await self._event()
        if not isinstance(head, h11.Request):
            return None
        parts: list[bytes] = []
        size = 0
        while isinstance(event := await self._event(), h11.Data):
            size += len(event.data)
            if size > self.server.max_body:
                raise h11.RemoteProtocolError("body too large", error_status_hint=413)
            parts.append(bytes(event.data))
        if not isinstance(event, h11.EndOfMessage):
            return None
        path, _, query = head.target.decode("ascii", "replace").partition("?")
        headers = {n.decode("ascii"): v.decode("latin-1") for n, v in head.headers}
        return Request(head.method.decode("ascii"), path, query, headers, b"".join(parts))

    async def _malformed(self, error: h11.RemoteProtocolError) -> None:
        body = b'{"error": {"message": "Bad request", "type": "invalid_request_error"}}'
        answer = Answer(error.error_status_hint, body, [("Connection", "close")])
        with contextlib.suppress(h11.LocalProtocolError):
            await self._send(answer, head=False)

    async def _send(self, answer: Answer, *, head: bool) -> None:
        if answer.failure == "hang":
            while await self.reader.read(READ_SIZE):
                continue
            return
        if answer.failure == "reset":
            self._reset()
            return
        headers = [
            ("Server", "nginx"),
            ("Date", self.server.clock.date()),
            ("Content-Length", str(len(answer.body))),
            *answer.headers,
        ]
        if answer.body:
            headers.append(("Content-Type", answer.content_type))
        self._write(h11.Response(status_code=answer.status, headers=headers))
        if not head:
            await self._send_body(answer)
        if answer.failure != "cut_body":
            self._write(h11.EndOfMessage())
        await self.writer.drain()

    async def _send_body(self, answer: Answer) -> None:
        body = answer.body
        if answer.failure == "cut_body":
            self._write(h11.Data(data=body[: len(body) // 2]))
        elif answer.failure == "slow_body":
            step = max(1, -(-len(body) // SLOW_PIECES))
            for start in range(0, len(body), step):
                self._write(h11.Data(data=body[start : start + step]))
                await self.writer.drain()
                await asyncio.sleep(answer.ms / 1000 / SLOW_PIECES)
        elif body:
            self._write(h11.Data(data=body))

    def _write(self, event: h11.Event) -> None:
        data = self.http.send(event)
        if data:
            self.writer.write(data)

    def _reset(self) -> None:
        raw = self.writer.get_extra_info("socket")
        # Linger 0: closing sends RST instead of FIN.
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()
