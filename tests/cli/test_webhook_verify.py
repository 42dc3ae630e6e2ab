"""`payops webhooks verify` as an operator runs it, with the payload from a file or a pipe."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from stripe import WebhookSignature

from command import CRON, Finished, assert_calm, passed_on, payops

OWN = "whsec_" + "v3r" * 8
OTHER = "whsec_" + "07h" * 8
BODY = json.dumps(
    {"id": "evt_1", "type": "charge.succeeded", "livemode": False, "email": "who@example.com"},
    indent=2,
)


def header(secret: str = OWN, age: int = 0) -> str:
    stamp = int(time.time()) - age
    return str(WebhookSignature.generate_signature_header(BODY, secret, stamp))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    endpoints = [
        {"name": "shop", "url": "https://shop.example/hook", "secret": OWN},
        {"name": "till", "url": "https://till.example/hook", "secret": OTHER},
    ]
    given = {"environment": "test", "webhooks": {"endpoints": endpoints}}
    (tmp_path / "payops.yaml").write_text(json.dumps(given))
    (tmp_path / "body").write_text(BODY)
    (tmp_path / "header").write_text(f"Stripe-Signature: {header()}\r\n")
    return tmp_path


def verify(folder: Path, *more: str, payload: str = "body", **env: str) -> Finished:
    return payops("webhooks", "verify", "--payload", payload, *more, cwd=folder, env=env)


@pytest.mark.parametrize("given", ["@header", "header", "plain", "named", "quoted"])
def test_a_header_in_each_form(folder: Path, given: str) -> None:
    forms = {
        "plain": header(),
        "named": f"stripe-signature:{header()}",
        "quoted": f'Stripe-Signature: "{header()}"',
    }
    done = verify(folder, "--header", forms.get(given, given), "-o", "json")
    assert_calm(done)
    assert done.code == 0
    verdict = json.loads(done.out)["verdict"]
    assert (verdict["why"], verdict["event"]) == ("valid", "evt_1")
    assert verdict["fits"]["place"] == "webhooks.endpoints[shop].secret"


OLD = "a header of 4,000 s ago"


@pytest.mark.parametrize(
    ("more", "code", "word"),
    [
        (["--header", OLD], 2, "beyond the tolerance"),
        (["--header", OLD, "--at", "4000s"], 0, "valid"),
        (["--header", "t=1,v0=ab"], 2, "no v1"),
        (["--header", ""], 2, "there is no header"),
        (["--header", "@header", "--endpoint", "shop"], 0, "valid"),
        (["--header", "@header", "--endpoint", "till"], 2, "webhooks.endpoints[shop].secret"),
        (["--header", "@header", "--endpoint", "none"], 3, "shop, till"),
        (["--header", "@nothing"], 3, "cannot be read"),
        (["--header", "@header", "--at", "soon"], 3, "--at"),
        (["--header", "@header", "--secret-from", "MINE"], 0, "made with MINE"),
        (["--header", "@header", "--secret-from", "THEIRS"], 2, "webhooks.endpoints[shop].secret"),
        (["--header", "@header", "--secret-from", "NOBODYS"], 3, "no variable 'NOBODYS'"),
        (["--header", "@header", "--secret-from", "EMPTY"], 3, "is empty"),
    ],
)
def test_verdicts_and_exit_status(folder: Path, more: list[str], code: int, word: str) -> None:
    # Made now: these cases were listed when the run began.
    words = [header(age=4000) if each is OLD else each for each in more]
    done = verify(folder, *words, MINE=OWN, THEIRS="whsec_" + "x1" * 9, EMPTY="")
    assert_calm(done)
    assert done.code == code
    assert word in done.out + done.err


def test_an_altered_body(folder: Path) -> None:
    (folder / "body").write_text(json.dumps(json.loads(BODY)) + "\n")
    done = verify(folder, "--header", "@header")
    assert done.code == 2
    assert "pretty-printed, as Stripe sends it" in done.out


def test_nothing_of_the_payload_or_the_secrets_is_shown(folder: Path) -> None:
    (folder / "body").write_text(BODY + "x")
    for output in ("plain", "json", "table", "nagios"):
        done = verify(folder, "--header", "@header", "-o", output)
        assert done.code == 2
        assert "who@example.com" not in done.out + done.err
        assert OWN not in done.out + done.err


def test_without_a_configuration(tmp_path: Path) -> None:
    (tmp_path / "body").write_text(BODY)
    done = verify(tmp_path, "--header", header(), "--secret-from", "MINE", MINE=OWN)
    assert done.code == 0
    assert verify(tmp_path, "--header", header()).code == 3


def test_the_payload_from_a_pipe(folder: Path) -> None:
    for header_, code in (("@header", 0), ("-", 3)):
        done = subprocess.run(
            [sys.executable, "-m", "payops", "webhooks", "verify", "--payload", "-",
             "--header", header_],
            cwd=folder, env={**CRON, **passed_on()}, input=BODY.encode(),
            capture_output=True, timeout=30, check=False,
        )  # fmt: skip
        assert done.returncode == code, done.stderr


@pytest.mark.parametrize("payload", ["nothing", ".", "body/x"])
def test_a_payload_that_cannot_be_read(folder: Path, payload: str) -> None:
    done = verify(folder, "--header", "@header", payload=payload)
    assert (done.code, done.out) == (3, "")
    assert_calm(done)


def test_a_payload_that_is_no_event_of_stripes(folder: Path) -> None:
    with (folder / "body").open("wb") as file:
        file.truncate(17 * 1024 * 1024)
    done = verify(folder, "--header", "@header")
    assert done.code == 3
    assert "longer than" in done.err
