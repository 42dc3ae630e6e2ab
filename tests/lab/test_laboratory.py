"""The lab's life: up, again, after crashes, down; with real servers."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
import redis
import yaml

from payops.errors import LabError
from payops.lab import laboratory
from payops.lab.control import Control
from payops.lab.info import LabInfo
from payops.lab.laboratory import LabOptions
from payops.lab.options import Keys
from payops.lab.servers.application import Merchant
from payops.lab.servers.server import Server
from payops.lab.servers.system import Servers

SERVERS = ("postgres", "redis", "stripe", "merchant")


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    directory = tmp_path / "lab"
    yield directory
    with contextlib.suppress(LabError):
        laboratory.down(directory)


def test_a_lab_of_another_user_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = tmp_path / "theirs"
    (directory / "run").mkdir(parents=True)
    (directory / ".payops-lab.json").write_text("{}")
    me = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: me + 1)
    for ask in (laboratory.down, laboratory.heal):
        with pytest.raises(LabError, match="belongs to another user"):
            ask(directory)
    assert (directory / "run").is_dir()


def test_a_damaged_record_has_nobodys_folder_removed(tmp_path: Path) -> None:
    victim, directory = tmp_path / "victim", tmp_path / "lab"
    victim.mkdir()
    (victim / "file").touch()
    (directory / "run").mkdir(parents=True)
    (directory / ".payops-lab.json").write_text("{}")
    record = {"port": 1, "password": "x", "data": str(victim), "more_ports": []}
    (directory / "run" / "postgres.json").write_text(json.dumps(record))
    laboratory.down(directory)
    assert (victim / "file").exists()
    assert not directory.exists()


def test_what_is_no_folder_or_a_damaged_lab_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(LabError, match="Not a directory"):
        laboratory.down(tmp_path / "file")
    (tmp_path / "lab").mkdir()
    for damaged in ("{", '{"x": 1}'):
        (tmp_path / "lab" / "lab.json").write_text(damaged)
        with pytest.raises(LabError, match="is damaged"):
            laboratory.inject(tmp_path / "lab", "redis-down")


def small(directory: Path, **options: object) -> LabOptions:
    return LabOptions(dir=directory, **{"payments": 60, **options})  # type: ignore[arg-type]


def processes_of(directory: Path) -> dict[int, str]:
    """Every living process that works in the folder, or names it on its command line."""
    found = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        with contextlib.suppress(OSError):
            if (entry / "stat").read_text().rpartition(")")[2].split()[0] == "Z":
                continue
            command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            working = str((entry / "cwd").readlink())
            if str(directory) in command or working.startswith(str(directory)):
                found[int(entry.name)] = command
    return found


def count(dsn: str) -> int:
    with psycopg.connect(dsn) as connection:
        row = connection.execute("SELECT count(*) FROM payments").fetchone()
    assert row is not None
    return int(row[0])


def test_up_gives_a_working_private_lab_and_down_takes_it_all_away(place: Path) -> None:
    started = time.monotonic()
    info = laboratory.up(small(place))
    assert time.monotonic() - started < 15
    assert count(info.postgres_dsn) == 60
    with redis.Redis.from_url(info.redis_url, decode_responses=True) as client:
        assert client.get("circuit_breaker:stripe:state") == "closed"
    objects = Control("stripe", info.stripe_control_url).get("/state")["objects"]
    assert objects["payment_intent"] == 60
    assert objects["webhook_endpoint"] == 1
    assert [(s.name, s.running) for s in laboratory.status(place)] == [(n, True) for n in SERVERS]
    assert {s.name: s.pid for s in laboratory.status(place)} == info.pids
    assert not [path for path in (place, *place.rglob("*")) if path.stat().st_mode & 0o077]

    again: list[str] = []
    assert laboratory.up(small(place), again.append) == info
    assert "running already" in again[0]

    data = Servers.of(place).postgres.data
    laboratory.down(place)
    assert not place.exists()
    assert not data.exists()
    assert processes_of(place) == {}
    assert laboratory.status(place) == []


def test_its_configuration_is_the_products(place: Path) -> None:
    from payops.config.load import read

    info = laboratory.up(small(place, environment="production", payments=0))
    settings = read(Path(info.config))
    assert settings.environment == "production"
    assert settings.stripe is not None
    assert settings.postgres is not None
    assert settings.redis is not None
    assert settings.postgres.write_dsn is not None
    assert settings.stripe.secret_key.reveal() == info.secret_key
    assert info.secret_key.startswith("sk_" + "live_lab")
    assert settings.stripe.api_base == info.stripe_url
    assert settings.app.addresses[0].url == f"{info.app_url}/health"
    assert settings.webhooks.endpoints[0].url == info.webhook_endpoint
    with psycopg.connect(settings.postgres.dsn.reveal()) as connection:
        assert connection.execute("SELECT count(*) FROM payments").fetchone() == (0,)
    assert yaml.safe_load(Path(info.config).read_text())["preset"] == "reference"


@pytest.mark.slow
def test_up_brings_back_what_was_killed_with_its_data_at_its_address(place: Path) -> None:
    before = laboratory.up(small(place))
    for name in SERVERS:
        Servers.of(place).named(name).kill()
        said: list[str] = []
        after = laboratory.up(small(place), said.append)
        assert said == [f"{name} had died: starting it again with its data"]
        assert after.pids[name] != before.pids[name]
        assert {n: p for n, p in after.pids.items() if n != name} == {
            n: p for n, p in before.pids.items() if n != name
        }
        before = after
    assert count(before.postgres_dsn) == 60
    state = Control("stripe", before.stripe_control_url).get("/state")
    assert state["objects"]["payment_intent"] == 60
    with redis.Redis.from_url(before.redis_url, decode_responses=True) as client:
        assert client.get("circuit_breaker:stripe:state") == "closed"


@pytest.mark.slow
def test_down_after_everything_was_killed(place: Path) -> None:
    info = laboratory.up(small(place))
    data = Servers.of(place).postgres.data
    for pid in info.pids.values():
        os.kill(pid, signal.SIGKILL)
    laboratory.down(place)
    assert not place.exists()
    assert not data.exists()


UP = (
    "import sys; from pathlib import Path; from payops.lab import laboratory as lab\n"
    "lab.up(lab.LabOptions(dir=Path(sys.argv[1]), payments=60), say=print)"
)


@pytest.mark.slow
@pytest.mark.parametrize("seconds", [0.02, 0.2, 0.45, 0.7, 0.95])
def test_an_up_that_was_killed_half_way_is_cleaned_up(place: Path, seconds: float) -> None:
    command = subprocess.Popen(
        [sys.executable, "-u", "-c", UP, str(place)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.PIPE,
    )
    assert command.stdout is not None
    command.stdout.readline()  # it has begun
    time.sleep(seconds)
    command.kill()
    command.wait()
    command.stdout.close()
    records = [server.record for server in Servers.of(place)]
    said: list[str] = []
    if seconds in (0.2, 0.7):
        info = laboratory.up(small(place), said.append)
        assert count(info.postgres_dsn) == 60
    laboratory.down(place)
    assert not place.exists()
    assert processes_of(place) == {}
    for record in records:
        if record is not None:
            assert processes_of(Path(record.data)) == {}
            assert not Path(record.data).exists()


@pytest.mark.slow
def test_an_up_that_is_interrupted_ends_what_it_started(place: Path) -> None:
    command = subprocess.Popen(
        [sys.executable, "-u", "-c", UP, str(place)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert command.stdout is not None
    command.stdout.readline()
    time.sleep(0.3)
    command.send_signal(signal.SIGINT)
    assert command.wait(20) != 0
    command.stdout.close()
    assert not place.exists()
    assert processes_of(place) == {}


def test_a_server_that_does_not_start_ends_all_and_says_why(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Merchant, "module", "payops.lab.nothing_here")
    with pytest.raises(LabError, match="nothing_here ended") as error:
        laboratory.up(small(place))
    assert "No module named" in error.value.message
    assert processes_of(place) == {}
    assert not place.exists()


@pytest.mark.slow
@pytest.mark.parametrize("server", ["postgres", "redis", "stripe", "merchant"])
def test_a_port_that_somebody_took_meanwhile_is_tried_no_more(
    server: str, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reserve, said = Server.reserve, list[str]()
    with socket.create_server(("127.0.0.1", 0)) as taken:

        def at_the_taken_one(self: Server) -> None:
            if self.name == server and not said[1:]:
                self._wanted_port = taken.getsockname()[1]
            reserve(self)

        monkeypatch.setattr(Server, "reserve", at_the_taken_one)
        info = laboratory.up(small(place, payments=0), said.append)
    assert [words for words in said if "taken" in words] == [
        "a port was taken meanwhile; starting again at others"
    ]
    assert len(info.pids) == 4
    assert [each.running for each in laboratory.status(place)] == [True] * 4


def test_ports_are_not_tried_for_ever(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tries = []

    def never(options: LabOptions, say: object) -> LabInfo:
        tries.append(options)
        raise LabError("Redis ended while starting:\n  bind: Address already in use")

    monkeypatch.setattr(laboratory, "make", never)
    with pytest.raises(LabError, match="already in use"):
        laboratory.up(small(place))
    assert len(tries) == 3
    assert not place.exists()


def test_another_lab_in_the_folder_is_told_from_this_one(place: Path) -> None:
    laboratory.up(small(place, payments=0))
    with pytest.raises(LabError, match=r"another lab .*\(payments 0\)") as error:
        laboratory.up(small(place, payments=1))
    assert "payops lab down" in error.value.hint


@pytest.mark.slow
def test_two_labs_side_by_side(tmp_path: Path) -> None:
    places = [tmp_path / "one", tmp_path / "two"]
    try:
        with ThreadPoolExecutor(2) as pool:
            infos = list(pool.map(lambda p: laboratory.up(small(p, payments=30)), places))
        assert not set(infos[0].pids.values()) & set(infos[1].pids.values())
        laboratory.down(places[0])
        assert [server.running for server in laboratory.status(places[1])] == [True] * 4
        assert count(infos[1].postgres_dsn) == 30
    finally:
        for place in places:
            laboratory.down(place)


@pytest.mark.slow
def test_two_ups_at_once_make_one_lab(place: Path) -> None:
    with ThreadPoolExecutor(2) as pool:
        one, other = pool.map(lambda _: laboratory.up(small(place, payments=30)), range(2))
    assert one == other


def test_a_folder_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("ten years of work")
    (tmp_path / "logs").mkdir()
    for attempt in (lambda: laboratory.up(small(tmp_path)), lambda: laboratory.down(tmp_path)):
        with pytest.raises(LabError, match=r"not .*a lab's folder"):
            attempt()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["logs", "thesis.txt"]


def test_a_file_of_the_users_survives_down(place: Path) -> None:
    laboratory.up(small(place, payments=0))
    (place / "notes.txt").write_text("what I tried")
    said: list[str] = []
    laboratory.down(place, said.append)
    assert [path.name for path in place.iterdir()] == ["notes.txt"]
    assert "notes.txt" in said[-1]


def test_a_shell_in_the_folder_survives_down(place: Path) -> None:
    laboratory.up(small(place, payments=0))
    shell = subprocess.Popen(["sleep", "60"], cwd=place, start_new_session=True)
    try:
        laboratory.down(place)
        assert shell.poll() is None
    finally:
        shell.kill()
        shell.wait()


def test_objects_of_a_file_are_served_as_they_are(place: Path, tmp_path: Path) -> None:
    made = {"id": "pi_of_mine", "object": "payment_intent", "created": 1, "livemode": False}
    file = tmp_path / "objects.ndjson"
    file.write_text(json.dumps(made) + "\n")
    info = laboratory.up(small(place, payments=0, load=file))
    stripe = Control("stripe", info.stripe_control_url)
    assert stripe.get("/objects/pi_of_mine") == made
    assert stripe.get("/state")["objects"]["payment_intent"] == 1


def test_a_line_that_is_no_object_is_told(place: Path, tmp_path: Path) -> None:
    file = tmp_path / "objects.ndjson"
    file.write_text("{not JSON\n")
    with pytest.raises(LabError, match="line 1"):
        laboratory.up(small(place, payments=0, load=file))
    assert not place.exists()


def test_keys_come_from_seed_and_mode() -> None:
    keys = Keys.of(LabOptions(dir=Path("/x")))
    assert keys == Keys.of(LabOptions(dir=Path("/y")))
    assert keys.secret_key.startswith("sk_" + "test_lab")
    live = Keys.of(LabOptions(environment="production"))
    assert live.publishable_key.startswith("pk_" + "live_lab")
    assert Keys.of(LabOptions(seed=2)).secret_key != keys.secret_key


@pytest.mark.parametrize(
    "options",
    [{"payments": -1}, {"since": timedelta(minutes=1)}, {"preset": "x"}, {"load": Path("/no")}],
)
def test_options_that_make_no_sense(options: dict[str, object]) -> None:
    with pytest.raises(LabError):
        LabOptions(**options)  # type: ignore[arg-type]
