"""Which file is taken, and what is said of one that is no YAML."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from payops.config.files import find_config, line_of, parse_yaml, preset_names, preset_text
from payops.config.load import load, read
from payops.errors import ConfigError

Written = Callable[..., Path]
EMPTY = "environment: x\n"


def test_the_order_of_places(written: Written, tmp_path: Path) -> None:
    given = written(EMPTY, "given.yaml")
    named = written(EMPTY, "named.yaml")
    here = written(EMPTY, "here/payops.yaml").parent
    user = written(EMPTY, "xdg/payops/payops.yaml")
    home = written(EMPTY, "home/.config/payops/payops.yaml")
    environ = {
        "PAYOPS_CONFIG": str(named),
        "XDG_CONFIG_HOME": str(tmp_path / "xdg"),
        "HOME": str(tmp_path / "home"),
    }
    assert find_config(str(given), environ, here) == given
    assert find_config(None, environ, here) == named
    del environ["PAYOPS_CONFIG"]
    assert find_config(None, environ, here) == here / "payops.yaml"
    assert find_config(None, environ, tmp_path / "home") == user
    del environ["XDG_CONFIG_HOME"]
    assert find_config(None, environ, tmp_path / "home") == home
    assert find_config(None, {"HOME": str(tmp_path)}, tmp_path / "home") is None
    assert find_config(None, {"PAYOPS_CONFIG": ""}, here) == here / "payops.yaml"


def test_a_folder_that_may_not_be_entered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(path: Path) -> bool:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "is_file", forbidden)  # root may enter any
    assert find_config(None, {"HOME": str(tmp_path)}, tmp_path) is None
    with pytest.raises(ConfigError, match="/root/x: cannot be read: Permission denied"):
        find_config("/root/x", {}, tmp_path)


@pytest.mark.parametrize(
    ("explicit", "environ", "words"),
    [
        ("nowhere.yaml", {}, "nowhere.yaml: no such file"),
        ("", {}, "is not a file"),  # --config "$UNSET" is no wish for another file
        ("", {"PAYOPS_CONFIG": "/nowhere/x"}, "is not a file"),
        (".", {}, "is not a file"),
        ("~no_such_user_at_all/x.yaml", {}, "no such file"),
        ("a\0b", {}, "no such file"),
        (None, {"PAYOPS_CONFIG": "/nowhere/x"}, "/nowhere/x: no such file"),
    ],
)
def test_a_file_asked_for_by_name_must_exist(
    explicit: str | None, environ: dict[str, str], words: str, written: Written
) -> None:
    here = written(EMPTY).parent
    with pytest.raises(ConfigError) as raised:
        find_config(explicit, environ, here)
    assert words in str(raised.value)
    assert ("--config" if explicit is not None else "PAYOPS_CONFIG") in raised.value.hint


def test_a_file_that_nobody_named_must_be_the_users_own(
    written: Written, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written("redis: {}", mode=0o666)
    with pytest.raises(ConfigError, match="can be written by anybody"):
        find_config(None, {}, tmp_path)
    path.chmod(0o664)  # a team's checkout
    assert find_config(None, {}, tmp_path) == path
    me = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: me + 4242)
    if me == 0:
        os.chown(path, 4241, -1)
    with pytest.raises(ConfigError, match="belongs to another user") as caught:
        find_config(None, {}, tmp_path)
    assert f"--config {path}" in caught.value.hint
    assert find_config(str(path), {}, tmp_path) == path


def test_none_at_all(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no configuration found") as raised:
        load(environ={"HOME": str(tmp_path)}, cwd=tmp_path)
    assert "payops demo" in raised.value.hint


def test_the_environment_that_is_expected(written: Written) -> None:
    path = written("stripe:\n  secret_key: sk_test_x\nenvironment: staging\n")
    assert load(str(path), environment="staging").path == path
    with pytest.raises(ConfigError, match="'staging', not 'production'"):
        load(str(path), environment="production")


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("a: 1\nb: 2\na: 3\n", 3, "key 'a' is given twice"),
        ("redis:\n  url: x\n  url: y\n", 3, "key 'url' is given twice"),
        ("x:\n  - {a: 1}\n  - {a: 1, a: 2}\n", 3, "key 'a' is given twice"),
        ("1: a\n1: b\n", 2, "key '1' is given twice"),
        ("stripe: [\n", 2, "node content"),
        ("a: b: c\n", 1, "not allowed"),
        ("\tredis: x\n", 1, "cannot start any token"),
        ("- a\n", 1, "is not a mapping"),
        ("just text\n", 1, "is not a mapping"),
        ("--- {}\n--- {}\n", 2, "expected a single document"),
        ("a: &a [*a]\n", 1, "an alias stands inside what it names"),
        ("a: &a {b: {c: *a}}\n", 1, "an alias stands inside what it names"),
        ("a: *b\n", 1, "undefined alias"),
        ("? [a]\n: 1\n", 1, "unhashable"),
        ("a: !!python/object/apply:os.system [true]\n", 1, "could not determine a constructor"),
        ("a: 2026-13-45\n", None, "month must be in 1..12"),
        ("a: \x01\n", None, "is not YAML"),
        (b"a: \xff\n", None, "is not UTF-8"),
    ],
)
def test_what_is_no_yaml(
    text: str | bytes, line: int | None, message: str, written: Written
) -> None:
    path = written(text)
    with pytest.raises(ConfigError) as raised:
        read(path, {})
    assert message in raised.value.message
    assert raised.value.file == str(path)
    assert raised.value.line == line


@pytest.mark.parametrize("text", ["[", "{a: ", "- ", "? "])
def test_nested_too_deep(text: str) -> None:
    with pytest.raises(ConfigError, match="too deep"):
        parse_yaml("a:\n  " + text * 60_000, "x")  # libyaml's own recursion would crash


@pytest.mark.parametrize("link", ["[{}]", "{{<<: [{}]}}"])
def test_aliases_that_stand_for_millions(link: str) -> None:
    lines = ["a0: &a0 {x: 1}"]
    lines += [f"a{n}: &a{n} {link.format(', '.join([f'*a{n - 1}'] * 9))}" for n in range(1, 9)]
    with pytest.raises(ConfigError, match="too many values") as raised:
        parse_yaml("\n".join(lines), "x")
    assert raised.value.line is not None


def test_a_folder_or_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        read(tmp_path, {})


@pytest.mark.parametrize("text", ["", "\n", "# nothing\n", "---\n", "null\n", "{}\n"])
def test_an_empty_file_is_all_defaults(text: str, written: Written) -> None:
    assert read(written(text), {}).environment == "production"


def test_a_key_beside_a_merge_is_an_override() -> None:
    raw = parse_yaml("a: &a {x: 1, y: 1}\nb: {inner: &b {<<: *a, x: 2}}\nc: {<<: *b, y: 3}\n", "")
    assert raw["b"]["inner"] == {"x": 2, "y": 1}
    assert raw["c"] == {"x": 2, "y": 3}


@pytest.mark.parametrize(
    ("keys", "line"),
    [
        (("stripe",), 2),
        (("stripe", "secret_key"), 3),
        (("app", "endpoints", 1, "url"), 6),
        (("app", "endpoints", 9), 5),
        (("stripe", "missing"), 2),
        (("missing",), None),
        (("thresholds", "payments", "stuck-pending", "age"), 9),
        ((), None),
    ],
)
def test_the_line_of_a_key(keys: tuple[str | int, ...], line: int | None, written: Written) -> None:
    path = written(
        "# a comment\n"
        "stripe:\n"
        "  secret_key: x\n"
        "app:\n"
        "  endpoints: [{url: a},\n"
        "    {url: b}]\n"
        "thresholds:\n"
        "  payments.stuck-pending:\n"
        "    age: {warn: 1}\n"
    )
    assert line_of(path, keys) == line


def test_presets() -> None:
    assert "reference" in preset_names()
    assert preset_names() == tuple(sorted(preset_names()))
    for name in preset_names():
        assert parse_yaml(preset_text(name), name)
    with pytest.raises(KeyError):
        preset_text("../settings")
