"""A secret shows itself nowhere, in no spelling, and redacting twice changes nothing."""

from __future__ import annotations

import json
import threading
import time
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from payops.domain.secret import (
    MASK,
    Secret,
    excerpt,
    fingerprint,
    masked_url,
    redact,
    remember,
    remember_address,
    remember_url,
)
from payops.domain.text import harmless

KEY = "sk_live_51Abcdefghijklmnop4242"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"using {KEY}.", "using sk_live_…4242."),
        ("rk_test_abcdefghijklmnop1234", "rk_test_…1234"),
        ("sk_test_shorter", MASK),
        (f"key%3D{KEY}", "key%3Dsk_live_…4242"),
        ("task_test_runner_of_the_disk_live_volume", "task_test_runner_of_the_disk_live_volume"),
        ("whsec_abcdefghijklmnop", "whsec_…mnop"),
        ("pi_3Abc_secret_Xyz", MASK),
        ("cs_test_a1B2c3_secret_Xyz", MASK),
        ("seti_1Abc_secret_Xyz", MASK),
        ("src_1AbcdefghijK_secret_Xyz", MASK),
        ("Authorization: Bearer abcdefghijklmnop", f"Authorization: {MASK}"),
        ("authorization: basic c2tfbGl2ZV81MUFiYzo=", f"authorization: {MASK}"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIE\nabc\n-----END RSA PRIVATE KEY-----\nx",
         f"{MASK}\nx"),
        ("postgresql://app:pw@db/shop", f"postgresql://app:{MASK}@db/shop"),
        ("redis://:p%40w@cache:6379/0", f"redis://:{MASK}@cache:6379/0"),
        ("host=db password=pw user=app", f"host=db password={MASK} user=app"),
        ("password='a \\' b' user=app", f"password={MASK} user=app"),
        ("password=a&b,c;d user=app", f"password={MASK} user=app"),
        ("?password=pw&sslmode=require", f"?password={MASK}&sslmode=require"),
        ("https://h/x?a=1&token=ab%2Fc&y=1#z", f"https://h/x?a=1&token={MASK}&y=1#z"),
        ("to /login?next=/&api_key=abc", f"to /login?next=/&api_key={MASK}"),
        ("/v1/x?idempotency_key=abc&limit=1", "/v1/x?idempotency_key=abc&limit=1"),
        ("write redis://USER:PASSWORD@HOST:6379/0", "write redis://USER:PASSWORD@HOST:6379/0"),
        ("PGPASSWORD=pw psql", f"PGPASSWORD={MASK} psql"),
        ("password: pw", f"password: {MASK}"),
        ('{"password": "a b", "user": "app"}', f'{{"password": "{MASK}", "user": "app"}}'),
        ('"{\\"password\\": \\"a b\\"}"', f'"{{\\"password\\": \\"{MASK}\\"}}"'),
        ('{"client_secret":"a b"}', f'{{"client_secret":"{MASK}"}}'),
        ("stripe.secret_key: is not set", "stripe.secret_key: is not set"),
        ("password authentication failed for user app",
         "password authentication failed for user app"),
        ("wrong password:\n  next: call", "wrong password:\n  next: call"),
        ("https://api.stripe.com:443/v1", "https://api.stripe.com:443/v1"),
        ("pk_live_51Abcdefghijklmnop is public", "pk_live_51Abcdefghijklmnop is public"),
        ("pi_3Abcdefghijklmnop", "pi_3Abcdefghijklmnop"),
    ],
)  # fmt: skip
def test_shapes_of_secrets(text: str, expected: str) -> None:
    assert redact(text) == expected
    assert redact(expected) == expected


HARD = [
    "hunter2!x",
    "p@ss/w:rd",
    "a\"b\\c'd",
    "a.*b+(c)[d]$^",
    "päß wörd",
    "100%&=x y",
    "a\tb\x1bc",
]


