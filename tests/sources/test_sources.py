from __future__ import annotations

import subprocess
import sys
import threading

import pytest

from payops.config.settings import Settings
from payops.config.sources import RedisSettings, StripeSettings
from payops.domain.deadline import Deadline
from payops.domain.secret import Secret
from payops.errors import NotConfiguredError
from payops.sources import Sources

HEAVY = ("stripe", "psycopg", "redis", "urllib3", "requests")


def test_importing_loads_no_library() -> None:
    code = (
        "import sys, payops.sources, payops.sources.stripe, payops.sources.redis,"
        " payops.sources.ledger, payops.sources.http;"
        f"print([m for m in {HEAVY} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]", done.stderr


@pytest.mark.parametrize("name", ["stripe", "postgres", "redis"])
def test_an_absent_section_is_not_configured(name: str) -> None:
    with pytest.raises(NotConfiguredError, match=f"{name} is not configured"):
        getattr(Sources(Settings(), Deadline.after(1)), name)


def test_each_is_made_once_for_all_threads() -> None:
    settings = Settings(redis=RedisSettings(url=Secret("redis://127.0.0.1:1/0")))
    sources, found = Sources(settings, Deadline.after(1)), []
    threads = [threading.Thread(target=lambda: found.append(sources.redis)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(map(id, found))) == 1
    sources.close()


def test_calls_are_counted_without_making_the_source() -> None:
    settings = Settings(stripe=StripeSettings(secret_key=Secret("sk_test_" + "x" * 20)))
    sources = Sources(settings, Deadline.after(1))
    assert sources.stripe_calls() == 0
    assert sources.stripe.calls == sources.stripe_calls() == 0
    sources.close()
