"""`payops keys check` on a lab: healthy, with every key fault alone, and with two at a time."""

from __future__ import annotations

import itertools
import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from command import assert_calm, payops
from payops.config.load import read
from payops.config.sources import PostgresSettings
from payops.domain.deadline import Deadline
from payops.domain.report import Report
from payops.domain.secret import Secret
from payops.domain.signature import signature_header
from payops.domain.status import Status
from payops.engine.keys import KeysOptions, check_keys
from payops.formats import FORMATS
from payops.lab import laboratory
from payops.lab.control import Control
from payops.lab.info import LabInfo
from payops.lab.scenario import Scenario, load_scenario, scenario_ids

SCENARIOS = {id_: load_scenario(id_) for id_ in scenario_ids()}
FAULTS = {id_: one for id_, one in SCENARIOS.items() if one.keys}
CONFIGURED = {id_: one for id_, one in FAULTS.items() if one.heal.__module__.endswith("keyfaults")}
# What cannot be asked with a secret key that Stripe refuses, and is SKIP then, with that reason.
NEEDS_THE_SECRET_KEY = {"keys.account", "keys.permissions"}


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabInfo]:
    directory = tmp_path_factory.mktemp("keys") / "lab"
    yield laboratory.up(laboratory.LabOptions(dir=directory, payments=60, rate_limits=False))
    laboratory.down(directory)


@pytest.fixture(autouse=True)
def own_journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What this machine's operator recorded of another lab's keys says nothing of this one's."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


@pytest.fixture(autouse=True)
def healed(lab: LabInfo) -> Iterator[None]:
    yield
    laboratory.heal(Path(lab.dir))


def checked(lab: LabInfo, *files: str, seconds: float = 20) -> Report:
    settings = read(Path(lab.config))
    assert settings.stripe is not None
    fast = replace(settings, stripe=replace(settings.stripe, max_requests_per_second=100))
    return check_keys(fast, KeysOptions(files), Deadline.after(seconds))


def wrong(report: Report) -> set[str]:
    return {c.id for c in report.checks if c.status not in (Status.OK, Status.SKIP)}


def test_nothing_is_wrong_at_first(lab: LabInfo) -> None:
    report = checked(lab)
    assert {c.id: c.status for c in report.checks} == dict.fromkeys(
        (c.id for c in report.checks), Status.OK
    )
    assert report.stripe_calls <= 5


@pytest.mark.parametrize("wanted", FAULTS)
def test_each_fault_is_named_and_nothing_else(lab: LabInfo, wanted: str) -> None:
    before = Path(lab.config).read_bytes()
    laboratory.inject(Path(lab.dir), wanted)
    report = checked(lab)
    assert wrong(report) == FAULTS[wanted].keys
    for check in report.checks:
        if check.id in FAULTS[wanted].keys:
            assert check.actions
    assert report.stripe_calls <= 14
    laboratory.heal(Path(lab.dir))
    assert Path(lab.config).read_bytes() == before
    assert wrong(checked(lab)) == set()


def pairs() -> Iterator[tuple[str, str]]:
    for one, two in itertools.permutations(CONFIGURED, 2):
        if not CONFIGURED[one].holds & CONFIGURED[two].holds:
            yield one, two


def expected_of(*scenarios: Scenario) -> set[str]:
    named: set[str] = set().union(*(one.keys for one in scenarios))
    return named - NEEDS_THE_SECRET_KEY if "keys.secret" in named else named


@pytest.mark.slow
def test_two_faults_are_both_named(lab: LabInfo) -> None:
    seen = 0
    for one, two in pairs():
        for each in (one, two):
            laboratory.inject(Path(lab.dir), each)
        assert wrong(checked(lab)) == expected_of(FAULTS[one], FAULTS[two]), (one, two)
        laboratory.heal(Path(lab.dir))
        seen += 1
    assert seen > 60
    assert wrong(checked(lab)) == set()


def test_other_troubles_are_not_blamed_on_keys(lab: LabInfo) -> None:
    for id_ in ("database-down", "redis-down", "payments-stuck-pending"):
        laboratory.inject(Path(lab.dir), id_)
        assert wrong(checked(lab)) == set(), id_
        laboratory.heal(Path(lab.dir))