@pytest.mark.parametrize("secret", HARD)
@pytest.mark.parametrize(
    "spelt",
    [
        lambda s: s,
        quote,
        quote_plus,
        lambda s: quote(s, safe=""),
        lambda s: quote(s, safe="").lower() if s.islower() else quote(s, safe=""),
        lambda s: json.dumps({"x": s}),
        lambda s: json.dumps({"x": s}, ensure_ascii=False),
        lambda s: json.dumps({"x": json.dumps({"y": s})}),
        repr,
        harmless,
        lambda s: f"postgresql://app:{quote(s, safe='')}@db/shop?x=1",
    ],
)
def test_a_known_secret_in_any_spelling(secret: str, spelt: object) -> None:
    text = f"before {spelt(secret)} after"  # type: ignore[operator]
    Secret(secret)
    assert MASK in redact(text)
    for form in (secret, quote(secret, safe=""), json.dumps(secret)[1:-1], harmless(secret)):
        assert form not in redact(text)
    assert redact(text).startswith("before ")
    assert redact(text).endswith(" after")


@pytest.mark.parametrize(
    ("dsn", "password"),
    [
        ("postgresql://app:hunter2xyz@db/shop", "hunter2xyz"),
        ("postgresql://app:hunter2%2Fxyz@db/shop", "hunter2/xyz"),
        ("postgresql://app:hunter2/x@yz@db/shop", "hunter2/x@yz"),
        ("postgresql://app:hunter2 /x@yz@db/shop", "hunter2 /x@yz"),
        ("postgresql://db/shop?user=app&password=hunter2%20z", "hunter2 z"),
        ("host=db password=hunter2&z user=app", "hunter2&z"),
        ("host=db password = 'hunter2 \\'z' user=app", "hunter2 'z"),
        ("redis://:hunter2xyz@cache:6379/0", "hunter2xyz"),
        ("rediss://default:hunter2[xyz@cache:6379/0", "hunter2[xyz"),
    ],
)
def test_the_password_inside_a_dsn_is_a_secret_too(dsn: str, password: str) -> None:
    secret = Secret(dsn)
    assert redact(f"the server says: {password} is wrong") == f"the server says: {MASK} is wrong"
    assert password not in redact(f"cannot parse {dsn}")
    assert "hunter2" not in secret.describe()


def test_what_an_address_holds_is_a_secret_and_the_address_is_none() -> None:
    remember_url("https://app:hunter3%2Fx@shop.test:443/health?token=canary77&page=12345")
    said = "shop.test/health said: canary77, hunter3/x, hunter3%2Fx, 12345"
    assert redact(said) == f"shop.test/health said: {MASK}, {MASK}, {MASK}, 12345"


@pytest.mark.parametrize("text", ["", " ", "\n\t  \n", "a", "abc", "postgres", "TEST", "redis"])
def test_what_is_too_common_is_masked_by_its_place_only(text: str) -> None:
    assert bool(Secret(text)) == bool(text)
    assert redact("a test of postgres, abc and redis\n\t  \n") == (
        "a test of postgres, abc and redis\n\t  \n"
    )
    if text.strip():
        assert redact(f"postgresql://app:{text}@db") == f"postgresql://app:{MASK}@db"
        assert redact(f"password={text}") == f"password={MASK}"


def test_an_empty_secret_hides_nothing() -> None:
    remember("")
    assert redact("all of this") == "all of this"


def test_secrets_that_contain_or_overlap_one_another() -> None:
    for text in ("abcdef", "abcdefgh", "efghij", "xabcd"):
        Secret(text)
    assert redact("1 abcdef 2") == f"1 {MASK} 2"
    assert redact("1 abcdefgh 2") == f"1 {MASK} 2"
    assert redact("1 abcdefghij 2") == f"1 {MASK} 2"
    assert redact("1 xabcdefghij 2") == f"1 {MASK} 2"


def test_each_long_line_of_a_secret_is_secret() -> None:
    Secret("-----BEGIN X-----\nMIIEabcdefghijklmnop\nshort\n")
    assert redact("log: MIIEabcdefghijklmnop!") == f"log: {MASK}!"
    assert redact("a short way") == "a short way"


def test_a_secret_shows_itself_nowhere() -> None:
    secret = Secret(KEY)
    shown = (repr(secret), str(secret), f"{secret}", f"{secret:>40}", "%s" % secret, f"{[secret]}")  # noqa: UP031
    assert not any("4242" in text for text in shown)
    assert secret.reveal() == KEY
    assert secret == Secret(KEY)
    assert secret != KEY
    assert hash(secret) == hash(Secret(KEY))
    assert not hasattr(secret, "__dict__")


