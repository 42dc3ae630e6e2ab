"""TCP alone: does something listen at each address of a name, and how long it takes to say so."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

from payops.errors import SourceError
from payops.sources import wire_errors


@dataclass(frozen=True)
class Connected:
    """One address: `latency_ms` of the handshake, or why there was none."""

    address: str
    latency_ms: float | None
    error: SourceError | None


def connect_each(addresses: Sequence[str], port: int, seconds: float) -> tuple[Connected, ...]:
    """Connect to every address at once, `seconds` for all; in the order given. Never raises.

    Addresses, not names: a name lookup could outlive `seconds`.
    """
    found: dict[str, Connected] = {}

    def one(address: str) -> None:
        found[address] = _connect(address, port, seconds)

    threads = [
        threading.Thread(target=one, args=(address,), name="payops-tcp", daemon=True)
        for address in addresses
    ]
    end = time.monotonic() + seconds
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, end - time.monotonic()) + 0.1)
    late = wire_errors.too_slow("http", _url("?", port), seconds, connected=False)
    return tuple(found.get(address) or Connected(address, None, late) for address in addresses)


def _connect(address: str, port: int, seconds: float) -> Connected:
    began = time.monotonic()
    try:
        # 0 would mean 'do not wait at all', which reads as another error.
        with socket.create_connection((address, port), timeout=max(seconds, 0.001)):
            return Connected(address, (time.monotonic() - began) * 1000, None)
    except (OSError, OverflowError, UnicodeError) as error:
        told = wire_errors.translate(error, "http", _url(address, port), seconds)
        return Connected(address, None, told)


def _url(address: str, port: int) -> str:
    return f"tcp://[{address}]:{port}" if ":" in address else f"tcp://{address}:{port}"