def test_a_stripe_that_does_not_answer_is_no_bad_key(lab: LabInfo) -> None:
    Control("stripe", lab.stripe_control_url).put("/faults", [{"kind": "hang"}])
    try:
        report = checked(lab, seconds=1.5)
    finally:
        Control("stripe", lab.stripe_control_url).delete("/faults")
    by_id = {check.id: check for check in report.checks}
    assert by_id["keys.secret"].status is Status.CRIT
    assert "could not be told" in by_id["keys.secret"].summary
    assert "well-formed" in by_id["keys.secret"].summary
    assert by_id["keys.account"].status is Status.SKIP
    assert by_id["keys.environments"].status is Status.OK
    assert report.duration_ms < 3000


def test_a_database_that_hangs_leaves_stripe_its_time(lab: LabInfo) -> None:
    with socket.create_server(("127.0.0.1", 0)) as hung:
        settings = read(Path(lab.config))
        dsn = Secret(f"postgresql://u@127.0.0.1:{hung.getsockname()[1]}/x")
        settings = replace(settings, postgres=PostgresSettings(dsn=dsn))
        report = check_keys(settings, KeysOptions(), Deadline.after(2))
    by_id = {check.id: check for check in report.checks}
    assert by_id["keys.secret"].status is Status.OK
    assert by_id["keys.account"].status is Status.OK
    assert "the ledger's payments could not be read" in by_id["keys.account"].summary
    assert "the ledger could not be asked" in by_id["keys.account"].evidence[0].what
    assert report.duration_ms < 2500


def test_old_and_new_key_in_a_rotation(lab: LabInfo, tmp_path: Path) -> None:
    new = "sk_test_" + "9kQ2mN4pR6tV8xZ1" * 2
    (tmp_path / "new.env").write_text(f"STRIPE_SECRET_KEY={new}\n")
    given = f"{tmp_path / 'new.env'}"
    (secret,) = (c for c in checked(lab, given).checks if c.id == "keys.secret")
    assert secret.status is Status.CRIT
    assert "new.env STRIPE_SECRET_KEY" in secret.summary
    Control("stripe", lab.stripe_control_url).put("/keys", {"key": new})
    try:
        report = checked(lab, given)
    finally:
        Control("stripe", lab.stripe_control_url).put("/keys", {"key": new, "removed": True})
    assert wrong(report) == {"keys.environments"}  # they differ, as they do in an overlap


def test_no_more_than_a_few_keys_are_asked_about(lab: LabInfo, tmp_path: Path) -> None:
    keys = "".join(f"STRIPE_KEY_{n}=sk_test_{f'{n}kQ2mN4pR6tV' * 3}\n" for n in range(10, 19))
    (tmp_path / "many.env").write_text(keys)
    report = checked(lab, f"ci={tmp_path / 'many.env'}")
    assert report.stripe_calls <= 14
    (secret,) = (c for c in report.checks if c.id == "keys.secret")
    assert "and 3 more" in secret.summary  # four were refused
    assert any("5 more secret keys" in each.what for each in secret.evidence)


def run(lab: LabInfo, *arguments: str | Path, state: Path | None = None) -> tuple[int, str]:
    env = {"XDG_STATE_HOME": str(state) if state else os.environ["XDG_STATE_HOME"]}
    done = payops("--config", lab.config, "keys", *arguments, env=env)
    assert_calm(done)
    for secret in (lab.secret_key, lab.publishable_key, lab.webhook_secret):
        assert secret not in done.out + done.err
        assert secret[12:] not in done.out + done.err
    return done.code, done.out + done.err


