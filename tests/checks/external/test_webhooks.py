"""`external.webhooks`: where a processor posts to, and whether we could tell that it is the one."""

from __future__ import annotations

from typing import Any

import pytest

from outside import connection, connections
from payops.checks.external.webhooks import CHECK, Facts
from tools import assert_is, assert_ok, assert_warn, judged

DEAD = "https://user:hunter2@api.example.com/api/v1/webhooks/square?token=tok_secret"


def facts(**more: Any) -> Facts:
    return Facts(connections(connection(), connection("2", **more)), True, True)


@pytest.mark.parametrize(
    ("given", "status", "counts"),
    [
        ({}, "OK", (0, 0, 0)),
        ({"webhook_url": None}, "WARN", (1, 0, 0)),
        ({"webhook_url": "  "}, "WARN", (1, 0, 0)),
        ({"has_secret": False}, "WARN", (0, 1, 0)),
        ({"webhook_url": DEAD}, "WARN", (0, 0, 1)),
        ({"webhook_url": None, "has_secret": False}, "WARN", (1, 1, 0)),
        ({"webhook_url": None, "status": "error"}, "OK", (0, 0, 0)),
    ],
)
def test_status(given: dict[str, Any], status: str, counts: tuple[int, int, int]) -> None:
    result = judged(CHECK, facts(**given))
    assert_is(status, result)
    assert tuple(result.measured.values()) == counts


def test_a_url_is_told_without_what_may_be_secret() -> None:
    result = judged(CHECK, facts(webhook_url=DEAD))
    assert_warn(result, "1 with a URL that leads nowhere, of 2 connected connections")
    said = result.evidence[0].what
    assert "api.example.com/api/v1/webhooks/square" in said
    assert "hunter2" not in said
    assert "tok_secret" not in said


def test_what_is_not_mapped_is_not_missed() -> None:
    rows = connections(connection(webhook_url=None, has_secret=None))
    assert_ok(judged(CHECK, Facts(rows, has_urls=False, has_secrets=False)))
    assert_warn(judged(CHECK, Facts(rows, has_urls=False, has_secrets=True)), "without a secret")
