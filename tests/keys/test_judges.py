"""What is said of keys: every judge by a table, without any source."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from payops.domain.result import CheckResult
from payops.domain.signature import signature_header
from payops.domain.status import Status
from payops.domain.stripe_key import Kind, Role, read_form
from payops.errors import Failure, SourceError
from payops.keys.found import Found, Of, Place, Reading, keys_in, names_of
from payops.keys.judge import judge_mode, judge_role
from payops.keys.judge_account import AccountFacts, judge_account, judge_permissions
from payops.keys.judge_age import Recorded, judge_age, recorded
from payops.keys.judge_places import judge_places
from payops.keys.judge_webhook import Sample, fitting, judge_webhook, signed_by
from payops.keys.probe import Answered, Known, Permission, Standing, standing_of
from tools import NOW, assert_crit, assert_ok, assert_skip, assert_unknown, assert_warn, before

BODY = "4eC39HqLyjWDarjtT1zdp7dc"
SECRET, PUBLIC, HOOK = f"sk_test_{BODY}", f"pk_test_{BODY}", f"whsec_{BODY}"
NAMES = names_of({})
OWN = Place(Of.CONFIGURATION, "configuration", "lab")


def key(role: Role, text: str, place: Place = OWN, name: str = "") -> Found:
    from payops.domain.secret import Secret

    return Found(role, place, name or role.value, Secret(text), read_form(text))


def reading(environment: str, title: str = "x.env", of: Of = Of.ENV_FILE, **values: str) -> Reading:
    place = Place(of, title, environment)
    found, notes = keys_in(values.items(), place, NAMES)
    return Reading(place, found, notes)


def own(environment: str = "lab", **values: str) -> Reading:
    return reading(environment, "configuration", Of.CONFIGURATION, **values)


# ── form and validity ────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("hello", "is no key of Stripe's"),
        (PUBLIC, "holds a publishable key, where a secret or restricted key belongs"),
        (HOOK, "holds a webhook secret, where a secret or restricted key belongs"),
        (f"'{SECRET}'", "stands in quotes"),
        ("sk_test_changeme", "is a placeholder"),
    ],
)
def test_a_secret_key_that_cannot_be_one(text: str, words: str) -> None:
    result = judge_role(Role.SECRET, [key(Role.SECRET, text)], {}, NOW, "none")
    assert_crit(result, f"stripe.secret_key {words}")
    assert text not in str(result)


@pytest.mark.parametrize(
    ("standing", "words"),
    [
        (Standing.EXPIRED, "expired or was rolled"),
        (Standing.UNKNOWN, "unknown to Stripe"),
        (Standing.REVOKED, "lost its access"),
    ],
)
def test_a_key_that_stripe_refuses(standing: Standing, words: str) -> None:
    one = key(Role.SECRET, SECRET)
    answers = {one.form.digest: Answered(standing, "said", "req_1")}
    result = judge_role(Role.SECRET, [one], answers, NOW, "none")
    assert_crit(result, words, "sk_test_…p7dc")
    assert result.evidence[0].detail["request_id"] == "req_1"


@pytest.mark.parametrize("standing", [Standing.VALID, Standing.RESTRICTED, Standing.NOT_HERE])
def test_a_key_that_it_takes(standing: Standing) -> None:
    one = key(Role.SECRET, SECRET)
    answers = {one.form.digest: Answered(standing)}
    assert_ok(judge_role(Role.SECRET, [one], answers, NOW, "none"), "well-formed, valid")


def test_a_secret_that_is_built_into_a_client() -> None:
    (found,) = reading("lab", NEXT_PUBLIC_STRIPE_SECRET_KEY=SECRET).found
    assert_crit(judge_role(Role.SECRET, [found], {}, NOW, "none"), "the browser's code")
    (found,) = reading("lab", NEXT_PUBLIC_STRIPE_PUBLISHABLE_KEY=PUBLIC).found
    assert_ok(judge_role(Role.PUBLISHABLE, [found], {}, NOW, "none"))


def test_none_is_no_fault() -> None:
    assert_skip(judge_role(Role.PUBLISHABLE, [], {}, NOW, "none is given"), "none is given")


@pytest.mark.parametrize(
    ("kind", "code", "message", "standing"),
    [
        (Failure.AUTHENTICATION, "api_key_expired", "Expired API Key provided", Standing.EXPIRED),
        (Failure.AUTHENTICATION, "", "Expired API Key provided: sk_…", Standing.EXPIRED),
        (Failure.AUTHENTICATION, "", "Invalid API Key provided: sk_…", Standing.UNKNOWN),
        (Failure.AUTHENTICATION, "platform_api_key_expired", "…", Standing.REVOKED),
        (
            Failure.AUTHENTICATION,
            "",
            "Expired API Key provided. Platform access may have been revoked.",
            Standing.REVOKED,
        ),
        (Failure.PERMISSION, "", "does not have the required permissions", Standing.RESTRICTED),
        (Failure.PERMISSION, "", "not allow requests from your IP address", Standing.NOT_HERE),
        (Failure.PERMISSION, "secret_key_required", "publishable", Standing.NOT_TOLD),
        (Failure.PERMISSION, "account_invalid", "no access", Standing.REVOKED),
        (Failure.NOT_FOUND, "resource_missing", "No such", Standing.VALID),
        (Failure.RATE_LIMITED, "rate_limit", "slow down", Standing.NOT_TOLD),
    ],
)
def test_refusals_are_told_apart(
    kind: Failure, code: str, message: str, standing: Standing
) -> None:
    assert standing_of(SourceError("stripe", kind, message, code=code)) is standing


# ── mode ─────────────────────────────────────────────────────────────────────────────────────────


def test_modes_and_environments() -> None:
    live = SECRET.replace("test", "live")
    both = [*own(STRIPE_SECRET_KEY=SECRET, STRIPE_PUBLISHABLE_KEY=PUBLIC).found]
    assert_ok(judge_mode(both, [], NOW), "test in lab")
    assert_crit(judge_mode(own("prod-eu", STRIPE_SECRET_KEY=SECRET).found, [], NOW), "test key")
    assert_crit(judge_mode(own("staging", STRIPE_SECRET_KEY=live).found, [], NOW), "live key")
    assert_ok(judge_mode(own("live", STRIPE_SECRET_KEY=live).found, [], NOW))
    assert_skip(judge_mode(own(STRIPE_WEBHOOK_SECRET=HOOK).found, [], NOW))


def test_a_pair_of_two_modes() -> None:
    found = own("production", STRIPE_SECRET_KEY=SECRET.replace("test", "live")).found
    mixed = [*found, *own("production", STRIPE_PUBLISHABLE_KEY=PUBLIC).found]
    assert_crit(judge_mode(mixed, [], NOW), "STRIPE_PUBLISHABLE_KEY", "test key")


def test_the_ledgers_payments_are_of_the_other_mode() -> None:
    result = judge_mode([key(Role.SECRET, SECRET)], [("pi_1", Known.OTHER_MODE)], NOW)
    assert_crit(result, "a test key, and the ledger's payments are live ones (pi_1)")


# ── account and permissions ──────────────────────────────────────────────────────────────────────

NEW = "51HabcDEF01234567" + "Zz9" * 20
OTHER = "51XyzzyEF01234567" + "Zz9" * 20


def account(secret: str = SECRET, **facts: object) -> AccountFacts:
    given = {"answer": Answered(Standing.VALID, account="acct_1"), **facts}
    return AccountFacts(read_form(secret), **given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("status", "facts", "words"),
    [
        ("OK", account(expected="acct_1"), "as stripe.account says"),
        ("OK", account(), "nothing to compare it with"),
        ("CRIT", account(expected="acct_2"), "belongs to acct_1, and stripe.account is acct_2"),
        ("OK", account(references=[("pi_1", Known.NO), ("pi_2", Known.YES)]), "payments are in it"),
        ("CRIT", account(references=[("pi_1", Known.NO), ("pi_2", Known.NO)]), "(pi_1, pi_2)"),
        ("OK", account(references=[("pi_1", Known.NOT_TOLD)]), "nothing to compare"),
        ("OK", account(references=[("pi_1", Known.OTHER_MODE)]), "nothing to compare"),
        ("OK", account(publishable=read_form(PUBLIC), sees=Known.YES), "sees its payments"),
        ("CRIT", account(publishable=read_form(PUBLIC), sees=Known.NO), "no checkout ends"),
        ("OK", account(publishable=read_form(PUBLIC)), "nothing to compare"),
        (
            "OK",
            account("sk_test_" + NEW, publishable=read_form("pk_test_" + NEW)),
            "of the same, by the form of the keys",
        ),
        (
            "CRIT",
            account("sk_test_" + NEW, publishable=read_form("pk_test_" + OTHER)),
            "which Stripe does not document",
        ),
        (
            "OK",
            account("sk_test_" + NEW, publishable=read_form("pk_live_" + OTHER)),
            "nothing to compare",  # keys.mode says it
        ),
        (
            "OK",
            account(
                "rk_test_" + NEW,
                expected="acct_1HabcDEF01234567",
                answer=Answered(Standing.RESTRICTED),
            ),
            "by the form of the key",
        ),
        (
            "CRIT",  # the secret key alone is blamed: the publishable one may be the right one
            account(expected="acct_2", publishable=read_form(PUBLIC), sees=Known.NO),
            "stripe.account is acct_2",
        ),
    ],
)
def test_one_account(status: str, facts: AccountFacts, words: str) -> None:
    result = judge_account(facts, NOW)
    assert result.status is Status[status], result.summary
    assert words in result.summary
    assert "; and" not in result.summary


def test_permissions_that_are_lacking() -> None:
    def one(resource: str, granted: bool | None) -> Permission:
        return Permission(resource, "/v1/x", ("reconcile", "webhooks"), granted, "said")

    result = judge_permissions(Kind.RESTRICTED, [one("Refunds", False), one("Events", True)], NOW)
    assert_warn(result, "may not read Refunds", "payops reconcile and payops webhooks")
    fine = judge_permissions(Kind.RESTRICTED, [one("Refunds", True), one("Events", None)], NOW)
    assert_ok(fine, "1 of the 2")
    assert "Events: said" in fine.evidence[0].what
    assert_ok(judge_permissions(Kind.SECRET, [], NOW), "may do everything")
    assert_skip(judge_permissions(Kind.RESTRICTED, [], NOW))


# ── several places ───────────────────────────────────────────────────────────────────────────────


def test_one_place_and_equal_places() -> None:
    assert_ok(judge_places([own(STRIPE_SECRET_KEY=SECRET)], NOW), "1 place")
    same = reading("lab", STRIPE_SECRET_KEY=SECRET, STRIPE_WEBHOOK_SECRET=HOOK)
    assert_ok(judge_places([own(STRIPE_SECRET_KEY=SECRET), same], NOW), "2 places")


def test_a_key_in_two_environments() -> None:
    readings = [own(STRIPE_SECRET_KEY=SECRET), reading("staging", STRIPE_API_KEY=f"'{SECRET}'")]
    result = judge_places(readings, NOW)
    assert_crit(result, "the same secret key", "in two environments: lab", "staging")
    public = [own(STRIPE_PUBLISHABLE_KEY=PUBLIC), reading("ci", STRIPE_PUBLISHABLE_KEY=PUBLIC)]
    assert_warn(judge_places(public, NOW), "the same publishable key")
    case = [own("Lab", STRIPE_SECRET_KEY=SECRET), reading("lab", STRIPE_SECRET_KEY=SECRET)]
    assert_ok(judge_places(case, NOW))


def test_different_keys_in_places_of_one_environment() -> None:
    readings = [own(STRIPE_SECRET_KEY=SECRET), reading("lab", STRIPE_SECRET_KEY=SECRET + "9")]
    result = judge_places(readings, NOW)
    assert_warn(result, "different secret keys for lab", "x.env STRIPE_SECRET_KEY is")
    ours = own(STRIPE_SECRET_KEY="rk" + SECRET[2:])  # payops' own restricted key is meant to differ
    assert_ok(judge_places([ours, reading("lab", STRIPE_SECRET_KEY=SECRET)], NOW))
    elsewhere = [own(STRIPE_SECRET_KEY=SECRET), reading("ci", STRIPE_SECRET_KEY=SECRET + "9")]
    assert_ok(judge_places(elsewhere, NOW))


def test_a_key_that_is_missing_in_one() -> None:
    full = reading("lab", "a.env", STRIPE_SECRET_KEY=SECRET, STRIPE_WEBHOOK_SECRET=HOOK)
    part = reading("ci", "b.env", STRIPE_SECRET_KEY=SECRET + "9")
    assert_warn(judge_places([full, part], NOW), "b.env (ci) has no webhook secret", "a.env (lab)")
    browser = reading("ci", "c.env", VITE_STRIPE_PUBLISHABLE_KEY=PUBLIC)
    assert_ok(judge_places([full, browser], NOW))
    beside = reading("lab", "d.env", STRIPE_SECRET_KEY=SECRET)
    assert_ok(judge_places([full, beside], NOW))


def test_a_place_that_cannot_be_read_hides_no_other() -> None:
    lost = Reading(Place(Of.ENV_FILE, "x", "lab"), unread="x cannot be read")
    assert_unknown(judge_places([own(STRIPE_SECRET_KEY=SECRET), lost], NOW), "x cannot be read")
    shared = reading("ci", STRIPE_SECRET_KEY=SECRET)
    assert_crit(judge_places([own(STRIPE_SECRET_KEY=SECRET), lost, shared], NOW), "and 1 more")


# ── webhook secrets ──────────────────────────────────────────────────────────────────────────────


def hooks(
    found: list[Found], samples: list[Sample], *, expected: bool = True, untold: str = ""
) -> CheckResult:
    return judge_webhook(found, samples, NOW, environment="lab", expected=expected, untold=untold)


HOOKS = [key(Role.WEBHOOK, HOOK), key(Role.WEBHOOK, HOOK + "22")]
EVENT = b'{"id": "evt_1"}'


def signed(secret: str, *, given: bool = False, name: str = "evt_1") -> Sample:
    return Sample(name, EVENT, signature_header(secret, EVENT, 1_700_000_000), given)


def test_a_secret_in_use() -> None:
    result = hooks(HOOKS, [signed(HOOK + "22")], expected=True)
    assert_ok(result, "in use: it signed the newest event kept (evt_1)")
    assert_ok(hooks(HOOKS, [signed(HOOK, given=True)], expected=True), "signed evt_1")


def test_a_secret_that_signed_nothing() -> None:
    stranger = signed("whsec_other")
    assert_warn(hooks(HOOKS, [stranger], expected=True), "signed with none of")
    rolled = [stranger, signed(HOOK, name="evt_0")]
    assert_warn(hooks(HOOKS, rolled, expected=True), "was rolled")
    by_hand = signed("whsec_other", given=True)
    assert_crit(hooks(HOOKS, [by_hand], expected=True), "signed with none of")


def test_without_proof_it_says_how_to_be_sure() -> None:
    result = hooks(HOOKS, [], expected=True, untold="postgres: down")
    assert_ok(result, "no kept event tells")
    assert any("webhooks probe --signed" in action.command for action in result.actions)
    assert "postgres: down" in result.evidence[0].what


def test_a_missing_and_a_malformed_secret() -> None:
    assert_warn(hooks([], [], expected=True), "no webhook secret")
    assert_skip(hooks([], [], expected=False))
    elsewhere = [key(Role.WEBHOOK, HOOK, Place(Of.ENV_FILE, "x.env", "ci"))]
    assert_warn(hooks(elsewhere, [], expected=True), "no webhook secret")
    swapped = hooks([key(Role.WEBHOOK, SECRET)], [], expected=True)
    assert_crit(swapped, "holds a secret key, where a webhook secret belongs")
    quoted = [key(Role.WEBHOOK, f"'{HOOK}'")]
    assert_crit(hooks(quoted, [signed(HOOK)], expected=True), "quotes")
    assert fitting(signed(HOOK), quoted) is quoted[0]


@pytest.mark.parametrize("header", ["", "t=,v1=", "t=1", "v1=ab", "t=x,v1=ab", "t=1,v1=é", ",=,"])
def test_headers_that_are_none(header: str) -> None:
    assert not signed_by(HOOK, Sample("x", EVENT, header))


def test_any_of_several_signatures_may_fit() -> None:
    real = signature_header(HOOK, EVENT, 7)
    assert signed_by(HOOK, Sample("x", EVENT, real.replace(",v1=", ",v0=x,v1=00, v1=")))


# ── age ──────────────────────────────────────────────────────────────────────────────────────────

YEAR = timedelta(days=365)
ONE = [key(Role.SECRET, SECRET), key(Role.PUBLISHABLE, PUBLIC)]
NAME = "stripe.secret_key"


def past(days: int, text: str = SECRET) -> Recorded:
    return Recorded(NAME, read_form(text).digest, before(days=days))


@pytest.mark.parametrize(
    ("records", "day", "status", "words"),
    [
        ([], None, "SKIP", "the age of no key is known"),
        ([], 10, "OK", "10 d old"),
        ([], 400, "WARN", "is 400 d old"),
        ([past(10)], None, "OK", "10 d old"),
        ([past(366)], None, "WARN", "keys.max_age is 365 d"),
        ([past(500), past(3)], None, "OK", "3 d old"),
        ([past(400)], 2, "OK", "2 d old"),
        ([past(10, SECRET + "9")], None, "WARN", "was rotated after"),
        ([past(10, SECRET + "9")], 2, "OK", "2 d old"),
        ([past(10, SECRET + "9")], 20, "WARN", "was rotated after"),
        ([past(-1)], None, "OK", "0 d old"),
    ],
)
def test_the_age_of_a_key(
    records: list[Recorded], day: int | None, status: str, words: str
) -> None:
    dates: dict[str, date] = {} if day is None else {NAME: before(days=day).date()}
    result = judge_age(ONE, records, dates, YEAR, NOW)
    assert result.status is Status[status], result.summary
    assert words in result.summary


def test_a_journal_that_was_touched_is_not_believed() -> None:
    result = judge_age(ONE, [], {}, YEAR, NOW, "the journal was touched")
    assert_unknown(result, "touched")


def test_entries_of_the_journal() -> None:
    rotated = {"kind": "rotated", "name": NAME, "at": "2026-02-01T00:00:00.000Z"}
    entries = [
        {"kind": "apply", "at": "x"},
        {**rotated, "digest": "1a2b3c4d", "environment": "production"},
        {**rotated, "digest": "5e6f7a8b", "environment": "staging"},
    ]
    (one,) = recorded(entries, "production")
    assert (one.name, one.digest, one.at.isoformat()) == (
        NAME,
        "1a2b3c4d",
        "2026-02-01T00:00:00+00:00",
    )
