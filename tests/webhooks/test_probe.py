"""Endpoints probed over real sockets: healthy, broken in each way, hung, with every certificate."""

from __future__ import annotations

import json
import ssl
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from payops.domain.deadline import Deadline
from payops.domain.secret import Secret
from payops.domain.status import Status
from payops.engine.webhook_probe import probe_all, targets
from payops.errors import ConfigError, Failure, UsageError
from payops.sources import Sources
from payops.webhooks.answers import Answered, answered
from payops.webhooks.probe import Probe, Step, probe
from payops.webhooks.probe_event import may_move
from payops.webhooks.probe_report import result, results, table
from sources.hanging import (
    at_most,
    closing,
    dripping,
    free_port,
    resetting,
    saying,
    serving,
    silent,
)
from tools import assert_crit, assert_ok, settings
from webhooks.endpoint import (
    ACCEPTED,
    REFUSED,
    Endpoint,
    Handler,
    Reply,
    Request,
    always,
    behind_a_proxy,
    careful,
    listening,
)

OWN = "whsec_" + "0wn" * 8
OTHER = "whsec_" + "07h" * 8


def probed(url: str, *, seconds: float = 10, **asked: Any) -> Probe:
    sources = Sources(settings(), Deadline.after(seconds))
    try:
        return probe(url, sources, now=datetime.now(UTC), **asked)
    finally:
        sources.close()


def ask(handler: Handler, **asked: Any) -> Probe:
    with listening(handler) as endpoint:
        return probed(endpoint.url, **asked)


def signed(handler: Handler, *, others: tuple[str, ...] = (), **asked: Any) -> Probe:
    return ask(
        handler,
        signed=True,
        secrets=(Secret(OWN),),
        others=tuple(map(Secret, others)),
        **asked,
    )


def step(probe_: Probe, name: str) -> Step:
    (found,) = (each for each in probe_.steps if each.name == name)
    return found


# ── without a signature ──────────────────────────────────────────────────────────────────────────


def test_a_healthy_endpoint() -> None:
    with listening(careful(OWN)) as endpoint:
        found = probed(endpoint.url, secrets=(Secret(OWN),))
    assert found.status is Status.OK
    assert (found.answered, found.http_status, found.forged) == (
        Answered.REFUSED,
        400,
        Answered.REFUSED,
    )
    assert abs(found.clock_offset_s or 0) < 5
    assert [each.name for each in found.steps] == [
        "dns", "tcp", "tls", "redirect", "clock", "unsigned", "wrong-signature",
    ]  # fmt: skip
    assert found.fits is None
    assert_ok(result(found), "refuses unsigned and wrongly signed POSTs")
    first, second = endpoint.requests
    assert first.signature == ""
    assert second.signature.count("v1=") == 1
    assert all(id_.startswith("evt_payops_probe_") for id_ in endpoint.events)


def test_nothing_is_signed_unless_asked() -> None:
    with listening(careful(OWN)) as endpoint:
        probed(endpoint.url, secrets=(Secret(OWN),), others=(Secret(OTHER),))
    accepts = careful(OWN, OTHER, tolerance=None)
    assert all(accepts(request).status == 400 for request in endpoint.requests)


@pytest.mark.parametrize(
    ("handler", "meaning", "status", "words"),
    [
        (always(200), Answered.ACCEPTED, Status.CRIT, "a hole"),
        (always(201, b"{}"), Answered.ACCEPTED, Status.CRIT, "a hole"),
        (always(401), Answered.FORBIDS, Status.CRIT, "a login wall"),
        (always(403, b'{"detail": "credentials"}'), Answered.FORBIDS, Status.CRIT, "a login wall"),
        (always(404), Answered.MISSING, Status.CRIT, "nothing is served"),
        (always(410), Answered.MISSING, Status.CRIT, "nothing is served"),
        (always(405), Answered.METHOD, Status.CRIT, "takes no POST"),
        (always(422), Answered.OTHER, Status.WARN, "unusual code"),
        (always(500), Answered.FAILS, Status.CRIT, "a broken handler"),
        (always(502, b"<html>Bad gateway"), Answered.FAILS, Status.CRIT, "a broken handler"),
        (always(400, b"<h1>Bad Request (400)</h1>"), Answered.PAGE, Status.CRIT, "wrong Host"),
    ],
)
def test_each_answer_is_named_for_what_it_is(
    handler: Handler, meaning: Answered, status: Status, words: str
) -> None:
    found = ask(handler)
    unsigned = step(found, "unsigned")
    assert (found.answered, unsigned.status, found.status) == (meaning, status, status)
    assert words in unsigned.seen
    assert str(found.http_status) in unsigned.seen
    assert unsigned.actions


