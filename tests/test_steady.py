"""A limit is one on waiting, and not on what else the machine does."""

from __future__ import annotations

import threading
import time

import pytest

from steady import at_most


def test_waiting_too_long_fails() -> None:
    with pytest.raises(AssertionError, match="held up"), at_most(0.1):
        time.sleep(0.3)


def test_what_ends_in_time_passes() -> None:
    with at_most(0.5):
        time.sleep(0.05)


def test_what_was_held_up_is_not_counted() -> None:
    """Adding up lets no other thread run, as a machine that stands still."""
    threads = threading.active_count()
    began = time.monotonic()
    with at_most(0.25):
        while time.monotonic() - began < 0.5:
            sum(range(8_000_000))
    assert threading.active_count() == threads
