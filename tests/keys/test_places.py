"""The places where keys stand: .env files, Kubernetes Secrets, compose files, the environment."""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payops.domain.deadline import Deadline
from payops.domain.stripe_key import Fault, Role
from payops.keys.dotenv import variables
from payops.keys.found import Of, Reading, names_of
from payops.keys.manifests import NotReadableError, read_manifest
from payops.keys.places import configured, in_environment, read_files
from tools import settings

BODY = "4eC39HqLyjWDarjtT1zdp7dc"
SECRET, PUBLIC, HOOK = f"sk_test_{BODY}", f"pk_test_{BODY}", f"whsec_{BODY}"
NAMES = names_of({})


def read(path: Path, text: str, prefix: str = "") -> list[Reading]:
    path.write_text(text, encoding="utf-8")
    return read_files([f"{prefix}{path}"], "lab", NAMES, Deadline.after(5))


def found(readings: list[Reading]) -> dict[str, str]:
    return {one.name: one.secret.reveal() for each in readings for one in each.found}


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    ("line", "value"),
    [
        (f"STRIPE_SECRET_KEY={SECRET}", SECRET),
        (f"export STRIPE_SECRET_KEY={SECRET}   # of ann", SECRET),
        (f'STRIPE_SECRET_KEY="{SECRET}"', SECRET),
        (f"  STRIPE_SECRET_KEY = '{SECRET}' # note", SECRET),
        (f"STRIPE_SECRET_KEY: {SECRET}", SECRET),
        (f"STRIPE_SECRET_KEY=\"'{SECRET}'\"", f"'{SECRET}'"),
        (f'STRIPE_SECRET_KEY="{SECRET}\\n"', f"{SECRET}\n"),
        (f'STRIPE_SECRET_KEY="{SECRET}', f'"{SECRET}'),
        (f"STRIPE_SECRET_KEY={SECRET}#not a comment", f"{SECRET}#not a comment"),
        ("STRIPE_SECRET_KEY=", ""),
    ],
)
def test_a_line_of_a_dotenv_file(tmp_path: Path, line: str, value: str) -> None:
    text = f"\ufeff# comment\nOTHER=1\n{line}\nPEM='-----BEGIN\nKEY-----'\nLAST={HOOK}\n"
    assert found(read(tmp_path / ".env", text)) == {"STRIPE_SECRET_KEY": value, "LAST": HOOK}


def test_names_and_shapes(tmp_path: Path) -> None:
    text = (
        f"STRIPE_API_KEY={SECRET}\nNEXT_PUBLIC_STRIPE_PUBLISHABLE_KEY={PUBLIC}\n"
        f"STRIPE_WEBHOOK_ENDPOINT_SECRET=hello\nODD_NAME={HOOK}\nNOTE={SECRET} is the key\n"
        "STRIPE_SECRET_KEY=${FROM_VAULT}\nDATABASE_URL=postgres://a:b@c/d\n"
    )
    (reading,) = read(tmp_path / "x.env", text)
    assert [(one.name, one.role) for one in reading.found] == [
        ("STRIPE_API_KEY", Role.SECRET),
        ("NEXT_PUBLIC_STRIPE_PUBLISHABLE_KEY", Role.PUBLISHABLE),
        ("STRIPE_WEBHOOK_ENDPOINT_SECRET", Role.WEBHOOK),
        ("ODD_NAME", Role.WEBHOOK),
    ]
    assert reading.notes == (
        "STRIPE_SECRET_KEY is filled in from elsewhere, which is not looked at",
    )


def test_a_name_of_the_configuration(tmp_path: Path) -> None:
    names = names_of({"stripe.secret_key": ["PAY_KEY"]})
    (tmp_path / "a").write_text("PAY_KEY=oops\n")
    (reading,) = read_files([str(tmp_path / "a")], "lab", names, Deadline.after(5))
    assert [one.role for one in reading.found] == [Role.SECRET]


def test_a_suffix_speaks_for_its_own_environment(tmp_path: Path) -> None:
    text = f"STRIPE_SECRET_KEY={SECRET}1\nSTRIPE_SECRET_KEY_STAGING={SECRET}2\n"
    text += f"STRIPE_WEBHOOK_SECRET_LIVE={HOOK}\n"
    (reading,) = read(tmp_path / "x.env", text, "production=")
    assert [one.place.environment for one in reading.found] == [
        "production",
        "staging",
        "production",
    ]


SECRET_MANIFEST = f"""
apiVersion: v1
kind: Secret
metadata: {{name: stripe}}
data:
  STRIPE_SECRET_KEY: {encoded(SECRET + chr(10))}
  STRIPE_WEBHOOK_SECRET: "not base64!"
  other: {encoded("x")}
stringData:
  STRIPE_PUBLISHABLE_KEY: {PUBLIC}
"""


