"""Where a configuration comes from: which file, its YAML, the lines of its keys."""

from __future__ import annotations

import os
import shlex
import stat
from collections.abc import Mapping
from contextlib import suppress
from importlib import resources
from pathlib import Path
from typing import Any

import yaml

from payops.errors import ConfigError

_BaseLoader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


_DEEPEST = 100  # of levels; libyaml's own recursion ends in a crash, at some 20,000
_MOST_VALUES = 200_000  # with what aliases stand for; configurations have a few hundred


class _Loader(_BaseLoader):  # type: ignore[misc]
    """Safe YAML that refuses a key given twice: the first would be lost without a word."""

    def get_single_node(self) -> yaml.Node | None:
        node: yaml.Node | None = super().get_single_node()
        _refuse(node, (), {})
        return node


def _refuse_deep(text: str) -> None:
    """Refuse what is nested too deep, told from the parser's events, which need no stack."""
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > _DEEPEST:
            mark: Any = event.start_mark
            raise yaml.constructor.ConstructorError(None, None, "is nested too deep", mark)


def _refuse(node: yaml.Node | None, above: tuple[yaml.Node, ...], done: dict[int, int]) -> int:
    """Refuse keys given twice, an alias inside what it stands for, and aliases of aliases that
    stand for millions of values; how many values the node has.

    Told from the tree, before `<<` is resolved: a key beside a merge is an override, not a twin.
    """
    if node is None:
        return 0
    if id(node) in done:
        return done[id(node)]
    if node in above:
        raise yaml.constructor.ConstructorError(
            None, None, "an alias stands inside what it names", node.start_mark
        )
    size = 1
    if isinstance(node, yaml.MappingNode):
        seen: set[tuple[str, str]] = set()
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode):
                if (key.tag, key.value) in seen:
                    raise yaml.constructor.ConstructorError(
                        None, None, f"key {key.value!r} is given twice", key.start_mark
                    )
                seen.add((key.tag, key.value))
            size += _refuse(value, (*above, node), done)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            size += _refuse(item, (*above, node), done)
    if size > _MOST_VALUES:
        raise yaml.constructor.ConstructorError(
            None, None, "stands for too many values, aliases counted", node.start_mark
        )
    done[id(node)] = size
    return size


def find_config(explicit: str | None, environ: Mapping[str, str], cwd: Path) -> Path | None:
    """The configuration file: `--config`, `PAYOPS_CONFIG`, `./payops.yaml`, the user's folder.

    A file that was asked for by name must exist, one that was not must be the user's own
    (ConfigError); None when none was and none is found.
    """
    # `--config "$UNSET"` names a file all the same: another one must not be taken in its stead.
    named = environ.get("PAYOPS_CONFIG") if explicit is None else explicit
    if named or explicit is not None:
        path = _expanded(named or "")
        try:
            wrong = "" if path.is_file() else "is not a file" if path.exists() else "no such file"
        except OSError as error:  # a folder above it that may not be entered
            wrong = f"cannot be read: {error.strerror}"
        if wrong:
            came_from = "PAYOPS_CONFIG" if explicit is None else "--config"
            raise ConfigError(
                wrong,
                file=str(path),
                hint=f"{came_from} names it; `payops config --help` tells where else payops looks",
            )
        return path
    home = Path(environ.get("XDG_CONFIG_HOME") or Path(environ.get("HOME", "~")) / ".config")
    for candidate in (cwd / "payops.yaml", home.expanduser() / "payops" / "payops.yaml"):
        with suppress(PermissionError):  # no folder of this user's: it holds no file of theirs
            if candidate.is_file():
                _refuse_a_strangers(candidate)
                return candidate
    return None


def _refuse_a_strangers(path: Path) -> None:
    """A file that was not named must be ours: in /tmp anybody can leave a payops.yaml that sends
    `${STRIPE_KEY}` to a server of theirs."""
    status = path.stat()
    theirs = hasattr(os, "geteuid") and status.st_uid not in (0, os.geteuid())
    if theirs or status.st_mode & stat.S_IWOTH:
        raise ConfigError(
            "belongs to another user" if theirs else "can be written by anybody",
            file=str(path),
            hint=f"if you trust it: --config {shlex.quote(str(path))}",
        )


def _expanded(name: str) -> Path:
    try:
        return Path(name).expanduser()
    except RuntimeError:  # ~somebody, who is no user here
        return Path(name)


def read_yaml(path: Path) -> dict[str, Any]:
    """The mapping in a file. Raises ConfigError with the line of what is wrong."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", file=str(path)) from error
    except UnicodeDecodeError as error:
        raise ConfigError("is not UTF-8 text", file=str(path)) from error
    return parse_yaml(text, str(path))


def parse_yaml(text: str, name: str) -> dict[str, Any]:
    """The mapping in `text`; `name` is the file's, for errors."""
    try:
        _refuse_deep(text)
        raw = yaml.load(text, Loader=_Loader)  # noqa: S506  a SafeLoader
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        problem = error.problem or "is not YAML"
        if problem.startswith("but ") and error.context:
            problem = f"{error.context}, {problem}"
        raise ConfigError(problem, file=name, line=mark.line + 1 if mark else None) from error
    except yaml.YAMLError as error:
        raise ConfigError("is not YAML", file=name) from error
    except ValueError as error:  # 2026-13-45 has the form of a date
        raise ConfigError(f"holds a value that is none: {error}", file=name) from error
    except RecursionError as error:
        raise ConfigError("is nested too deep", file=name) from error
    if raw is None:
        return {}
    if not isinstance(raw, dict):
        raise ConfigError("is not a mapping of keys to values", file=name, line=1)
    return raw


def line_of(path: Path, keys: tuple[str | int, ...]) -> int | None:
    """The line (1-based) of the key at `keys` in a YAML file, or of its nearest parent there."""
    try:
        node = yaml.compose(path.read_text(encoding="utf-8"), Loader=_Loader)
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return None
    line: int | None = None
    while keys:
        # A key may have dots of its own (`thresholds: payments.stuck-pending:`): longest first.
        for length in range(len(keys), 0, -1):
            head = keys[0] if length == 1 else ".".join(str(key) for key in keys[:length])
            step = _child(node, head)
            if step is not None:
                break
        else:
            break
        (mark, node), keys = step, keys[length:]
        line = mark.line + 1
    return line


def _child(node: yaml.Node | None, key: str | int) -> tuple[yaml.Mark, yaml.Node] | None:
    if isinstance(node, yaml.MappingNode):
        for key_node, value_node in node.value:
            if key_node.value == str(key):
                return key_node.start_mark, value_node
    if isinstance(node, yaml.SequenceNode) and isinstance(key, int) and key < len(node.value):
        return node.value[key].start_mark, node.value[key]
    return None


def preset_names() -> tuple[str, ...]:
    """The built-in presets, sorted."""
    folder = resources.files("payops.config") / "presets"
    return tuple(
        sorted(
            entry.name.removesuffix(".yaml")
            for entry in folder.iterdir()
            if entry.name.endswith(".yaml")
        )
    )


def preset_text(name: str) -> str:
    """The YAML of a built-in preset. Raises KeyError for an unknown name."""
    if name not in preset_names():
        raise KeyError(name)
    return (resources.files("payops.config") / "presets" / f"{name}.yaml").read_text("utf-8")


def only_ours(path: Path) -> bool:
    """Whether nobody but this user (or root) could have written the file."""
    status = path.stat()
    trusted_owner = status.st_uid in (0, os.geteuid()) if hasattr(os, "geteuid") else True
    return trusted_owner and not status.st_mode & (stat.S_IWOTH | stat.S_IWGRP)