def test_what_may_be_shown() -> None:
    assert fingerprint(KEY).startswith("sk_live_…4242 (sha256 ")
    assert fingerprint("whsec_abcdefghijklmnop").startswith("whsec_…mnop (sha256 ")
    assert fingerprint("x" * 20).startswith("(sha256 ")
    assert fingerprint("hunter2") == MASK  # the hash of a short one can be guessed
    assert masked_url("redis://cache:6379/0") == "redis://cache:6379/0"
    assert masked_url("postgresql://app@db/shop") == "postgresql://app@db/shop"
    assert masked_url("https://h:443/x?by=a@b") == "https://h:443/x?by=a@b"
    assert masked_url("https://h/x?token=abc&y=1") == f"https://h/x?token={MASK}&y=1"
    assert redact(fingerprint(KEY)) == fingerprint(KEY)


secrets = st.lists(
    st.text(st.characters(exclude_categories=()), min_size=4, max_size=9), max_size=4
)


@settings(max_examples=150)
@given(secrets, st.data())
def test_redacting_twice_changes_nothing(texts: list[str], data: st.DataObject) -> None:
    import payops.domain.secret as module

    module._known.clear()
    for text in texts:
        remember(text)
    parts = st.sampled_from([*texts, KEY, "password=", "://u:", "@", "'", " ", "x", MASK, "…4242"])
    text = "".join(data.draw(st.lists(parts, max_size=8)))
    once = redact(text)
    assert redact(once) == once


@settings(max_examples=100)
@given(st.text("abc.*[", min_size=4, max_size=6), st.text("abc.*[ ", max_size=12))
def test_a_known_secret_never_survives(secret: str, around: str) -> None:
    import payops.domain.secret as module

    module._known.clear()
    remember(secret)
    assert secret not in redact(f"{around}{secret}{around}").replace(MASK, "\n")


def test_threads_make_and_redact_at_once() -> None:
    failures: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for step in range(30):
                Secret(f"password-{number}-{step}")
                assert redact(f"is password-{number}-{step}") == f"is {MASK}"
        except BaseException as error:  # noqa: BLE001  shown by the assertion below
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


def test_a_long_text_is_redacted_in_no_time() -> None:
    Secret("hunter2xyz")
    for piece in ("x", "://", "password", "a:", "sk_live_", '\\"', "pi_a_secret", "-----BEGIN "):
        redact(piece * 4000)


def test_known_and_redacted_by_turns_are_told_apart_in_no_time() -> None:
    Secret("hunter2xyz")
    began = time.monotonic()
    assert redact(f"{MASK} hunter2xyz " * 20_000) == f"{MASK} {MASK} " * 20_000
    assert time.monotonic() - began < 10  # each against each other took minutes


def test_an_excerpt_ends_within_no_secret() -> None:
    Secret("correct-horse-battery")
    text = f"refused: correct-horse-battery and {KEY}"
    for width in range(len(text)):
        cut = excerpt(text, width)
        assert len(cut) <= width
        assert "corr" not in cut
        assert "51Ab" not in cut
    assert excerpt("short", 10) == "short"


@pytest.mark.parametrize(
    ("url", "said", "left"),
    [
        ("https://hc-ping.com/5ad7c0f3-9b1e", "of 5ad7c0f3-9b1e", f"of {MASK}"),
        ("https://hc-ping.com/5ad7c0f3-9b1e", "at hc-ping.com", "at hc-ping.com"),
        ("tgram://123456789:AAbbCCdd/chat", "bot 123456789", f"bot {MASK}"),
        ("slack://TokenAAAA/TokenBBBB/C1", "TokenBBBB", MASK),
        ("mailto://ops:pass@mail.example.com", "mail.example.com", "mail.example.com"),
        ("https://hooks.slack.com", "hooks.slack.com", "hooks.slack.com"),
    ],
)
def test_an_address_that_lets_one_post_is_a_secret(url: str, said: str, left: str) -> None:
    remember_address(url)
    assert redact(said) == left
