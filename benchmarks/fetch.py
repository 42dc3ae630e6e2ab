"""How fast Stripe's side is fetched: against Stripe's limits, and against the official SDK.

Goals: at least 95 % of the requests that Stripe permits for one list, with 300 ms latency; without
limits and latency, to a spool on disk, at least 8 times the objects a second of the SDK's
`auto_paging_iter`, which keeps nothing. Each client is a process of its own.
"""

from __future__ import annotations

import contextlib
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.fetch_server import FIRST
from payops.lab.stripe import Store, load_ndjson, objects
from payops.lab.stripe.limits import Limits
from payops.lab.stripe.store import encode

RUNS = 3
LATENCY_MS = 300
LIMITED_OBJECTS = 100_000  # 40 s at 2,500 a second
FAST_OBJECTS = 200_000
SDK_OBJECTS = 5_000
LEAST_SHARE = 0.95
LEAST_RATIO = 8.0


def run() -> Iterator[str]:
    """The lines of two Markdown tables."""
    permitted = Limits().endpoint
    yield f"Stripe's limits ({permitted}/s for one list), {LATENCY_MS} ms latency:\n"
    yield "| objects | requests | seconds | requests/s | of the permitted | refused (429) | goal |"
    yield "|---|---|---|---|---|---|---|"
    yield _limited(permitted)
    yield f"\nNo limits, no latency, prepared answers; medians of {RUNS} runs each in turn:\n"
    yield "| client | objects/s | CPU s per million | peak memory | against the SDK | goal |"
    yield "|---|---|---|---|---|---|"
    yield from _fast()


def _limited(permitted: int) -> str:
    with tempfile.TemporaryDirectory(prefix="payops-bench-") as folder:
        directory = Path(folder)
        _load(directory, LIMITED_OBJECTS)
        with _simulator(directory) as (url, control):
            done = _client("limited", url, LIMITED_OBJECTS)
            refused = _refused(control)
    assert done["objects"] == LIMITED_OBJECTS, done
    rate = done["calls"] / done["seconds"]
    share = rate / permitted
    verdict = "met" if share >= LEAST_SHARE else "MISSED"
    return (
        f"| {done['objects']:,} | {done['calls']:,} | {done['seconds']:.1f} | {rate:.1f} "
        f"| {share:.1%} | {refused} | at least {LEAST_SHARE:.0%}: {verdict} |"
    )


def _fast() -> Iterator[str]:
    ours: list[dict[str, Any]] = []
    sdk: list[dict[str, Any]] = []
    with server(FAST_OBJECTS) as many, server(SDK_OBJECTS) as few:
        for _ in range(RUNS):
            ours.append(_client("payops", many, FAST_OBJECTS))
            sdk.append(_client("sdk", few, SDK_OBJECTS))
    ratio = statistics.median(
        (a["objects"] / a["seconds"]) / (b["objects"] / b["seconds"])
        for a, b in zip(ours, sdk, strict=True)
    )
    verdict = "met" if ratio >= LEAST_RATIO else "MISSED"
    goal = f"at least {LEAST_RATIO:.0f}: {verdict}"
    yield f"{_row('payops, to a spool', ours)} {ratio:.1f} | {goal} |"
    yield f"{_row('SDK, `auto_paging_iter`', sdk)} 1 | |"


def _row(name: str, runs: list[dict[str, Any]]) -> str:
    rate = statistics.median(each["objects"] / each["seconds"] for each in runs)
    cpu = statistics.median(each["cpu"] / each["objects"] * 1e6 for each in runs)
    peak = max(each["peak_mb"] for each in runs)
    return f"| {name} | {rate:,.0f} | {cpu:,.1f} | {peak:.0f} MB |"


def _client(how: str, url: str, count: int) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.fetch_client", how, url, str(count)]
    done = subprocess.run(command, capture_output=True, check=False, text=True)
    if done.returncode:
        raise SystemExit(done.stderr)
    told: dict[str, Any] = json.loads(done.stdout)
    return told


@contextlib.contextmanager
def server(count: int) -> Iterator[str]:
    command = [sys.executable, "-m", "benchmarks.fetch_server", str(count)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as running:
        assert running.stdout is not None
        try:
            yield json.loads(running.stdout.readline())["url"]
        finally:
            running.terminate()


def _load(directory: Path, count: int) -> None:
    rng = random.Random(1)
    path = directory / "intents.ndjson"
    with path.open("wb") as file:
        for number in range(count):
            made = objects.payment_intent(
                id=objects.new_id("pi", rng),
                amount=rng.randrange(100, 100_000),
                currency="usd",
                status="succeeded",
                created=FIRST + number,
                livemode=False,
                metadata={"order_id": str(number)},
            )
            file.write(encode(made) + b"\n")
    store = Store(directory / "stripe.sqlite")
    load_ndjson(store, path)
    store.close()
    path.unlink()


@contextlib.contextmanager
def _simulator(directory: Path) -> Iterator[tuple[str, str]]:
    config = directory / "config.json"
    config.write_text(json.dumps({"latency_ms": LATENCY_MS}), "utf-8")
    command = [sys.executable, "-m", "payops.lab.stripe", "--dir", str(directory)]
    ready = directory / "stripe.json"
    with subprocess.Popen(
        [*command, "--config", str(config)], stderr=subprocess.DEVNULL
    ) as running:
        try:
            while not ready.exists():
                if running.poll() is not None:
                    raise SystemExit("the simulator did not start")
                time.sleep(0.05)
            told = json.loads(ready.read_text("utf-8"))
            yield told["url"], told["control_url"]
        finally:
            running.terminate()


def _refused(control: str) -> int:
    from urllib.request import urlopen

    with urlopen(f"{control}/requests", timeout=10) as answer:
        return sum(each["status"] == 429 for each in json.load(answer)["requests"])


def main() -> None:
    """Print the tables."""
    for line in run():
        print(line, flush=True)


if __name__ == "__main__":
    main()