def test_the_configuration_says_which_code_is_right() -> None:
    for status in (401, 403, 422, 500):
        found = ask(always(status), unsigned_good=(400, status))
        assert (found.answered, found.status) == (Answered.REFUSED, Status.OK)
    assert ask(always(200), unsigned_good=(200, 400)).status is Status.CRIT


def test_an_error_page_to_post_alone_is_the_handlers_own() -> None:
    def handler(request: Request) -> Reply:
        return Reply(400, b"<h1>no") if request.method == "POST" else Reply(405)

    assert ask(handler).answered is Answered.REFUSED


def test_a_text_called_html_is_no_page() -> None:
    text = b"Webhook Error: No stripe-signature header value was provided."
    found = ask(always(400, text, Content_Type="text/html; charset=utf-8"))
    assert (found.answered, found.status) == (Answered.REFUSED, Status.OK)


def test_throttled_once_is_tried_again() -> None:
    answers = iter([Reply(429), REFUSED, REFUSED])
    assert ask(lambda request: next(answers)).status is Status.OK
    found = ask(always(429))
    assert (found.answered, found.status) == (Answered.THROTTLED, Status.WARN)


@pytest.mark.parametrize(
    ("location", "words"),
    [
        ("/webhooks/stripe/", "a trailing slash"),
        ("https://127.0.0.1/webhooks/stripe", "http to https"),
        ("/accounts/login/?next=/webhooks/stripe", "a login wall"),
        ("https://sso.example/?back=x", "a login wall"),
        ("https://elsewhere.example/authors/login-stats", "authors/login-stats"),
        ("http://[", "no address"),
        ("javascript:alert(1)", "no address"),
        ("", "nowhere"),
    ],
)
def test_a_redirect_and_where_to(location: str, words: str) -> None:
    headers = {"Location": location} if location else {}
    found = ask(always(308, **headers))
    redirect = step(found, "redirect")
    assert (found.answered, redirect.status) == (Answered.REDIRECTS, Status.CRIT)
    assert words in redirect.seen
    assert step(found, "wrong-signature").status is Status.SKIP
    assert location in found.location
    assert ("login" in redirect.seen.partition("(")[2]) == (words == "a login wall")


def test_what_is_where_a_redirect_leads() -> None:
    def handler(request: Request) -> Reply:
        if request.path.endswith("/"):
            return careful(OWN)(request)
        return Reply(308, headers=(("Location", request.path + "/"),))

    with listening(handler) as endpoint:
        found = probed(endpoint.url, signed=True, secrets=(Secret(OWN),))
    assert "there: 400" in step(found, "redirect").seen
    assert not any(request.signature for request in endpoint.requests)
    assert step(found, "signed").status is Status.SKIP


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])  # the latter on another port
def test_a_host_or_port_that_nobody_named_is_not_asked(host: str) -> None:
    with listening(careful(OWN)) as other:
        location = other.url.replace("127.0.0.1", host)
        assert "there:" not in step(ask(always(307, Location=location)), "redirect").seen
    assert other.requests == []


def test_a_junk_signature_that_is_accepted_is_a_hole() -> None:
    found = ask(lambda request: ACCEPTED if request.signature else REFUSED)
    assert (found.answered, found.forged) == (Answered.REFUSED, Answered.ACCEPTED)
    assert_crit(result(found), "wrong-signature: a hole")


def test_broken_without_a_header_and_well_with_one() -> None:
    for status in (403, 500):
        broken = Reply(status)
        found = ask(lambda request, broken=broken: REFUSED if request.signature else broken)
        assert step(found, "unsigned").status is Status.WARN
        assert f"add {status} to webhooks.unsigned" in step(found, "unsigned").actions[0].text


def test_broken_by_a_wrong_signature() -> None:
    found = ask(lambda request: Reply(500) if request.signature else REFUSED)
    assert "breaks on a wrong signature" in step(found, "wrong-signature").seen
    assert found.status is Status.CRIT


