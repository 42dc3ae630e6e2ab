"""`payops webhooks probe` as an operator, a pipe and cron run it."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from command import assert_calm, payops
from payops.lab.info import LabInfo
from sources.hanging import dripping, serving, silent
from webhooks.endpoint import ACCEPTED, REFUSED, always, careful, listening

OWN = "whsec_" + "c11" * 8


def config(folder: Path, **endpoints: str) -> Path:
    """A configuration of these endpoints and nothing else."""
    file = folder / "payops.yaml"
    listed = [{"name": name, "url": url, "secret": OWN} for name, url in endpoints.items()]
    file.write_text(json.dumps({"environment": "test", "webhooks": {"endpoints": listed}}))
    return file


def test_on_a_healthy_lab(lab: LabInfo) -> None:
    done = payops("--config", lab.config, "webhooks", "probe", "--signed", "-o", "json")
    assert_calm(done)
    assert done.code == 0
    report = json.loads(done.out)
    assert report["command"] == "webhooks probe"
    (check,) = report["checks"]
    assert (check["id"], check["status"]) == ("webhooks.probe-shop", "OK")
    steps = {step["step"]: step["status"] for step in report["steps"]}
    assert steps.pop("tls") == "SKIP"
    assert set(steps.values()) == {"OK"}
    assert {"signed", "rotation", "old-timestamp"} <= set(steps)


@pytest.mark.parametrize(
    ("handler", "code"),
    [
        (careful(OWN), 0),
        (always(422), 1),
        (always(500), 2),
        (lambda request: ACCEPTED if request.signature else REFUSED, 2),
    ],
)
def test_exit_status(tmp_path: Path, handler: object, code: int) -> None:
    with listening(handler) as endpoint:  # type: ignore[arg-type]
        done = payops("--config", config(tmp_path, shop=endpoint.url), "webhooks", "probe")
    assert_calm(done)
    assert done.code == code
    assert "webhooks.probe-shop" in done.out
    assert max(map(len, done.err.splitlines()), default=0) < 300


def test_check_mode_is_one_line_with_perfdata(tmp_path: Path) -> None:
    with listening(careful(OWN)) as endpoint:
        file = config(tmp_path, shop=endpoint.url)
        done = payops("--config", file, "webhooks", "probe", "shop", "--check", "--signed")
    assert done.code == 0
    assert len(done.out.splitlines()) == 1
    assert "unsigned_ms" in done.out
    assert OWN not in done.out


@pytest.mark.parametrize("behave", [silent, dripping(b"HTTP/1.1 400 Bad\r\n" + b"x" * 900)])
def test_nothing_outlives_the_deadline(tmp_path: Path, behave: object) -> None:
    idle = payops("--version").seconds
    with serving(behave) as one, serving(behave) as other:  # type: ignore[arg-type]
        file = config(tmp_path, plain=f"http://127.0.0.1:{one}/", tls=f"https://127.0.0.1:{other}/")
        began = time.monotonic()
        done = payops("--config", file, "webhooks", "probe", "--signed", "--deadline", "3s")
        seconds = time.monotonic() - began
    assert_calm(done)
    assert done.code == 2
    assert "timed out" in done.out
    assert seconds < 3 + 1 + idle


def test_any_url_without_a_configuration(tmp_path: Path) -> None:
    with listening(always(403)) as endpoint:
        done = payops("webhooks", "probe", endpoint.url, cwd=tmp_path)
        assert (done.code, len(endpoint.requests)) == (2, 2)
        assert "a login wall" in done.out
        refused = payops(
            "--config", config(tmp_path), "webhooks", "probe", endpoint.url, "--signed"
        )
        assert len(endpoint.requests) == 2
    assert refused.code == 3
    assert "nothing signed is sent there" in refused.err
    assert refused.out == ""


@pytest.mark.parametrize("url", ["nope", "http://[", "https://"])
def test_what_is_no_url(tmp_path: Path, url: str) -> None:
    done = payops("--config", config(tmp_path), "webhooks", "probe", url)
    assert (done.code, done.out) == (3, "")
    assert_calm(done)


def test_no_secret_of_ours_is_sent_or_shown(tmp_path: Path) -> None:
    def echo(request: object) -> object:
        return always(400, (os.linesep + OWN).encode())(request)  # type: ignore[arg-type]

    with listening(echo) as endpoint:  # type: ignore[arg-type]
        file = config(tmp_path, shop=endpoint.url)
        for output in ("plain", "json", "table"):
            done = payops("--config", file, "webhooks", "probe", "--signed", "-o", output)
            assert OWN not in done.out + done.err
    for request in endpoint.requests:
        assert OWN.encode() not in request.body
        assert OWN not in str(request.headers)
