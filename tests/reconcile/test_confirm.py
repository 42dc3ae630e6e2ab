"""What is missing is asked for by its id, and what was found is a partner like any other."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from payops.errors import Failure, SourceError
from payops.reconcile import confirm as confirming
from payops.reconcile.confirm import Confirmed, confirm, write_found
from payops.reconcile.match import Absent, Match, MatchOptions
from payops.sources import Sources
from payops.sources.lookup import NamedRow
from reconcile.merchant import NOW, REFERENCE, WINDOW, Merchant, match

T = NOW - timedelta(hours=5)


class Stripe:
    """Answers with intents that it knows; `calls` counts the questions."""

    def __init__(self, known: dict[str, dict[str, Any]], error: SourceError | None = None) -> None:
        self.known, self.error, self.calls = known, error, 0

    def get(self, path: str, into: type, **params: Any) -> SimpleNamespace:
        import msgspec

        self.calls += 1
        if self.error:
            raise self.error
        id_ = path.rsplit("/", 1)[1]
        if id_ not in self.known:
            raise SourceError("stripe", Failure.NOT_FOUND, f"No such object: '{id_}'")
        return SimpleNamespace(value=msgspec.Raw(msgspec.json.encode(self.known[id_])))


def sources(stripe: Stripe) -> Sources:
    return cast(Sources, SimpleNamespace(stripe=stripe, postgres=None))


def intent(id_: str, **more: Any) -> dict[str, Any]:
    charge = {"id": "ch_1", "created": 1, "status": "succeeded", "amount": 1999,
              "amount_captured": 1999, "amount_refunded": 0, "currency": "usd",
              "disputed": False}  # fmt: skip
    return {"id": id_, "created": 1, "status": "succeeded", "amount": 1999, "currency": "usd",
            "amount_received": 1999, "livemode": True, "latest_charge": charge, **more}  # fmt: skip


def missing(folder: Path) -> Sequence[Any]:
    with Match(folder, MatchOptions(WINDOW, NOW, REFERENCE, livemode=True)) as made:
        made.run()
        return made.missing()


def lonely_row(tmp_path: Path, reference: str = "pi_old") -> Path:
    merchant = Merchant()
    merchant.row(None, T, processor_ref=reference)
    return merchant.write(tmp_path / "spool")


def test_an_intent_from_long_before_the_window_is_found_by_its_id(tmp_path: Path) -> None:
    folder = lonely_row(tmp_path)
    stripe = Stripe({"pi_old": intent("pi_old")})
    done = confirm(missing(folder), REFERENCE, sources(stripe), ask_stripe=True, ask_ledger=False)
    assert (done.absent, done.unconfirmed) == ([], 0)
    write_found(folder, done.found)
    assert match(folder, absent=done.absent).counted() == {"matched": 1}
    write_found(folder, {})
    assert match(folder).classes == {"missing_in_stripe": 1}


def test_what_stripe_does_not_know_is_confirmed(tmp_path: Path) -> None:
    folder = lonely_row(tmp_path)
    done = confirm(
        missing(folder), REFERENCE, sources(Stripe({})), ask_stripe=True, ask_ledger=False
    )
    assert done.absent == [Absent("stripe", "pi_old")]
    assert match(folder, absent=done.absent).only()["confirmed"]
    assert not match(folder).only()["confirmed"]


def test_of_another_mode(tmp_path: Path) -> None:
    folder = lonely_row(tmp_path)
    error = SourceError(
        "stripe", Failure.NOT_FOUND, "No such payment_intent: 'pi_old'; a similar object exists in "
        "test mode, but a live mode key was used to make this request.", http_status=404
    )  # fmt: skip
    done = confirm(
        missing(folder), REFERENCE, sources(Stripe({}, error)), ask_stripe=True, ask_ledger=False
    )
    row = match(folder, absent=done.absent).only()
    assert (row["class"], row["severity"]) == ("livemode_or_account_mismatch", "CRIT")
    assert row["money"] == 1999


def test_a_reference_that_is_no_id_costs_no_call(tmp_path: Path) -> None:
    folder = lonely_row(tmp_path, "order 12/../?x")
    stripe = Stripe({})
    done = confirm(missing(folder), REFERENCE, sources(stripe), ask_stripe=True, ask_ledger=False)
    assert (len(done.absent), stripe.calls) == (1, 0)


def test_no_more_calls_than_allowed_and_the_largest_first(tmp_path: Path) -> None:
    merchant = Merchant()
    for amount in ("100", "300", "200"):
        merchant.row(None, T, processor_ref=f"pi_of_{amount}", amount=amount)
    stripe = Stripe({})
    done = confirm(
        missing(merchant.write(tmp_path / "spool")), REFERENCE, sources(stripe),
        ask_stripe=True, ask_ledger=False, at_most=2,
    )  # fmt: skip
    assert [each.id for each in done.absent] == ["pi_of_300", "pi_of_200"]
    assert (done.unconfirmed, stripe.calls) == (1, 2)


@pytest.mark.parametrize("ask", [True, False])
def test_a_side_that_cannot_be_asked_leaves_it_unconfirmed(ask: bool, tmp_path: Path) -> None:
    folder = lonely_row(tmp_path)
    down = Stripe({}, SourceError("stripe", Failure.TIMED_OUT, "no answer"))
    done = confirm(missing(folder), REFERENCE, sources(down), ask_stripe=ask, ask_ledger=ask)
    assert (done.absent, done.unconfirmed) == ([], 1)
    assert done.reasons


def test_a_row_from_long_before_the_window_is_found_by_its_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    merchant = Merchant()
    known, unknown = merchant.intent(T), merchant.intent(T)
    folder = merchant.write(tmp_path / "spool")
    asked: dict[str, Any] = {}
    row = dict.fromkeys(NamedRow.__dataclass_fields__) | {
        "key": "old-1", "status": "succeeded", "amount": "1999", "currency": "usd",
        "created_us": 1, "processor_ref": known["id"],
    }  # fmt: skip

    def rows_named(source: Any, ledger: Any, names: dict[str, list[str]]) -> list[NamedRow]:
        asked.update(names)
        return [NamedRow(**row)]  # type: ignore[arg-type]

    monkeypatch.setattr("payops.sources.lookup.rows_named", rows_named)
    done: Confirmed = confirming.confirm(
        missing(folder), REFERENCE, sources(Stripe({})), ask_stripe=False, ask_ledger=True
    )
    assert set(asked["processor_ref"]) >= {known["id"], unknown["id"]}
    assert done.absent == [Absent("ledger", unknown["id"])]
    write_found(folder, done.found)
    found = match(folder, absent=done.absent)
    assert found.only()["id"] == unknown["id"]
    assert found.counted() == {"matched": 1, "missing_in_ledger": 1}
