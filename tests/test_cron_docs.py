"""docs/cron.md: what stands there was tried, as far as a machine without the servers can."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from formats.reports import INCIDENT, NOW
from payops.formats import render
from tools import assert_typeable

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "cron.md").read_text(encoding="utf-8")
PROGRAM = "/usr/local/bin/payops"


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, flags=re.DOTALL)


def rules() -> list[dict[str, Any]]:
    (text,) = [one for one in blocks("yaml") if one.startswith("groups:")]
    document = yaml.safe_load(text)
    assert list(document) == ["groups"]
    (group,) = document["groups"]
    assert set(group) == {"name", "rules"}
    return list(group["rules"])


# ── command lines ────────────────────────────────────────────────────────────────────────────────


def test_every_line_of_the_crontab_can_be_typed() -> None:
    lines = [line for block in blocks("cron") for line in block.splitlines()]
    jobs = [line for line in lines if re.match(r"[*0-9/]+ ", line)]
    assert len(jobs) >= 5
    for job in jobs:
        *_, command = job.split(maxsplit=5)
        assert "%" not in command, "a line break in a crontab"
        (typed,) = re.findall(r"payops [^)|>]+", command)
        assert_typeable(typed.strip())
    for line in lines:
        assert line in jobs or line.startswith("#") or re.match(r"[A-Z_]+=\S", line), line


def test_the_crontab_says_nothing_while_all_is_well(tmp_path: Path) -> None:
    (job,) = [
        line.split(maxsplit=5)[-1]
        for line in "\n".join(blocks("cron")).splitlines()
        if "health.state" in line
    ]
    written = "PAYOPS HEALTH CRITICAL - x | 'a'=1\nCRITICAL b: it's y |\n'c'=2;3\n'd'=4"
    read = "PAYOPS HEALTH CRITICAL - x\nCRITICAL b: it's y\n"  # by people: without numbers
    for code, said in ((0, ""), (2, read)):
        stub = tmp_path / "payops"
        stub.write_text(f'#!/bin/sh\necho "{written}"\nexit {code}\n')
        stub.chmod(0o755)
        done = subprocess.run(
            ["/bin/sh", "-c", job],
            env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.stdout == said


def test_nagios_and_nrpe_run_what_can_be_typed() -> None:
    (block,) = blocks("nagios")
    (line,) = re.findall(r"command_line\s+(.+)", block)
    assert_typeable(line.replace(PROGRAM, "payops").replace("$ARG1$", "payments.*"))
    assert "check_payops!payments.*" in block
    (nrpe,) = re.findall(r"`command\[check_payops\]=([^`]+)`", PAGE)
    assert_typeable(nrpe.replace(PROGRAM, "payops"))


def test_icinga_builds_what_can_be_typed() -> None:
    """Arguments as Icinga 2 puts them together: by order, then by name."""
    (block,) = blocks("icinga2")
    for opening, closing in ("{}", "[]"):
        assert block.count(opening) == block.count(closing)
    values = dict(re.findall(r'vars\.(payops_\w+) = "([^"]+)"', block))
    (only,) = re.findall(r"vars\.payops_only = \[ (.+) \]", block)
    words: list[tuple[int, str, list[str]]] = []
    for name, rest in re.findall(r'(?m)^    "([a-z-]+)" = (.+)$', block):
        order = int((re.findall(r"order = (-?\d+)", rest) or ["0"])[0])
        found = re.findall(r"\$(payops_\w+)\$", rest)
        if "repeat_key" in rest:
            typed = [w for value in re.findall(r'"([^"]+)"', only) for w in (name, f"'{value}'")]
        elif "skip_key" in rest:
            typed = [values[found[0]]]
        else:
            typed = [name, *(values[one] for one in found)]
        words.append((order, name, typed))
    line = " ".join(word for _, _, typed in sorted(words) for word in typed)
    assert line.startswith("health --check ")
    assert_typeable(f"payops {line}")


# ── systemd ──────────────────────────────────────────────────────────────────────────────────────


def units() -> dict[str, str]:
    names = re.findall(r"`/etc/systemd/system/([a-z.-]+)`:", PAGE)
    assert len(names) == len(blocks("ini")) == 2
    return dict(zip(names, blocks("ini"), strict=True))


def test_the_unit_runs_what_can_be_typed() -> None:
    service = units()["payops-health.service"]
    (line,) = re.findall(r"(?m)^ExecStart=(.+)$", service)
    line = line.replace("${STATE_DIRECTORY}", "/var/lib/payops")
    assert_typeable(line.replace(PROGRAM, "payops"))
    assert "SuccessExitStatus=1 2" in service
    (folder,) = re.findall(r"(?m)^ReadWritePaths=(.+)$", service)
    assert f"--write {folder}/" in line


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd-analyze here")
def test_systemd_itself_finds_nothing_wrong_with_the_units(tmp_path: Path) -> None:
    for name, text in units().items():
        (tmp_path / name).write_text(text.replace(PROGRAM, "/bin/true"))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *map(str, sorted(tmp_path.iterdir()))],
        capture_output=True,
        text=True,
        check=False,
    )
    ours = [line for line in done.stderr.splitlines() if "payops" in line]
    assert ours == []
    assert done.returncode == 0, done.stderr


# ── Kubernetes ───────────────────────────────────────────────────────────────────────────────────


def test_the_cronjob_is_one_and_runs_what_can_be_typed() -> None:
    (text,) = [one for one in blocks("yaml") if "CronJob" in one]
    document = yaml.safe_load(text)
    assert (document["apiVersion"], document["kind"]) == ("batch/v1", "CronJob")
    assert set(document) == {"apiVersion", "kind", "metadata", "spec"}
    assert re.fullmatch(r"(\S+ ){4}\S+", document["spec"]["schedule"])
    job = document["spec"]["jobTemplate"]["spec"]
    pod = job["template"]["spec"]
    assert pod["restartPolicy"] in ("Never", "OnFailure"), "a job knows no other"
    assert document["spec"]["concurrencyPolicy"] == "Forbid"
    (container,) = pod["containers"]
    assert_typeable(" ".join(container["command"]))
    mounted = {one["name"] for one in container["volumeMounts"]}
    assert mounted == {one["name"] for one in pod["volumes"]}
    state = container["command"][container["command"].index("--state") + 1]
    assert any(state.startswith(one["mountPath"] + "/") for one in container["volumeMounts"])


# ── Prometheus ───────────────────────────────────────────────────────────────────────────────────


def selectors(expression: Any) -> list[Any]:
    """Every vector selector within an expression."""
    if isinstance(expression, promql_parser.VectorSelector):
        return [expression]
    inside = [
        getattr(expression, name, None)
        for name in ("lhs", "rhs", "expr", "vector_selector", "selector", "args")
    ]
    parts = [one for part in inside for one in (part if isinstance(part, list) else [part])]
    return [found for part in parts if part is not None for found in selectors(part)]


def real_series() -> dict[str, list[dict[str, str]]]:
    """Metrics and the labels of their samples, as payops writes them."""
    text = render(INCIDENT, "prometheus", colour=False, width=80, now=NOW, ascii_only=False)
    found: dict[str, list[dict[str, str]]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, []).append(sample.labels)
    return found


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["alert"])
def test_a_rule_is_one_and_asks_for_what_is_there(rule: dict[str, Any]) -> None:
    assert {"alert", "expr", "labels", "annotations"} <= set(rule)
    assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}
    assert re.fullmatch(r"[A-Za-z]+", rule["alert"])
    assert re.fullmatch(r"\d+[smh]", rule.get("for", "1m"))
    assert set(rule["labels"]) == {"severity"}
    found = selectors(promql_parser.parse(rule["expr"]))
    assert len(found) == len(re.findall(r"payops_[a-z_]+", rule["expr"]))
    known = real_series()
    for selector in found:
        assert selector.name in known, selector.name
        labels = known[selector.name]
        for matcher in selector.matchers.matchers:
            values = {one.get(matcher.name) for one in labels}
            assert None not in values, f"{selector.name} has no label {matcher.name}"
            assert matcher.value in values or matcher.name in ("check", "measure"), matcher.value
    names = {name for selector in found for one in known[selector.name] for name in one}
    grouped = re.findall(r"(?:by|on) \(([^)]*)\)", rule["expr"])
    for name in ", ".join(grouped).split(", "):
        assert name in names | {""}
    for text in rule["annotations"].values():
        used = set(re.findall(r"\$labels\.(\w+)", text))
        assert used <= names


def test_every_rule_asks_how_old_the_numbers_are() -> None:
    for rule in rules():
        # Numbers that stand still do not flap.
        asks = "payops_run_timestamp_seconds" in rule["expr"]
        assert asks or rule["alert"] == "PaymentsCheckFlapping"


def test_the_table_of_metrics_names_all_of_them() -> None:
    table = set(re.findall(r"`(payops_[a-z_]+)`", PAGE))
    text = render(INCIDENT, "prometheus", colour=False, width=80, now=NOW, ascii_only=False)
    assert set(re.findall(r"(?m)^# TYPE (\S+) gauge$", text)) <= table
    assert {name for name in table if not name.startswith("payops_health")} <= set(real_series())
