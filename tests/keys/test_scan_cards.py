"""Which numbers are cards, and which only look so."""

from __future__ import annotations

import random

import pytest

from payops.keys.cards import issuer_of, luhn, masked_card
from payops.keys.scan_window import Hit, Window

VISA = "4539578763621486"


def hits(text: str) -> list[Hit]:
    return [
        hit
        for hit in Window().whole(text.encode())
        if hit.number is None or (hit.number.passes and not hit.number.other)
    ]


@pytest.mark.parametrize(
    ("digits", "brand", "usual"),
    [
        ("4242424242424242", "visa", True),
        ("4222222222222", "visa", False),
        ("5555555555554444", "mastercard", True),
        ("2221000000000009", "mastercard", True),
        ("2720999999999996", "mastercard", True),
        ("378282246310005", "amex", True),
        ("6011111111111117", "discover", True),
        ("3056930009020004", "diners", True),
        ("36227206271667", "diners", True),
        ("3566002020360505", "jcb", True),
        ("6200000000000005", "unionpay", True),
        ("6205500000000000004", "unionpay", True),
        ("6759649826438453", "maestro", True),
    ],
)
def test_issuers_and_their_lengths(digits: str, brand: str, usual: bool) -> None:
    assert luhn(digits.encode())
    assert issuer_of(digits.encode()) == (brand, usual)


@pytest.mark.parametrize(
    "digits", ["2721000000000004", "2220000000000000", "3782822463100057", "1234567812345670"]
)
def test_no_issuer(digits: str) -> None:
    assert issuer_of(digits.encode()) is None


def test_one_wrong_digit_or_two_exchanged_fail_the_sum() -> None:
    digits = VISA.encode()
    for place in range(16):
        for other in b"0123456789":
            if other != digits[place]:
                assert not luhn(digits[:place] + bytes([other]) + digits[place + 1 :])


def test_a_card_is_shown_by_brand_and_last_four_alone() -> None:
    assert masked_card("visa", VISA.encode()) == "visa …1486"
    (hit,) = hits(f"card {VISA}")
    assert "453957" not in repr(hit)


@pytest.mark.parametrize(
    "text",
    [
        f"card {VISA} declined",
        f"paid with {VISA}.",
        f"({VISA})",
        f'"number":"{VISA}"',
        f"number={VISA}&x=1",
        f"n=%22{VISA}%22",
        f"n%3D{VISA}",
        f"n=%2522{VISA}%2522",
        rf"\x22{VISA}\x22",
        rf"\u0022{VISA}\u0022",
        rf"a\n{VISA}\n",
        f"\x1b[1;31m{VISA}\x1b[0m",
        f"%B{VISA}^DOE/J^2512",
        f";{VISA}=2512",
        "4539 5787 6362 1486",
        "4539-5787-6362-1486",
        "4539+5787+6362+1486",
        "4539%205787%206362%201486",
        "4539%2D5787%2d6362%2D1486".replace("%2d", "%2D"),
        "4539 5787 6362 1486 123",
        "3742 454554 00126",
        f"card_id={VISA}",
        f"<CardNumber>{VISA}</CardNumber>",
        "order_id=4242424242424242",
        "visa 4222222222222",
    ],
)
def test_found(text: str) -> None:
    assert len(hits(text)) == 1, text


@pytest.mark.parametrize(
    "text",
    [
        f"{VISA}0",
        f"0{VISA}",
        f"a{VISA}",
        f"{VISA}a",
        f"_{VISA}",
        f"order-{VISA}",
        f"{VISA}-1",
        f"{VISA}.25",
        f"0.{VISA}",
        f"file.{VISA}.gz",
        f"+{VISA}",
        f"{VISA}@example.org",
        f"order_id={VISA}",
        f"orderId: {VISA}",
        f"order no. {VISA}",
        f"X-Request-Id: {VISA}",
        f"trace.id={VISA}",
        "4539578763621487",
        "4444444444444444",
        "550e8400-e29b-4539-5787-636214861486",
        "00000010: 4539 5787 6362 1486 4539 5787 6362 1486",
        "DE89 4539 5787 6362 1486 00",
        "4539 5787-6362 1486",
        "4539341672114",
        "453957876362148",
        "4539 **** **** 1486",
        "20260211093000",
        "1770000000000000",
    ],
)
def test_not_found(text: str) -> None:
    assert hits(text) == [], text


def test_how_many_random_numbers_look_like_cards_before_their_company_is_asked() -> None:
    """The trade-off that docs/scan.md tells: about one in forty of 16 digits, with no name."""
    r = random.Random(1)
    numbers = [str(r.randrange(10**15, 10**16)) for _ in range(20_000)]
    found = sum(bool(hits(f"[{number}]")) for number in numbers)
    assert 0.02 < found / len(numbers) < 0.04


@pytest.mark.parametrize(
    ("text", "kind", "shown"),
    [
        ("k=sk_live_51NcXyZAbCdEfGh7jKlMnOpQr", "live-key", "sk_live_…OpQr"),
        ("k=rk_prod_51NcXyZAbCdEfGh7jKlMnOpQr", "live-key", "rk_"),
        ("%3Dsk_test_51NcXyZAbCdEfGh7jKlMnOpQr%26", "test-key", "sk_test_…OpQr"),
        ("sk_org_live_51NcXyZAbCdEfGh7jKlMnOpQr", "live-key", "…OpQr"),
        ("sk_org_51NcXyZAbCdEfGh7jKlMnOpQr", "live-key", "…OpQr"),
        ("pk_live_51NcXyZAbCdEfGh7jKlMnOpQr", "publishable-key", "pk_live_…OpQr"),
        ("ek_live_51NcXyZAbCdEfGh7jKlMnOpQr", "client-secret", "…OpQr"),
        ("whsec_Zx81kLmN0pQrStUvWxYz2345AbCdEfGh", "webhook-secret", "whsec_…EfGh"),
        (r"\npi_3NcXyZ12345_secret_Ab3dEfGh45678", "client-secret", "pi_3NcXyZ12345_secret_…5678"),
        ("src_client_secret_Ab3dEfGh45678", "client-secret", "src_client_secret_…5678"),
        ("accs_secret__Ab3dEfGh45678", "client-secret", "accs_secret_…5678"),
    ],
)
def test_keys_and_secrets(text: str, kind: str, shown: str) -> None:
    (hit,) = hits(text)
    assert hit.kind.value == kind
    assert shown in hit.shown
    assert "NcXyZAbCdEfGh" not in hit.shown + repr(hit)


@pytest.mark.parametrize(
    "text",
    [
        "sk_live_xxxxxxxxxxxxxxxxxxxxxxxx",
        "sk_test_your_secret_key_here",
        "sk_live_…4242",
        "task_test_runner12ABCDEFGHIJ",
        "whsec_your_webhook_secret_here_please",
        "whsec_short1A",
        "app_database_secret_rotation12",
        "client_secret_ABCDEF123456",
    ],
)
def test_stand_ins_are_no_secrets(text: str) -> None:
    assert hits(text) == []
