"""TCP alone, to several addresses at once."""

from __future__ import annotations

import time

from payops.errors import Failure
from payops.sources.http import HttpSource
from payops.sources.tcp import connect_each
from sources.hanging import free_port, serving, silent


def test_each_address_has_its_own_answer(http: HttpSource) -> None:
    with serving(silent) as port:
        up, down = http.connect(["127.0.0.1", "127.0.0.77"], port, 2)
    assert (up.address, up.error) == ("127.0.0.1", None)
    assert 0 <= (up.latency_ms or -1) < 2000
    assert down.latency_ms is None
    assert down.error is not None
    assert down.error.kind is Failure.REFUSED
    assert f"127.0.0.77:{port}" in down.error.message


def test_what_is_no_address_is_a_failure_and_no_fault() -> None:
    for port in (free_port(), 99_999):
        (one,) = connect_each(["::1"], port, 1)
        assert one.error is not None


def test_packets_that_are_dropped_do_not_outlive_the_time() -> None:
    began = time.monotonic()
    # TEST-NET-1 (RFC 5737): nobody is there, and a network without a way says so at once.
    (one,) = connect_each(["192.0.2.1"], 9, 0.3)
    assert one.error is not None
    assert one.error.kind in (Failure.TIMED_OUT, Failure.UNREACHABLE, Failure.REFUSED)
    assert time.monotonic() - began < 3


def test_no_time_at_all() -> None:
    (one,) = connect_each(["127.0.0.1"], free_port(), 0)
    assert one.error is not None
