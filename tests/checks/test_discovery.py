"""Which checks there are, which are chosen, and under which limits."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from payops.checks import (
    FAMILIES,
    check_ids,
    limits_in_force,
    load_check,
    named,
    select,
    without_deep,
)
from payops.checks.contract import Check
from payops.domain.result import CheckResult
from payops.domain.status import Status
from payops.domain.threshold import Threshold
from payops.errors import ConfigError, UsageError
from tools import settings

_numbers = itertools.count()
Make = Callable[..., str]


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    """Makes a package of checks of empty files: `package("stripe/api.py", "app/health.py")`."""
    made: list[str] = []

    def make(*files: str) -> str:
        name = f"checks_{next(_numbers)}"
        made.append(name)
        for file in files:
            path = tmp_path / name / file
            path.parent.mkdir(parents=True, exist_ok=True)
            for folder in (path.parent, tmp_path / name):
                (folder / "__init__.py").touch()
            path.touch()
        monkeypatch.syspath_prepend(tmp_path)
        return name

    yield make
    for loaded in [m for m in sys.modules if m.partition(".")[0] in made]:
        del sys.modules[loaded]


def test_an_id_is_a_place(package: Make) -> None:
    name = package("payments/stuck_pending.py", "payments/__init__.py", "stripe/api.py")
    assert check_ids(name) == ("stripe.api", "payments.stuck-pending")


def test_what_a_family_depends_on_stands_before_it(package: Make) -> None:
    name = package("stripe/api.py", "stripe/account.py", "redis/connect.py", "redis/clients.py")
    assert check_ids(name) == ("stripe.api", "stripe.account", "redis.connect", "redis.clients")


def test_what_is_no_check(package: Make) -> None:
    name = package("app/_shared.py", "app/health.py", "contract.py", "app/notes.txt")
    assert check_ids(name) == ("app.health",)


def test_the_order_is_that_of_a_report(package: Make) -> None:
    name = package(*(f"{family}/b.py" for family in reversed(FAMILIES)), "zebra/a.py", "app/a.py")
    found = check_ids(name)
    assert found[-1] == "zebra.a"
    families = list(dict.fromkeys(id_.partition(".")[0] for id_ in found))
    assert families == [*FAMILIES, "zebra"]
    assert found.index("app.a") < found.index("app.b")


def test_two_files_with_one_id_are_refused(package: Make) -> None:
    name = package("app/slow_page.py", "app/slow-page.py")
    with pytest.raises(RuntimeError, match=r"app\.slow-page.*claimed by .*slow.page.*slow.page"):
        check_ids(name)


def test_two_folders_of_one_package_with_one_id_are_refused(
    package: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = package("app/page.py")
    other = tmp_path / "elsewhere" / "app"
    other.mkdir(parents=True)
    (other / "__init__.py").touch()
    (other / "page.py").touch()
    module = __import__(name)
    monkeypatch.setattr(module, "__path__", [*module.__path__, str(other.parent)])
    with pytest.raises(RuntimeError, match=r"app\.page"):
        check_ids(name)


@pytest.mark.parametrize("id_", check_ids())
def test_every_file_holds_a_check(id_: str) -> None:
    assert isinstance(load_check(id_), Check)


def test_ids_are_told_without_importing_a_check() -> None:
    import subprocess

    code = (
        "import sys; from payops.checks import check_ids; assert check_ids();"
        "assert not [m for m in sys.modules if m.startswith('payops.checks.') "
        "and m.count('.') > 2], sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=30)


# ── select ───────────────────────────────────────────────────────────────────────────────────────

# Stands still, whatever checks there are.
KNOWN = (
    *("stripe.api", "stripe.status-page", "postgres.connect", "redis.connect", "app.health"),
    *("circuit.state", "payments.failure-rate", "payments.stuck-pending", "payments.success-rate"),
    *("webhooks.backlog", "keys.configured"),
)


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    """`select` chooses among KNOWN."""
    monkeypatch.setattr("payops.checks.check_ids", lambda: KNOWN)


@pytest.mark.usefixtures("known")
@pytest.mark.parametrize(
    ("only", "skip", "expected"),
    [
        (["stripe"], [], {"stripe.api", "stripe.status-page"}),
        (["stripe.api"], [], {"stripe.api"}),
        (["*.connect"], [], {"postgres.connect", "redis.connect"}),
        (["payments.*"], ["*rate"], {"payments.stuck-pending"}),
        (["stripe.api,redis"], [], {"stripe.api", "redis.connect"}),
        (["stripe.api, redis"], [], {"stripe.api", "redis.connect"}),
        (["stripe", "stripe.api"], ["stripe.status-page"], {"stripe.api"}),
        (["redis"], ["redis"], set()),
        (["?edis.connect"], [], {"redis.connect"}),
        (["[rp]*.connect"], [], {"postgres.connect", "redis.connect"}),
    ],
)
def test_select(only: list[str], skip: list[str], expected: set[str]) -> None:
    found = select(only, skip)
    assert set(found) == expected
    assert len(found) == len(set(found))
    assert found == tuple(id_ for id_ in KNOWN if id_ in found), "the order of a report"


def test_select_all_that_there_are() -> None:
    assert select([], []) == check_ids()
    assert select((), ["stripe"]) == tuple(i for i in check_ids() if not i.startswith("stripe."))


@pytest.mark.usefixtures("known")
def test_select_all() -> None:
    assert select(iter(["redis"]), iter([])) == ("redis.connect",)


@pytest.mark.parametrize(
    ("glob", "hint"),
    [
        ("payments.stuk-pending", "did you mean 'payments.stuck-pending'?"),
        ("stripe.apis", "did you mean 'stripe.api'?"),
        ("payments.stuck_pending", "did you mean 'payments.stuck-pending'?"),
        ("Stripe", "did you mean 'stripe'?"),
        ("payment", "did you mean 'payments'?"),
        ("paymnts.*", "did you mean 'payments'?"),
        ("zzz", "payops health --list"),
        ("", "payops health --list"),
        ("stripe,", "payops health --list"),
        ("payments", None),
    ],
)
@pytest.mark.parametrize("option", ["only", "skip"])
def test_a_misspelling_is_never_a_good_answer(glob: str, hint: str | None, option: str) -> None:
    arguments = ([glob], []) if option == "only" else ([], [glob])
    if hint is None:
        assert select(*arguments)
        return
    with pytest.raises(UsageError, match="no check matches") as raised:
        select(*arguments)
    assert hint in raised.value.hint


# ── limits ───────────────────────────────────────────────────────────────────────────────────────


def nothing(*_: object) -> CheckResult:
    return CheckResult(Status.OK, "x")


CHECK: Check[Any] = Check(
    title="t",
    source="http",
    gather=nothing,
    judge=nothing,
    limits={
        "age": Threshold(60, 600, "s", "payops: x"),
        "rate": Threshold(95, 90, "%", "payops: x", "lower"),
        "latency": Threshold(100, None, "ms", "payops: x"),
        "count": Threshold(1, 10, "count", "payops: x"),
    },
)


def in_force(name: str, **override: object) -> Threshold:
    configured = settings(thresholds={"a.b": {name: override}})
    return limits_in_force("a.b", CHECK, configured.thresholds["a.b"])[name]


@pytest.mark.parametrize(
    ("name", "override", "warn", "crit"),
    [
        ("age", {"warn": "2m"}, 120, 600),
        ("age", {"warn": "1h30m", "crit": "2h"}, 5400, 7200),
        ("age", {"crit": 61}, 60, 61),
        ("age", {"crit": "90"}, 60, 90),
        ("age", {"warn": 60.5}, 60.5, 600),
        ("age", {"warn": None}, None, 600),
        ("age", {"warn": None, "crit": None}, None, None),
        ("age", {"warn": "10m"}, 600, 600),
        ("rate", {"warn": "99.5%"}, 99.5, 90),
        ("rate", {"warn": "99 %", "crit": "97"}, 99, 97),
        ("rate", {"crit": None}, 95, None),
        ("latency", {"warn": "2s"}, 2000, None),
        ("latency", {"warn": "250ms", "crit": "1.5s"}, 250, 1500),
        ("latency", {"warn": "250"}, 250, None),
        ("count", {"crit": "1e3"}, 1, 1000),
        ("count", {}, 1, 10),
    ],
)
def test_overrides(
    name: str, override: dict[str, object], warn: float | None, crit: float | None
) -> None:
    limit = in_force(name, **override)
    assert (limit.warn, limit.crit) == (warn, crit)
    assert limit.source == "configuration"
    assert limit.unit == CHECK.limits[name].unit


@pytest.mark.parametrize(
    ("name", "override", "path", "message"),
    [
        ("age", {"warn": "soon"}, "a.b.age.warn", "'soon' is not a number of s"),
        ("age", {"crit": "5%"}, "a.b.age.crit", "'5%' is not a number of s"),
        ("rate", {"warn": "5m"}, "a.b.rate.warn", "'5m' is not a number of %"),
        ("count", {"warn": "50%"}, "a.b.count.warn", "'50%' is not a number of count"),
        ("count", {"warn": float("nan")}, "a.b.count.warn", "'nan' is not a number of count"),
        ("count", {"crit": float("inf")}, "a.b.count.crit", "'inf' is not a number of count"),
        ("count", {"crit": "inf"}, "a.b.count.crit", "'inf' is not a number of count"),
        ("latency", {"warn": "²"}, "a.b.latency.warn", "is not a number of ms"),
        ("age", {"warn": 601}, "a.b.age", "warn 601 lies beyond crit 600"),
        ("rate", {"warn": 89}, "a.b.rate", "warn 89 lies beyond crit 90"),
        ("age", {"warn": "2h", "crit": "1h"}, "a.b.age", "warn 7200 lies beyond crit 3600"),
        ("agee", {"warn": 1}, "a.b.agee", "a.b has no limit 'agee'"),
    ],
)
def test_overrides_that_are_wrong(
    name: str, override: dict[str, object], path: str, message: str
) -> None:
    with pytest.raises(ConfigError) as raised:
        in_force(name, **override)
    assert message in raised.value.message
    assert raised.value.path == f"thresholds.{path}"


def test_an_unknown_limit_is_answered_with_the_known_ones() -> None:
    with pytest.raises(ConfigError) as raised:
        in_force("agee", warn=1)
    assert raised.value.hint == "its limits: age, rate, latency, count"


def test_an_unknown_check_is_refused_whichever_is_asked() -> None:
    configured = settings(thresholds={"payments.stuk-pending": {"age": {"warn": "5m"}}})
    with pytest.raises(ConfigError, match="no check 'payments") as raised:
        named(["stripe.api"], configured)
    assert "payments.stuck-pending" in raised.value.hint
    with pytest.raises(ConfigError) as raised:
        named([], settings(thresholds={"zzz": {}}))
    assert "payops health --list" in raised.value.hint


def test_named_puts_the_limits_in_force() -> None:
    configured = settings(thresholds={"payments.stuck-pending": {"age": {"warn": "5m"}}})
    (one, other) = named(["payments.stuck-pending", "redis.connect"], configured)
    assert one.limits["age"].warn == 300
    assert one.limits["count"] == one.check.limits["count"]
    assert other.limits == other.check.limits


# ── deep ─────────────────────────────────────────────────────────────────────────────────────────


def test_deep_checks_are_left_out_unless_they_are_named() -> None:
    deep = {id_ for id_ in check_ids() if load_check(id_).deep}
    assert {"postgres.size", "redis.keys"} <= deep
    assert without_deep(check_ids()) == tuple(i for i in check_ids() if i not in deep)
    assert without_deep(["redis.keys", "redis.memory"], ["redis"]) == ("redis.memory",)
    assert without_deep(["redis.keys"], ["postgres, redis.keys"]) == ("redis.keys",)