@pytest.mark.parametrize(("offset", "status"), [(90, Status.WARN), (-3600, Status.CRIT)])
def test_a_clock_that_is_off(offset: float, status: Status) -> None:
    found = ask(careful(OWN, skew=offset))
    assert step(found, "clock").status is status
    assert abs((found.clock_offset_s or 0) - offset) < 5
    assert ("ahead of" if offset > 0 else "behind") in step(found, "clock").seen


def test_hostile_answers_are_shown_not_obeyed() -> None:
    body = b"\x1b[2J" + b"x" * 100_000 + "\u202e".encode()
    found = ask(always(400, body, Server="\x1b]0;pwned\x07"))
    assert "\x1b" not in step(found, "unsigned").seen
    assert len(step(found, "unsigned").seen) < 200


# ── no way there ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("behave", "failure"),
    [
        (silent, Failure.TIMED_OUT),
        (
            dripping(b"HTTP/1.1 400 Bad\r\nContent-Length: 99\r\n\r\n" + b"x" * 99),
            Failure.TIMED_OUT,
        ),
        (closing, Failure.CLOSED),
        (resetting, Failure.CLOSED),
        (saying(b"-ERR unknown command\r\n"), Failure.BAD_ANSWER),
    ],
)
def test_what_does_not_answer(behave: Any, failure: Failure) -> None:
    with serving(behave) as port, at_most(3):
        found = probed(f"http://127.0.0.1:{port}/hook", seconds=2.5)
    assert (found.answered, found.failure, found.status) == (
        Answered.SILENT,
        failure,
        Status.CRIT,
    )
    assert found.forged is None
    assert_crit(result(found), "unsigned:")


def test_silence_in_too_little_time_means_nothing() -> None:
    with serving(silent) as port, at_most(1):
        found = probed(f"http://127.0.0.1:{port}/hook", seconds=0.5)
    assert found.status is Status.UNKNOWN
    assert "no time left" in step(found, "unsigned").seen


def test_what_was_not_asked_in_time_is_unknown() -> None:
    with listening(careful(OWN)) as endpoint:
        found = probed(endpoint.url, seconds=0)
    assert found.status is Status.UNKNOWN
    assert endpoint.requests == []


def test_nobody_listens() -> None:
    found = probed(f"http://127.0.0.1:{free_port()}/hook", signed=True)
    assert (found.failure, found.answered) == (Failure.REFUSED, None)
    assert step(found, "tcp").status is Status.CRIT
    assert {each.status for each in found.steps[2:]} == {Status.SKIP}


def test_a_name_that_does_not_resolve() -> None:
    found = probed("https://no-such-host.invalid/hook")
    assert found.failure is Failure.DNS
    assert step(found, "dns").status is Status.CRIT


def test_the_configured_status_of_what_does_not_answer() -> None:
    url = f"http://127.0.0.1:{free_port()}/hook"
    assert probed(url, unreachable=Status.UNKNOWN).status is Status.UNKNOWN


def test_one_dead_address_of_two(monkeypatch: pytest.MonkeyPatch) -> None:
    from payops.sources.http import HttpSource

    monkeypatch.setattr(HttpSource, "resolve", lambda self, host: ("127.0.0.1", "127.0.0.77"))
    with listening(careful(OWN)) as endpoint:
        found = probed(endpoint.url.replace("127.0.0.1", "localhost"))
    tcp = step(found, "tcp")
    assert tcp.status is Status.WARN
    assert "1 of 2 addresses" in tcp.seen
    assert "127.0.0.77" in tcp.seen
    assert found.answered is Answered.REFUSED


