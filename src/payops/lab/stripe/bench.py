"""How fast the simulator serves lists: `python -m payops.lab.stripe.bench --objects 100000`.

Loads PaymentIntents, then follows `starting_after` over keep-alive connections from another
process, which reads but does not decode more than the last id: a client cheaper than any SDK.
"""

import argparse
import contextlib
import http.client
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from payops.lab.stripe import Store, default_key, load_ndjson, objects
from payops.lab.stripe.store import encode

FIRST = 1_700_000_000
PER_SECOND = 5


def main() -> int:
    """Print the measured figures; always 0."""
    parser = argparse.ArgumentParser(prog="python -m payops.lab.stripe.bench", description=__doc__)
    parser.add_argument("--objects", type=int, default=100_000)
    parser.add_argument("--seconds", type=float, default=5.0, help="how long to read pages")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        path = directory / "intents.ndjson"
        started = time.perf_counter()
        _generate(path, asked.objects)
        _say("generated", asked.objects, time.perf_counter() - started)
        started = time.perf_counter()
        store = Store(directory / "stripe.sqlite")
        loaded = load_ndjson(store, path)
        store.close()
        _say("loaded", loaded, time.perf_counter() - started)
        size = (directory / "stripe.sqlite").stat().st_size
        path.unlink()
        with _served(directory) as (url, pid):
            _read(url, asked.seconds)
            sys.stdout.write(
                f"server: peak memory {_peak_mb(pid)} MB, store {size / 1e6:,.0f} MB\n"
            )
    return 0


def _say(what: str, count: int, seconds: float) -> None:
    rate = count / seconds
    sys.stdout.write(f"{what} {count:,} objects in {seconds:.1f} s: {rate:,.0f}/s\n")


def _generate(path: Path, count: int) -> None:
    rng = random.Random(1)
    with path.open("wb") as file:
        for number in range(count):
            made = objects.payment_intent(
                id=objects.new_id("pi", rng),
                amount=rng.randrange(100, 100_000),
                currency="usd",
                status="succeeded",
                created=FIRST + number // PER_SECOND,
                livemode=False,
                customer=f"cus_{number % 1000}",
                latest_charge=objects.new_id("ch", rng),
                metadata={"order_id": str(number)},
            )
            file.write(encode(made) + b"\n")


@contextlib.contextmanager
def _served(directory: Path) -> Iterator[tuple[str, int]]:
    config = directory / "config.json"
    config.write_text('{"rate_limits": false}', "utf-8")
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
            yield str(json.loads(ready.read_text("utf-8"))["url"]), running.pid
        finally:
            running.terminate()


def _read(url: str, seconds: float) -> None:
    connection = http.client.HTTPConnection(urlsplit(url).netloc)
    headers = {"Authorization": f"Bearer {default_key()}"}
    pages = size = 0
    cursor = ""
    started = time.perf_counter()
    while (elapsed := time.perf_counter() - started) < seconds:
        connection.request("GET", f"/v1/payment_intents?limit=100{cursor}", headers=headers)
        body = connection.getresponse().read()
        pages += 1
        size += len(body)
        # Each object's JSON begins with its id: the last one is the cursor.
        at = body.rfind(b'{"id":"pi_') + len(b'{"id":"')
        last = body[at : body.index(b'"', at)].decode()
        cursor = f"&starting_after={last}"
        if b'"has_more":false' in body[:100]:
            cursor = ""
    connection.close()
    rate = pages / elapsed
    sys.stdout.write(
        f"served {pages:,} pages of 100 in {elapsed:.1f} s: {rate:,.0f} pages/s, "
        f"{rate * 100:,.0f} objects/s, {size / elapsed / 1e6:,.0f} MB/s, one connection\n"
    )


def _peak_mb(pid: int) -> str:
    status = Path(f"/proc/{pid}/status")
    if not status.exists():
        return "?"
    peak = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    return f"{int(peak.split()[1]) / 1024:,.0f}"


if __name__ == "__main__":
    sys.exit(main())
