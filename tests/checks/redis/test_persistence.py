"""Would what is in Redis survive a restart, and does it still write to its disk?"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import redis

from checks.redis.conftest import PAYMENT_KEYS, Ask, told
from payops.checks.redis.persistence import CHECK, Facts
from tools import (
    NOW,
    assert_crit,
    assert_is,
    assert_ok,
    assert_warn,
    fake_context,
    gathered,
    judged,
    settings,
)


def facts(**given: Any) -> Facts:
    words = {"keeps": ("idempotency keys",), "aof": False, "save": "3600 1", "saved_s": 60.0}
    more = {"changes": 5, "bgsave_ok": True, "write_ok": True, "rewrite_ok": True}
    return Facts(**{"as_of": NOW, **words, **more, **given})


@pytest.mark.parametrize(
    ("given", "status", "words"),
    [
        ({"aof": True}, "OK", "every write is logged"),
        ({"save": ""}, "WARN", "nothing is kept on disk: a restart loses idempotency keys"),
        ({"save": "", "replica": True}, "OK", "nothing is kept on disk"),
        ({"save": "", "keeps": ()}, "OK", "nothing of payments lies here"),
        ({"saved_s": 7200.0}, "OK", "snapshots only, the last 2 h ago, with 5 changes since"),
        ({"saved_s": 7201.0}, "WARN", "a restart loses those of idempotency keys"),
        ({"saved_s": 9e6, "changes": 0}, "OK", "with 0 changes since"),
        ({"save": None, "saved_s": 9e6}, "WARN", "snapshots only"),
        ({"save": None, "saved_s": None}, "OK", "snapshots only, with 5 changes since"),
        ({"bgsave_ok": False}, "CRIT", "cannot write to its disk: the last snapshot failed"),
        ({"write_ok": False, "aof": True, "keeps": ()}, "CRIT", "the last write to the log failed"),
        ({"rewrite_ok": False, "aof": True}, "CRIT", "the last rewrite of the log failed"),
        ({"rewrite_ok": False}, "OK", "snapshots only"),
        ({"bgsave_ok": None, "write_ok": None, "rewrite_ok": None, "aof": True}, "OK", "logged"),
    ],
)
def test_what_is_kept(given: dict[str, Any], status: str, words: str) -> None:
    result = judged(CHECK, facts(**given))
    assert_is(status, result, words)
    assert bool(result.actions) == (status != "OK")


def test_the_limit() -> None:
    assert_ok(judged(CHECK, facts(saved_s=9e6), unsaved={"warn": None}))
    assert_crit(judged(CHECK, facts(saved_s=7201.0), unsaved={"crit": "2h"}))


def test_a_real_one(ctx: Ask, client: redis.Redis) -> None:
    assert_ok(judged(CHECK, gathered(CHECK, ctx(**PAYMENT_KEYS))), "every write is logged")
    client.config_set("appendonly", "no")
    result = judged(CHECK, gathered(CHECK, ctx(**PAYMENT_KEYS)))
    assert_warn(result, "nothing is kept on disk: a restart loses idempotency keys, keys of")
    client.config_set("save", "3600 1")
    assert_ok(judged(CHECK, gathered(CHECK, ctx(**PAYMENT_KEYS))), "snapshots only")
    assert_ok(judged(CHECK, gathered(CHECK, ctx())), "nothing of payments lies here")


def test_a_service_that_forbids_config_is_asked_only_where_it_matters() -> None:
    asked: list[str] = []

    def forbidden(name: str) -> None:
        asked.append(name)

    def source(aof: bool) -> Any:
        state = told(aof_enabled=aof, saved_s=10.0, unsaved_changes=1)
        return SimpleNamespace(state=lambda: state, setting=forbidden, cli="redis-cli")

    for aof in (True, False):
        context = fake_context(settings(**PAYMENT_KEYS), redis=source(aof))
        assert_ok(judged(CHECK, gathered(CHECK, context)))
    gathered(CHECK, fake_context(redis=source(False)))
    assert asked == ["save"]
    queue = settings(queues={"q": {"kind": "list"}})
    assert gathered(CHECK, fake_context(queue, redis=source(True))).keeps == ("queues",)