def test_a_kubernetes_secret(tmp_path: Path) -> None:
    (reading,) = read(tmp_path / "secret.yaml", SECRET_MANIFEST, "staging=")
    assert reading.place.of is Of.KUBERNETES
    assert reading.place.environment == "staging"
    assert found([reading]) == {
        "STRIPE_SECRET_KEY": f"{SECRET}\n",
        "STRIPE_PUBLISHABLE_KEY": PUBLIC,
    }
    assert reading.found[0].form.faults == (Fault.BLANKS,)
    assert "STRIPE_WEBHOOK_SECRET in data is not base64" in reading.notes[0]


def test_two_files_of_one_name_are_told_apart(tmp_path: Path) -> None:
    files = [tmp_path / folder / "secret.yaml" for folder in ("prod", "staging")]
    for file in files:
        file.parent.mkdir()
        file.write_text(SECRET_MANIFEST)
    given = [f"{file.parent.name}={file}" for file in files]
    readings = read_files(given, "lab", NAMES, Deadline.after(5))
    assert [each.place.title for each in readings] == [str(file) for file in files]
    (alone,) = read_files(given[:1], "lab", NAMES, Deadline.after(5))
    assert alone.place.title == "secret.yaml"


def test_several_documents_and_lists(tmp_path: Path) -> None:
    listed = {
        "apiVersion": "v1",
        "kind": "List",
        "items": [
            {"kind": "Secret", "data": {"STRIPE_SECRET_KEY": encoded(SECRET)}},
            {"kind": "Secret", "stringData": {"a": HOOK}, "data": {"a": encoded("beaten")}},
            {"kind": "ConfigMap", "data": {"pk": PUBLIC, "log": "debug"}},
        ],
    }
    (reading,) = read(tmp_path / "all.json", json.dumps(listed))
    assert found([reading]) == {"STRIPE_SECRET_KEY": SECRET, "a": HOOK, "pk": PUBLIC}
    two = f"---\nkind: Secret\nstringData: {{k: {HOOK}}}\n---\nkind: Deployment\nspec:\n"
    two += f"  env:\n  - name: STRIPE_API_KEY\n    value: {SECRET}\n---\n"
    assert found(read(tmp_path / "two.yml", two)) == {"k": HOOK, "STRIPE_API_KEY": SECRET}


COMPOSE = f"""
x-env: &common
  STRIPE_SECRET_KEY: {SECRET}
  STRIPE_WEBHOOK_SECRET: beaten
services:
  web:
    environment:
      <<: *common
      STRIPE_WEBHOOK_SECRET: {HOOK}
    env_file: [a.env, {{path: missing.env, required: false}}]
  worker:
    environment:
      - STRIPE_API_KEY={SECRET}9
      - PLAIN
secrets:
  stripe_key: {{file: ./stripe.txt}}
"""


def test_a_compose_file_and_the_files_it_names(tmp_path: Path) -> None:
    (tmp_path / "a.env").write_text(f"STRIPE_PUBLISHABLE_KEY={PUBLIC}\nSTRIPE_SECRET_KEY=beaten\n")
    compose, beside, missing = read(tmp_path / "compose.yaml", COMPOSE)
    assert compose.place.of is Of.COMPOSE
    assert found([compose]) == {
        "STRIPE_SECRET_KEY": SECRET,
        "STRIPE_WEBHOOK_SECRET": HOOK,
        "STRIPE_API_KEY": f"{SECRET}9",
    }
    assert compose.notes == ("secret stripe_key is kept elsewhere (./stripe.txt): not read here",)
    assert found([beside]) == {"STRIPE_PUBLISHABLE_KEY": PUBLIC}
    assert "missing.env cannot be read" in missing.unread


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("a.yaml", f"kind: Secret\nstringData: {{k: {SECRET}\n", "is not YAML, line"),
        ("a.yaml", f"{SECRET}: *nobody\n", "is not YAML"),
        ("a.yaml", "[" * 5000, "is nested too deeply"),
        ("a.yaml", f"k: !!python/object/apply:os.system ['{SECRET}']\n", ""),
        ("a.env", b"\xff\xfe" + SECRET.encode(), "is not UTF-8"),
        ("a.env", b"x" * (4 * 1024 * 1024 + 1), "larger than 4 MB"),
    ],
)
def test_what_cannot_be_read_says_so_and_shows_nothing(
    tmp_path: Path, name: str, content: str | bytes, why: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    (reading,) = read_files([str(path)], "lab", NAMES, Deadline.after(5))
    assert why in reading.unread
    assert SECRET not in reading.unread + str(reading.notes) + repr(reading)


def test_files_that_are_none(tmp_path: Path) -> None:
    given = [str(tmp_path / "nothing"), str(tmp_path), "a\0b"]
    readings = read_files(given, "lab", NAMES, Deadline.after(5))
    assert ["cannot be read" in each.unread for each in readings] == [True] * 3


def test_a_pipe_that_nothing_comes_from_ends(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (reading,) = read_files([str(tmp_path / "pipe")], "lab", NAMES, Deadline.after(0.2))
    assert "a pipe that nothing comes from" in reading.unread


def test_a_pipe_of_another_program(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=lambda: pipe.write_text(f"STRIPE_SECRET_KEY={SECRET}\n"))
    writer.start()
    assert found(read_files([str(pipe)], "lab", NAMES, Deadline.after(5))) == {
        "STRIPE_SECRET_KEY": SECRET
    }
    writer.join()


def test_an_alias_within_itself_and_a_billion_laughs(tmp_path: Path) -> None:
    lines = ["a0: &a0 {k: v}"]
    lines += [f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 9)}]}}" for n in range(1, 40)]
    lines += [f"services: {{web: {{environment: {{<<: *a39, STRIPE_SECRET_KEY: {SECRET}}}}}}}"]
    (laughs,) = read(tmp_path / "laughs.yaml", "\n".join(lines))
    assert "is too large" in laughs.unread
    few = "\n".join([*lines[:4], lines[-1].replace("a39", "a3")])
    assert found(read(tmp_path / "few.yaml", few)) == {"STRIPE_SECRET_KEY": SECRET}
    assert found(read(tmp_path / "self.yaml", f"a: &a [*a, {{k: {HOOK}}}]\n")) == {"k": HOOK}


