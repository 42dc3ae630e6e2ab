"""A fetch whose time is over."""

from __future__ import annotations


class TooLateError(Exception):
    """Both sides answer, and not all was read by the deadline; what was read is kept."""