@pytest.mark.parametrize("output", [*FORMATS, "--check"])
def test_no_key_is_shown_in_any_format(lab: LabInfo, tmp_path: Path, output: str) -> None:
    laboratory.inject(Path(lab.dir), "key-quoted")
    (tmp_path / "x.env").write_text(
        f"STRIPE_WEBHOOK_SECRET={lab.publishable_key}\nSTRIPE_API_KEY=correct-horse-battery\n"
        f"STRIPE_PUBLISHABLE_KEY='{lab.secret_key} '\n"
    )
    (tmp_path / "y.yaml").write_text(f"kind: Secret\nstringData: {{a: {lab.secret_key}\n  b\n")
    form = [output] if output == "--check" else ["-o", output]
    files = ["--from", f"ci={tmp_path / 'x.env'}", "--from", str(tmp_path / "y.yaml")]
    code, said = run(lab, "check", *files, *form)
    assert code == 2
    assert "correct-horse" not in said


def test_the_tables_in_json(lab: LabInfo) -> None:
    laboratory.inject(Path(lab.dir), "restricted-key-lacks-permission")
    code, said = run(lab, "check", "-o", "json")
    report = json.loads(said)
    assert code == 1
    assert [row["role"] for row in report["keys"]] == [
        "secret key",
        "publishable key",
        "webhook secret",
    ]
    assert report["keys"][0]["kind"] == "restricted"
    lacking = {row["resource"] for row in report["permissions"] if not row["granted"]}
    assert lacking == {"Balance transactions", "Payouts", "Webhook endpoints"}


def test_an_event_given_by_hand(lab: LabInfo, tmp_path: Path) -> None:
    body = tmp_path / "event.json"
    body.write_bytes(b'{"id": "evt_1"}\n')
    header = signature_header(lab.webhook_secret, body.read_bytes(), 1_700_000_000)
    (tmp_path / "header").write_text(f"Stripe-Signature: {header}\n")
    for given in (header, str(tmp_path / "header")):
        code, said = run(lab, "check", "--payload", body, "--header", given)
        assert code == 0
        assert "it signed the event in event.json" in said
    code, said = run(lab, "check", "--payload", body, "--header", header.replace("=17", "=18"))
    assert code == 2
    assert "signed with none of" in said
    assert run(lab, "check", "--payload", body)[0] == 3
    assert run(lab, "check", "--payload", tmp_path / "none", "--header", header)[0] == 3


def test_a_rotation_is_recorded_once(lab: LabInfo, tmp_path: Path) -> None:
    code, said = run(lab, "rotated", "stripe.secret_key", state=tmp_path)
    assert code == 0
    assert "entry 1: stripe.secret_key is sk_test_…" in said
    entry = json.loads((tmp_path / "payops" / "journal.jsonl").read_text())
    assert entry["kind"] == "rotated"
    assert entry["operator"]
    assert lab.secret_key not in str(entry)
    assert run(lab, "rotated", "stripe.secret_key", state=tmp_path)[0] == 1
    code, said = run(lab, "rotated", "stripe.secret_kye", state=tmp_path)
    assert code == 3
    assert "did you mean 'stripe.secret_key'" in said
    code, said = run(lab, "check", state=tmp_path)
    assert code == 0
    laboratory.inject(Path(lab.dir), "secret-key-of-another-account")
    report = json.loads(run(lab, "check", "-o", "json", state=tmp_path)[1])
    status = {check["id"]: check["summary"] for check in report["checks"]}
    assert "was rotated after" not in status["keys.rotation"]  # the configuration's date says when
    assert run(lab, "rotated", "stripe.secret_key", state=tmp_path)[0] == 0
    code, said = run_journal(lab, tmp_path)
    assert said.count("stripe.secret_key is sk_test_…") == 2


def run_journal(lab: LabInfo, state: Path) -> tuple[int, str]:
    done = payops("--config", lab.config, "journal", env={"XDG_STATE_HOME": str(state)})
    return done.code, done.out


def test_a_quoted_key_cannot_be_recorded(lab: LabInfo, tmp_path: Path) -> None:
    laboratory.inject(Path(lab.dir), "key-quoted")
    assert run(lab, "rotated", "stripe.secret_key", state=tmp_path)[0] == 1


def test_config_check_refuses_what_keys_check_explains(lab: LabInfo) -> None:
    laboratory.inject(Path(lab.dir), "key-quoted")
    done = payops("--config", lab.config, "config", "check")
    assert done.code == 3
    assert "stripe.secret_key: stands in quotes" in done.err