def test_through_a_proxy_the_way_is_not_ours_to_judge(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = b"HTTP/1.1 400 Bad\r\nContent-Length: 2\r\n\r\nno"
    with serving(saying(answer)) as proxy:
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{proxy}")
        found = probed("http://shop.invalid/hook")
    assert [each.status for each in found.steps[:3]] == [Status.SKIP] * 3
    assert found.answered is Answered.REFUSED


def test_a_password_in_the_url_is_sent_and_not_shown() -> None:
    with listening(careful(OWN)) as endpoint:
        found = probed(endpoint.url.replace("//", "//stripe:hunter2hunter2@"))
    assert found.status is Status.OK
    assert endpoint.requests[0].headers["Authorization"].startswith("Basic c3RyaXBlOm")
    assert "hunter2" not in repr(found) + repr(result(found))


# ── TLS ──────────────────────────────────────────────────────────────────────────────────────────


def openssl(*arguments: str | Path, folder: Path) -> None:
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., ssl.SSLContext]:
    """Makes a server's context whose certificate is signed by a root that payops trusts."""
    ec = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    openssl("req", "-x509", *ec, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=Lab Root",
            "-days", "3650", folder=tmp_path)  # fmt: skip
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))

    def make(last: timedelta, name: str = "IP:127.0.0.1") -> ssl.SSLContext:
        openssl("req", *ec, "-keyout", "key.pem", "-out", "one.csr", "-subj", "/CN=shop",
                folder=tmp_path)  # fmt: skip
        (tmp_path / "index").touch()
        (tmp_path / "serial").write_text("01")
        (tmp_path / "ca.cnf").write_text(
            "[ca]\ndefault_ca=lab\n[lab]\ndatabase=index\nserial=serial\nnew_certs_dir=.\n"
            "default_md=sha256\npolicy=any\nx509_extensions=names\n[any]\ncommonName=supplied\n"
            f"[names]\nsubjectAltName={name}\n"
        )
        now = datetime.now(UTC)
        first, end = (f"{when:%Y%m%d%H%M%SZ}" for when in (now - timedelta(90), now + last))
        openssl("ca", "-batch", "-config", "ca.cnf", "-cert", "ca.pem", "-keyfile", "ca.key",
                "-in", "one.csr", "-out", "one.pem", "-startdate", first, "-enddate", end,
                "-notext", folder=tmp_path)  # fmt: skip
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(tmp_path / "one.pem", tmp_path / "key.pem")
        return context

    return make


@pytest.mark.parametrize(
    ("last", "status", "words"),
    [
        (timedelta(days=60), Status.OK, "verified; expires in 59 d"),
        (timedelta(days=13), Status.WARN, "expires in 12 d"),
        (timedelta(hours=-5), Status.CRIT, "expired 5 h ago"),
    ],
)
def test_a_certificate_and_how_long_it_lasts(
    trusted: Callable[..., ssl.SSLContext], last: timedelta, status: Status, words: str
) -> None:
    with listening(careful(OWN), trusted(last)) as endpoint:
        found = probed(endpoint.url)
    tls = step(found, "tls")
    assert (tls.status, found.status) == (status, status)
    assert words in tls.seen
    assert abs((found.certificate_left_s or 0) - last.total_seconds()) < 60
    if status is Status.CRIT:
        assert (found.failure, found.answered, endpoint.requests) == (Failure.TLS, None, [])
    else:
        assert found.answered is Answered.REFUSED


def test_a_certificate_for_another_name(trusted: Callable[..., ssl.SSLContext]) -> None:
    with listening(careful(OWN), trusted(timedelta(60), "DNS:other.example")) as endpoint:
        found = probed(endpoint.url)
    assert "is for other.example, not for 127.0.0.1" in step(found, "tls").seen
    assert found.failure is Failure.TLS


