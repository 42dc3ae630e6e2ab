"""What would tell two causes apart."""

from __future__ import annotations

from looks import check
from payops.diagnosis.apart import Apart, apart
from payops.diagnosis.rank import rank
from payops.diagnosis.signals import signals_of
from payops.domain.result import CheckResult
from payops.domain.status import Status
from payops.domain.symptom import Suspect, Symptom, Symptoms

OK, WARN, CRIT, UNKNOWN = Status.OK, Status.WARN, Status.CRIT, Status.UNKNOWN


def suspect(scenario: str, *confirm: Symptom, refute: tuple[Symptom, ...] = ()) -> Suspect:
    return Suspect(scenario, scenario, scenario, "P1", Symptoms(confirm, refute))


LOUD = Symptom("payments.volume", decisive=True)
SLOW = suspect("slow", LOUD, Symptom("payments.latency"), Symptom("webhooks.twice"))
LOST = suspect("lost", LOUD, refute=(Symptom("postgres.size"),))


def between(*checks: CheckResult) -> tuple[Apart, ...]:
    signals = signals_of((check("payments.volume", CRIT), *checks))
    return apart(rank((SLOW, LOST), signals), signals)


def test_a_check_without_an_answer_tells_them_apart() -> None:
    found = between(check("payments.latency", UNKNOWN), check("webhooks.twice", OK))
    assert Apart("slow", "lost", "payments.latency") in found
    assert Apart("lost", "slow", "postgres.size", against=True) in found


def test_what_has_answered_is_not_asked_again() -> None:
    found = between(
        check("payments.latency", OK), check("webhooks.twice", OK), check("postgres.size", OK)
    )
    assert found == ()


def test_what_is_not_used_here_is_not_asked() -> None:
    found = between(check("payments.latency", Status.SKIP), check("postgres.size", OK))
    assert "payments.latency" not in {one.check for one in found}


def test_webhooks_tell_of_what_they_find_so_their_silence_is_an_answer() -> None:
    answered = between(check("webhooks.delivery", OK))
    assert "webhooks.twice" not in {one.check for one in answered}
    lost = between(check("webhooks.delivery", UNKNOWN))
    assert "webhooks.twice" in {one.check for one in lost}


def test_one_cause_alone_needs_no_telling() -> None:
    signals = signals_of((check("payments.volume", CRIT),))
    assert apart(rank((SLOW,), signals), signals) == ()
