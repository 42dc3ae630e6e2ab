"""The lab's certificates, read by OpenSSL and by payops' own reader, and asked over a socket."""

from __future__ import annotations

import socket
import ssl
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from payops.lab.certificate import certificate
from payops.sources.certificate import read_certificate

NOW = datetime.now(UTC).replace(microsecond=0)
DAY = timedelta(days=1)


@pytest.mark.parametrize("turn", range(5))
def test_it_says_what_it_was_told(turn: int) -> None:
    """Several, as its numbers are drawn: one that begins with noughts is encoded otherwise."""
    del turn
    pem = certificate("127.0.0.1", NOW - 90 * DAY, NOW - DAY)
    read = read_certificate(ssl.PEM_cert_to_DER_cert(pem.partition("-----BEGIN EC")[0]))
    assert (read.not_before, read.not_after) == (NOW - 90 * DAY, NOW - DAY)
    assert read.names == ("127.0.0.1",)
    assert read.subject == read.issuer == "payops lab"


@pytest.mark.parametrize(
    ("ends", "known", "said"),
    [
        (NOW + DAY, True, ""),
        (NOW - DAY, True, "certificate has expired"),
        (NOW + DAY, False, "self-signed certificate"),
    ],
)
def test_a_client_verifies_it(tmp_path: Path, ends: datetime, known: bool, said: str) -> None:
    """Where it is known as its own root, signature, dates and name hold; else the client goes."""
    place = tmp_path / "front.pem"
    place.write_text(certificate("127.0.0.1", NOW - 90 * DAY, ends))
    served, asking = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    served.load_cert_chain(place)
    if known:
        asking.load_verify_locations(place)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]

        def answer() -> None:
            client, _ = listening.accept()
            try:
                served.wrap_socket(client, server_side=True).close()
            except OSError:
                client.close()

        serving = threading.Thread(target=answer)
        serving.start()
        refused = ""
        with socket.create_connection(("127.0.0.1", port), timeout=5) as plain:
            try:
                asking.wrap_socket(plain, server_hostname="127.0.0.1").close()
            except ssl.SSLCertVerificationError as error:
                refused = str(error)
        serving.join()
    assert (said in refused) if said else (refused == "")