def test_a_chain_that_is_not_whole(
    trusted: Callable[..., ssl.SSLContext], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    context = trusted(timedelta(60))
    other = tmp_path / "other"
    other.mkdir()
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-keyout", "k", "-out", "c", "-subj", "/CN=Another", folder=other)  # fmt: skip
    monkeypatch.setenv("SSL_CERT_FILE", str(other / "c"))
    with listening(careful(OWN), context) as endpoint:
        found = probed(endpoint.url)
    assert "the chain is not whole" in step(found, "tls").seen
    assert step(found, "tls").status is Status.CRIT


def test_no_tls_where_https_is_wanted() -> None:
    with listening(careful(OWN)) as endpoint:
        found = probed(endpoint.url.replace("http:", "https:"))
    assert step(found, "tls").status is Status.CRIT
    assert found.failure is Failure.TLS


# ── signed ───────────────────────────────────────────────────────────────────────────────────────


def test_a_genuine_event_is_accepted() -> None:
    with listening(careful(OWN)) as endpoint:
        found = probed(endpoint.url, signed=True, secrets=(Secret(OWN),))
    assert found.status is Status.OK
    assert found.fits == Secret(OWN)
    assert (found.genuine, found.replayed) == (Answered.ACCEPTED, Answered.REFUSED)
    assert (found.swapped, found.altered) == (False, False)
    assert len(set(endpoint.events)) == len(endpoint.requests), "each is an event of its own"
    assert {json.loads(each.body)["type"] for each in endpoint.requests} == {"product.updated"}


def test_another_secret_of_the_configuration_fits() -> None:
    found = signed(careful(OTHER), others=(OTHER,))
    assert (found.fits, found.swapped) == (Secret(OTHER), True)
    assert step(found, "signed").status is Status.CRIT
    assert "swapped" in step(found, "signed").seen
    assert str(step(found, "signed").detail["fits"]).startswith("whsec_…")


def test_the_second_secret_of_a_rotation_fits() -> None:
    found = ask(careful(OTHER), signed=True, secrets=(Secret(OWN), Secret(OTHER)))
    assert (found.fits, found.swapped, found.status) == (Secret(OTHER), False, Status.OK)


def test_no_secret_fits() -> None:
    found = signed(careful("whsec_nobody"))
    assert (found.fits, found.genuine, found.altered) == (None, Answered.REFUSED, None)
    assert_crit(result(found), "signed: refused with the configured secret")
    assert result(found).actions[-1].command.startswith("payops webhooks verify")


REWRITES = [
    (lambda value: json.dumps(value, separators=(",", ":"), ensure_ascii=False), "JSON.stringify"),
    (lambda value: json.dumps(value, separators=(",", ":")), "compact in ASCII"),
    (json.dumps, "json.dumps"),
    (lambda value: json.dumps(value, separators=(",", ":"), sort_keys=True), "compact in ASCII"),
    (
        lambda value: json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False),
        "pretty-printed, as Stripe sends it",
    ),
]


@pytest.mark.parametrize(("rewrite", "words"), REWRITES)
def test_a_proxy_that_writes_the_body_anew(rewrite: Callable[[object], str], words: str) -> None:
    found = signed(behind_a_proxy(careful(OWN), rewrite))
    assert (found.altered, found.fits) == (True, Secret(OWN))
    assert words in found.altered_how
    assert step(found, "signed").status is Status.CRIT


def test_the_endpoints_clock_is_why() -> None:
    found = signed(careful(OWN, skew=4000))
    assert "its clock is wrong" in step(found, "signed").seen
    assert found.fits == Secret(OWN)


def test_an_old_signature_that_is_accepted() -> None:
    found = signed(careful(OWN, tolerance=None))
    assert found.replayed is Answered.ACCEPTED
    assert step(found, "old-timestamp").status is Status.WARN


def test_only_the_last_signature_is_looked_at() -> None:
    def last(request: Request) -> Reply:
        kept = ",".join([request.signature.partition(",")[0], request.signature.rpartition(",")[2]])
        changed = Request(request.method, request.path, {"Stripe-Signature": kept}, request.body)
        return careful(OWN)(changed)

    found = signed(last)
    assert step(found, "rotation").status is Status.WARN
    assert "only the last counts" in step(found, "rotation").seen


def test_where_everything_is_accepted_nothing_is_proved() -> None:
    found = signed(always(200))
    assert (found.fits, found.genuine, found.replayed) == (None, Answered.ACCEPTED, None)
    assert "proves nothing" in step(found, "signed").seen


@pytest.mark.parametrize("status", [404, 500])
def test_a_genuine_event_breaks_it(status: int) -> None:
    def handler(request: Request) -> Reply:
        found = careful(OWN)(request)
        return Reply(status) if found.status == 200 else found

    found = signed(handler)
    assert f"not accepted: {status}" in step(found, "signed").seen
    assert found.status is Status.CRIT


def test_without_a_secret_nothing_is_signed() -> None:
    found = ask(careful(OWN), signed=True)
    assert step(found, "signed").status is Status.UNKNOWN


def test_a_slow_handler_does_not_outlive_the_deadline() -> None:
    import time

    def slow(request: Request) -> Reply:
        time.sleep(0.4)
        return REFUSED

    with listening(slow) as endpoint, at_most(2):
        found = probed(endpoint.url, seconds=1.6, signed=True, secrets=(Secret(OWN),))
    assert step(found, "signed").status is Status.UNKNOWN
    assert step(found, "unsigned").status is Status.OK