def bomb(kind: str) -> str:
    """A manifest of a few kilobytes, or some hundred, that takes its reader for ever."""
    if kind == "nested lists":
        lines = ["kind: List", "items:", "- &a0 {kind: List, items: []}"]
        for level in range(1, 9):
            aliases = ", ".join([f"*a{level - 1}"] * 10)
            lines.append(f"- &a{level} {{kind: List, items: [{aliases}]}}")
        return "\n".join(lines)
    if kind == "merges":
        return "a: &a {x: y}\nservices:\n s: {environment: {<<: [" + "*a, " * 400_000 + "]}}"
    if kind == "env_files":
        names = ", ".join(f"f{number}" for number in range(50_000))
        return f"services:\n s: {{env_file: [{names}]}}"
    if kind == "services":
        values = ", ".join(f"a{number}" for number in range(50_000))
        services = "".join(f" s{number}: *e\n" for number in range(1_000))
        return f"x: &e {{environment: [{values}]}}\nservices:\n{services}"
    return "services: " + "[" * 100_000  # libyaml's composer overflows the stack of C


@pytest.mark.parametrize("kind", ["nested lists", "merges", "env_files", "services", "brackets"])
def test_a_bomb_is_refused_at_once(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "compose.yml"
    path.write_text(bomb(kind))
    # In a process of its own: without the limits it does not end, or dies by a signal.
    code = (
        "import sys; from payops.keys.manifests import NotReadableError, read_manifest\n"
        "try: read_manifest(open(sys.argv[1]).read())\n"
        "except NotReadableError as error: print(error)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)],
        capture_output=True,
        text=True,
        timeout=20,
        check=True,
    )
    assert re.match(r"is (nested too deeply|too large)|names more than", done.stdout)


def test_a_line_of_blanks_in_a_dotenv_file_is_read_at_once() -> None:
    text = f"A=x{' ' * 300_000}y\nB=1  # note"
    began = time.process_time()
    assert [name for name, _ in variables(text)] == ["A", "B"]
    assert time.process_time() - began < 5


def test_the_environment_and_the_configuration() -> None:
    reading = in_environment(
        {"STRIPE_SECRET_KEY": SECRET, "STRIPE_WEBHOOK_SECRET": "", "PATH": "/bin"}, "lab", NAMES
    )
    assert found([reading]) == {"STRIPE_SECRET_KEY": SECRET}
    hooks = {"endpoints": [{"url": "https://h.test", "secret": HOOK}]}
    stripe = {"secret_key": SECRET, "publishable_key": PUBLIC, "webhook_secrets": [HOOK, "x"]}
    own = configured(settings(stripe=stripe, webhooks=hooks, environment="lab"))
    assert [one.name for one in own.found] == [
        "stripe.secret_key",
        "stripe.publishable_key",
        "stripe.webhook_secrets",
        "stripe.webhook_secrets[1]",
        "webhooks.endpoints[0].secret",
    ]
    assert configured(settings()).found == ()


@given(st.text(max_size=300))
def test_any_text_is_read_as_dotenv(text: str) -> None:
    for name, value in variables(text):
        assert name
        assert isinstance(value, str)


@given(st.text(max_size=200))
def test_any_text_is_read_as_yaml_or_refused(text: str) -> None:
    try:
        values = read_manifest(text).values
    except NotReadableError:
        return
    assert all(isinstance(part, str) for value in values for part in value)
