"""`external.accounts`: whether Stripe lets the platform charge for its sellers."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from payops.checks.external import accounts
from payops.checks.external.accounts import CHECK, MOST, Account, Facts
from payops.domain.external import ConnectAccount
from payops.errors import Failure, NotConfiguredError, SourceError
from payops.sources.external_state import Seen
from stripe_answers import FakeStripe
from tools import NOW, assert_is, assert_ok, assert_warn, fake_context, gathered, judged, settings

FINE = {"id": "acct_1", "charges_enabled": True, "payouts_enabled": True, "details_submitted": True}


@pytest.mark.parametrize(
    ("given", "status", "words"),
    [
        ({}, "OK", "1 Connect account: each can be charged for"),
        ({"charges": False}, "WARN", "1 may not be charged for"),
        ({"submitted": False, "charges": False}, "WARN", "1 not finished by its owner"),
        ({"payouts": False}, "WARN", "1 is not paid out"),
        ({"known": False}, "WARN", "1 unknown to this Stripe account"),
    ],
)
def test_status(given: dict[str, Any], status: str, words: str) -> None:
    result = judged(CHECK, Facts(NOW, (Account("7", "acct_1", **given),)))
    assert_is(status, result, words)
    assert len(result.evidence) == len(result.actions) == (status != "OK")


def test_nobody_and_many() -> None:
    assert_ok(judged(CHECK, Facts(NOW, ())), "nobody has an account")
    bad = tuple(Account(str(n), f"acct_{n}", charges=False) for n in range(MOST))
    result = judged(CHECK, Facts(NOW, bad, more=True))
    assert_warn(result, "of the newest 20 Connect accounts: 20 may not be charged for")
    assert len(result.evidence) == 10
    assert_ok(judged(CHECK, Facts(NOW, bad), disabled={"warn": 20}))


def asked(monkeypatch: pytest.MonkeyPatch, *ids: str, **paths: Any) -> tuple[Facts, FakeStripe]:
    rows = tuple(ConnectAccount(str(n), id_) for n, id_ in enumerate(ids))
    state = SimpleNamespace(accounts=lambda most: Seen(rows[:most], NOW))
    monkeypatch.setattr(accounts, "outside", lambda ctx: state)
    stripe = FakeStripe({f"/v1/accounts/{id_}": told for id_, told in paths.items()})
    return gathered(CHECK, fake_context(stripe=stripe)), stripe


def test_gather_asks_for_each(monkeypatch: pytest.MonkeyPatch) -> None:
    required = {"disabled_reason": "requirements.past_due"}
    found, stripe = asked(
        monkeypatch,
        *("acct_1", " acct_2 ", "acct_3/../../balance", "acct_4", "acct_5"),
        acct_1=FINE,
        acct_2={**FINE, "charges_enabled": False, "requirements": required},
        acct_4=Failure.NOT_FOUND,
        acct_5={"id": "acct_5"},  # what is not told is not held against it
    )
    assert [one.fault for one in found.accounts] == ["", "disabled", "strangers", "strangers", ""]
    assert found.accounts[1].reason == "requirements.past_due"
    assert [path for path, _ in stripe.asked] == [f"/v1/accounts/acct_{n}" for n in (1, 2, 4, 5)]


def test_a_key_that_may_not_read_accounts_is_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NotConfiguredError, match="Accounts: read"):
        asked(monkeypatch, "acct_1", acct_1=Failure.PERMISSION)
    with pytest.raises(SourceError):
        asked(monkeypatch, "acct_1", acct_1=Failure.TIMED_OUT)


def test_not_used_here() -> None:
    with pytest.raises(NotConfiguredError, match="not used here"):
        CHECK.gather(fake_context(settings()))
    owners = {"table": "users", "columns": {"id": "id", "mode": "mode"}}
    with pytest.raises(NotConfiguredError, match="no Connect accounts"):
        CHECK.gather(fake_context(settings(external={"owners": owners}), postgres=object()))
