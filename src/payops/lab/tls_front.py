"""A front that ends TLS, with a certificate of the lab's making, before a server on loopback.

What it is asked is passed on as it came, byte for byte. Scenarios put it where a load balancer, or
a company's proxy, would stand.
"""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
import tempfile
import threading
from datetime import datetime
from urllib.parse import urlsplit

from payops.lab import background
from payops.lab.certificate import certificate
from payops.lab.scenario import Lab
from payops.lab.servers.server import free_port

_HOST = "127.0.0.1"
_LONGEST_S = 60.0


def put_before(lab: Lab, url: str, not_before: datetime, not_after: datetime) -> str:
    """Stand before the server at `url`, with a certificate of these dates. Returns the https URL,
    of the same path; it answers when this returns. `background.end` takes the front away."""
    parts, port = urlsplit(url), free_port()
    told = {
        "port": port,
        "behind": [parts.hostname, parts.port],
        "certificate": certificate(_HOST, not_before, not_after),
    }
    background.start(lab, __name__, told, lambda: _listens(port))
    return parts._replace(scheme="https", netloc=f"{_HOST}:{port}").geturl()


def _listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection((_HOST, port), timeout=1):
        return True
    return False


def _main() -> None:
    """Serve until somebody ends the process."""
    told = background.told()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    descriptor, path = tempfile.mkstemp()
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(told["certificate"])
        context.load_cert_chain(path)
    finally:
        os.unlink(path)
    behind = (told["behind"][0], told["behind"][1])
    with socket.create_server((_HOST, told["port"])) as listening:
        while True:
            client, _ = listening.accept()
            threading.Thread(target=_serve, args=(client, context, behind), daemon=True).start()


def _serve(client: socket.socket, context: ssl.SSLContext, behind: tuple[str, int]) -> None:
    """One connection, both ways. One who does not trust the certificate goes away at once."""
    with contextlib.suppress(OSError), client:
        client.settimeout(_LONGEST_S)
        with (
            context.wrap_socket(client, server_side=True) as secure,
            socket.create_connection(behind, timeout=_LONGEST_S) as server,
        ):
            back = threading.Thread(target=_pass_on, args=(server, secure), daemon=True)
            back.start()
            _pass_on(secure, server)
            back.join(_LONGEST_S)


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while text := source.recv(65_536):
            target.sendall(text)
        target.shutdown(socket.SHUT_WR)


if __name__ == "__main__":
    _main()