# ── the whole run ────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def two() -> Iterator[tuple[Endpoint, Endpoint]]:
    with listening(careful(OWN)) as shop, listening(always(500)) as till:
        yield shop, till


def test_every_endpoint_side_by_side(two: tuple[Endpoint, Endpoint]) -> None:
    shop, till = two
    configured = settings(
        webhooks={
            "endpoints": [
                {"name": "shop", "url": shop.url, "secret": OWN},
                {"name": "till", "url": till.url, "secret": OTHER},
            ]
        }
    )
    report = probe_all(configured, targets(configured, None), Deadline.after(10), signed=True)
    assert {check.id: check.status for check in report.checks} == {
        "webhooks.probe-shop": Status.OK,
        "webhooks.probe-till": Status.CRIT,
    }
    (steps,) = report.tables
    assert {row[0] for row in steps.rows} == {"shop", "till"}
    assert "evt_payops_probe_" in steps.note
    assert [target.name for target in targets(configured, "till")] == ["till"]
    assert [target.name for target in targets(configured, shop.url)] == ["shop"]


def test_one_that_hangs_does_not_hide_the_other(two: tuple[Endpoint, Endpoint]) -> None:
    with serving(silent) as port, at_most(1.5):
        configured = settings(
            webhooks={
                "endpoints": [
                    {"name": "hung", "url": f"http://127.0.0.1:{port}/"},
                    {"name": "shop", "url": two[0].url},
                ]
            }
        )
        report = probe_all(configured, targets(configured, None), Deadline.after(1.5), signed=False)
    assert [check.status for check in report.checks] == [Status.UNKNOWN, Status.OK]


def test_a_foreign_url_gets_nothing_signed(two: tuple[Endpoint, Endpoint]) -> None:
    configured = settings(webhooks={"endpoints": [{"name": "x", "url": "https://x.example/"}]})
    foreign = targets(configured, two[0].url)
    assert foreign[0].foreign
    with pytest.raises(UsageError, match="nothing signed"):
        probe_all(configured, foreign, Deadline.after(5), signed=True)
    assert two[0].requests == []


def test_a_probe_event_that_could_move_money_is_refused(two: tuple[Endpoint, Endpoint]) -> None:
    for type_, needs in (("charge.refunded", []), ("product.updated", ["product.updated"])):
        configured = settings(
            webhooks={
                "endpoints": [{"url": two[0].url, "secret": OWN}],
                "probe_event": type_,
                "needs": needs,
            }
        )
        with pytest.raises(ConfigError, match="may move a ledger"):
            probe_all(configured, targets(configured, None), Deadline.after(5), signed=True)
    assert two[0].requests == []


@pytest.mark.parametrize(
    ("type_", "moves"),
    [
        ("product.updated", False),
        ("price.updated", False),
        ("plan.updated", False),
        ("payment_intent.succeeded", True),
        ("payment_method.attached", True),
        ("invoiceitem.created", True),
        ("customer.updated", True),
        ("payout.paid", True),
    ],
)
def test_what_may_move_a_ledger(type_: str, moves: bool) -> None:
    assert may_move(type_, ()) is moves


@pytest.mark.parametrize(
    "wanted", ["nope", "ftp://x/", "http://", "http://[", "http://x:99999/", "http://a b/", ""]
)
def test_what_is_no_target(wanted: str) -> None:
    with pytest.raises(UsageError):
        targets(settings(), wanted)


def test_no_endpoint_at_all() -> None:
    with pytest.raises(UsageError, match="no endpoint is configured"):
        targets(settings(), None)


def test_ids_are_each_their_own() -> None:
    now = datetime.now(UTC)
    one = (Step("unsigned", Status.OK, "fine", 3.0),)
    names = ["shop", "Shop!", "https://shop.example/hook", "東京", "東"]
    probes = [Probe("https://x", name, now, one) for name in names]
    ids = [each.id for each in results(probes)]
    assert len(set(ids)) == len(ids)
    assert ids[0] == "webhooks.probe-shop"
    assert ids[2] == "webhooks.probe-shop-example-hook"
    assert len(table(probes, signed=False).rows) == len(names)


@pytest.mark.parametrize(
    ("status", "meaning"),
    [(204, "accepted"), (302, "redirects"), (418, "other"), (503, "fails"), (407, "forbids")],
)
def test_statuses(status: int, meaning: str) -> None:
    assert answered(status).value == meaning
