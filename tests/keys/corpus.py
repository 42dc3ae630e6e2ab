"""Ordinary logs, by a seed, full of what looks like a card or a key and is none; and what is.

`ordinary` is what no finding may come of, `secrets` are what leaks, each in its line with the kind
that must be found; `planted` strews them over ordinary lines.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

ALNUM = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


def _id(r: random.Random, length: int) -> str:
    return "".join(r.choices(ALNUM, k=length))


def _hex(r: random.Random, digits: int) -> str:
    return f"{r.getrandbits(4 * digits):0{digits}x}"


def _uuid(r: random.Random) -> str:
    h = _hex(r, 32)
    return f"{h[:8]}-{h[8:12]}-4{h[13:16]}-a{h[17:20]}-{h[20:]}"


def _ip(r: random.Random) -> str:
    return ".".join(str(r.randrange(256)) for _ in range(4))


def _clock(r: random.Random) -> str:
    return f"{r.randrange(24):02}:{r.randrange(60):02}:{r.randrange(60):02}"


def _order(r: random.Random) -> str:
    return str(r.randrange(10**15, 10**16))


def _nginx(r: random.Random) -> str:
    return (
        f'{_ip(r)} - - [11/Feb/2026:{_clock(r)} +0000] "POST /api/v1/payments/{_uuid(r)}/confirm?'
        f'request_id={_order(r)}&cb={r.randrange(10**12, 2 * 10**12)} HTTP/1.1" 200 '
        f'{r.randrange(10**6)} "-" "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36"'
    )


def _json(r: random.Random) -> str:
    return (
        f'{{"ts":{1_770_000_000_000 + r.randrange(10**9)}'
        f',"ts_us":{1_770_000_000_000_000 + r.randrange(10**12)}'
        f',"level":"info","id":"pi_3{_id(r, 23)}","amount":{r.randrange(10**6)}'
        f',"order_id":"{_order(r)}","orderRef":{_order(r)},"dd.trace_id":"{r.getrandbits(63)}"'
        f',"dd.span_id":{r.getrandbits(62)},"latency_ms":{r.random() * 900:.12f}}}'
    )


def _application(r: random.Random) -> str:
    return (
        f"2026-02-11 {_clock(r)},{r.randrange(1000):03} INFO [w-{r.randrange(9)}] app.payments "
        f"charge ch_3{_id(r, 23)} of cus_{_id(r, 14)} trace={_hex(r, 32)} order {_order(r)} shipped"
    )


def _sql(r: random.Random) -> str:
    return (
        f"INSERT INTO orders VALUES ({r.randrange(10**6)},'{_uuid(r)}',{_order(r)},"
        f"{r.randrange(1000)}.{r.randrange(100):02},'2026-02-11 {_clock(r)}+00',"
        f"'+49 151 {r.randrange(10**7, 10**8)}','{_hex(r, 40)}');"
    )


def _letters(r: random.Random) -> str:
    return (
        f"IBAN DE{r.randrange(10, 99)} {_fours(r, 4)} {r.randrange(100):02} "
        f"GB{r.randrange(10, 99)}NWBK{r.randrange(10**13, 10**14)} "
        f"tel +{r.randrange(10**11, 10**13)}, tel {r.randrange(10**10, 10**11)}, "
        f"EAN {r.randrange(4 * 10**12, 5 * 10**12)}, IMEI {r.randrange(10**14, 10**15)}, "
        f"tracking 1Z{_id(r, 16).upper()} / 9{r.randrange(10**3):03} "
        f"{_fours(r, 4)} {r.randrange(100):02}"
    )


def _fours(r: random.Random, groups: int) -> str:
    return " ".join(f"{r.randrange(10**4):04}" for _ in range(groups))


def _dump(r: random.Random) -> str:
    return f"{r.randrange(10**6):08}: {_fours(r, 8)}  {_id(r, 16)}"


def _build(r: random.Random) -> str:
    return (
        f"build {r.randrange(99)}.{r.randrange(99)}.{r.randrange(10**15)} git {_hex(r, 40)} "
        f"sha256:{_hex(r, 64)} etag {_hex(r, 16)} blob {_id(r, 88)}== "
        f"pid {r.randrange(10**5)} took 0.{_order(r)} s at {1_770_000_000 + r.randrange(10**6)}"
        f".{r.randrange(10**9):09}"
    )


def _almost(r: random.Random) -> str:
    return r.choice(
        [
            "set STRIPE_SECRET_KEY=sk_live_xxxxxxxxxxxxxxxxxxxxxxxx in .env",
            "usage: --key sk_test_your_secret_key_here --webhook whsec_your_webhook_secret_here",
            "key sk_live_…4242 rotated, whsec_…9xQz too, client_secret=[redacted]",
            f"running task_test_{_id(r, 20)} of mask_live_{_id(r, 20)}",
            f"module app_database_secret_rotation_{r.randrange(10**6)} loaded",
            f"GET /v1/payment_intents/pi_3{_id(r, 23)}?client_secret=redacted",
            "card 4242********4242 declined, card 424242******4242, last4 4242",
            f"key: {_hex(r, 16)}-4242-4242-4242-4242{r.randrange(10**4):04}-{_hex(r, 4)}",
        ]
    )


_LINES = (_nginx, _json, _application, _sql, _letters, _dump, _build, _almost)


def ordinary(seed: int, size: int) -> Iterator[bytes]:
    """At least `size` bytes of lines, in blocks."""
    r = random.Random(seed)
    made = 0
    while made < size:
        block = "".join(f"{r.choice(_LINES)(r)}\n" for _ in range(2000)).encode()
        made += len(block)
        yield block


def _card(r: random.Random, prefix: str, length: int = 16) -> str:
    """A number with a right sum that is no known test number."""
    digits = [int(c) for c in prefix] + [r.randrange(10) for _ in range(length - len(prefix) - 1)]
    total = sum(d if n % 2 else (2 * d if d < 5 else 2 * d - 9) for n, d in enumerate(digits[::-1]))
    return "".join(map(str, [*digits, -total % 10]))


def _in_fours(number: str, sign: str) -> str:
    return sign.join(number[n : n + 4] for n in range(0, 16, 4))


def secrets(seed: int) -> list[tuple[str, str]]:
    """Secrets as they really leak: `(line, kind)`, each value another one."""
    r = random.Random(seed)

    def key() -> str:
        return f"51{_id(r, 22)}"

    def visa() -> str:
        return _card(r, "4539")

    amex = _card(r, "3742", 15)

    return [
        (f"Authorization: Bearer sk_live_{key()}", "live-key"),
        (f'{{"headers":{{"authorization":"Bearer rk_live_{key()}"}}}}', "live-key"),
        (f"POST /charge?api_key%3Dsk_live_{key()}%26x=1", "live-key"),
        (rf"env: 'A=1\nSTRIPE_SECRET_KEY=sk_live_{key()}\nB=2'", "live-key"),
        (rf"env: 'A=1\nsk_live_{key()}\nB=2'", "live-key"),
        (f"key=sk_org_live_{key()};", "live-key"),
        (f"-u sk_test_{key()}{key()}{key()}{key()}:", "test-key"),
        (f"data-key='pk_live_{key()}'", "publishable-key"),
        (f"secret=whsec_{_id(r, 32)} loaded", "webhook-secret"),
        (f'"client_secret": "pi_3{_id(r, 23)}_secret_{_id(r, 25)}"', "client-secret"),
        (rf"\"client_secret\":\"seti_1{_id(r, 23)}_secret_{_id(r, 25)}\"", "client-secret"),
        (f"clientSecret=cs_live_a1{_id(r, 56)}_secret_fid{_id(r, 90)}%2F&", "client-secret"),
        (f"card={visa()}&exp=1226", "card"),
        (f"charging {visa()} for order 17", "card"),
        (f'{{"number":"{visa()}","cvc":"***"}}', "card"),
        (rf"body: \x22number\x22:\x22{visa()}\x22", "card"),
        (f"q=%22{visa()}%22", "card"),
        (f"q=%2522{visa()}%2522", "card"),
        (rf"{{\u0022pan\u0022:\u0022{visa()}\u0022}}", "card"),
        (f"card%5Bnumber%5D={visa()}&card%5Bcvc%5D=1", "card"),
        (f";{visa()}=25121010000", "card"),
        (f"%B{visa()}^DOE/JANE^2512", "card"),
        (f"\x1b[33m{visa()}\x1b[0m", "card"),
        (f"customer said {_in_fours(visa(), ' ')} on the phone.", "card"),
        (f"pan: {_in_fours(visa(), '-')}", "card"),
        (f"number={_in_fours(visa(), '+')}&x=1", "card"),
        (f"number={_in_fours(visa(), '%20')}", "card"),
        (f"<CardNumber>{_card(r, '5425')}</CardNumber>", "card"),
        (f"amex {_card(r, '3742', 15)}", "card"),
        (f"took {' '.join((amex[:4], amex[4:10], amex[10:]))} by phone", "card"),
        (f"upop={_card(r, '6212')}", "card"),
        (f"card {_card(r, '4539', 13)} old", "card"),
        ("order_id=4242424242424242", "test-card"),
        ("card 4000000000000002 declined", "test-card"),
        ("number: 378282246310005.", "test-card"),
    ]


def planted(seed: int, size: int) -> tuple[bytes, dict[int, str]]:
    """Ordinary lines with every secret among them, and `{line: kind}` of these."""
    r = random.Random(seed)
    lines = b"".join(ordinary(seed, size)).split(b"\n")[:-1]
    wanted = secrets(seed)
    kinds: dict[int, str] = {}
    for number, (line, kind) in zip(r.sample(range(len(lines)), len(wanted)), wanted, strict=True):
        lines[number] = line.encode()
        kinds[number + 1] = kind
    return b"\n".join(lines) + b"\n", kinds
