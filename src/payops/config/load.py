"""From a file to `Settings`: read, fill in, put on top of the preset, check."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from payops.config.decode import decoded
from payops.config.files import (
    find_config,
    line_of,
    only_ours,
    parse_yaml,
    preset_names,
    preset_text,
    read_yaml,
)
from payops.config.settings import Settings
from payops.config.values import Keys, dotted, fill_in, merged, run_secret_command
from payops.domain.secret import remember_url
from payops.errors import ConfigError


@dataclass(frozen=True)
class Loaded:
    """Settings and the file they came from."""

    settings: Settings
    path: Path


def load(
    explicit: str | None = None,
    *,
    environment: str | None = None,
    environ: Mapping[str, str] = os.environ,
    cwd: Path | None = None,
) -> Loaded:
    """Find and read the configuration.

    `environment` is the name that the caller expects (`--environment`). Raises ConfigError when
    there is no file, when it is wrong, or when it is for another environment.
    """
    path = find_config(explicit, environ, cwd or _here())
    if path is None:
        raise ConfigError(
            "no configuration found",
            hint="looked at --config, PAYOPS_CONFIG, ./payops.yaml and "
            "~/.config/payops/payops.yaml; `payops demo` needs none",
        )
    settings = read(path, environ)
    if environment is not None and environment != settings.environment:
        raise ConfigError(
            f"is for environment {settings.environment!r}, not {environment!r}",
            file=str(path),
            path="environment",
            hint="choose the right file with --config",
        )
    return Loaded(settings, path)


def _here() -> Path:
    try:
        return Path.cwd()
    except FileNotFoundError:  # removed under the shell that stands in it
        return Path()


def read(path: Path, environ: Mapping[str, str] = os.environ) -> Settings:
    """The settings in one file. Raises ConfigError with file, line, path and nearest known key."""
    raw = read_yaml(path)

    def run(keys: Keys, command: object) -> str:
        if not only_ours(path):
            raise ConfigError(
                "a file that others can write may not run commands",
                path=dotted(keys),
                hint=f"chmod go-w {path}",
            )
        return run_secret_command(keys, command)

    with located(path):
        filled = fill_in(raw, environ, run)
        _remember_addresses(filled)
        return settings_from(filled)


def _remember_addresses(value: object) -> None:
    """An address of the application is no secret as a whole, but `?token=…` in it is one."""
    if isinstance(value, dict):
        for item in value.values():
            _remember_addresses(item)
    elif isinstance(value, list):
        for item in value:
            _remember_addresses(item)
    elif isinstance(value, str) and "://" in value:
        remember_url(value)


@contextmanager
def located(path: Path) -> Iterator[None]:
    """ConfigErrors raised inside come out with the file and, where it can be found, the line."""
    try:
        yield
    except ConfigError as error:
        if error.file:
            raise
        keys = _keys(error.path)
        raise ConfigError(
            error.message,
            file=str(path),
            line=line_of(path, keys) if keys else None,
            path=error.path,
            hint=error.hint,
        ) from error


def settings_from(raw: object) -> Settings:
    """Settings from a plain mapping, on top of the preset that it names. Raises ConfigError."""
    if not isinstance(raw, dict):
        raise ConfigError("is not a mapping of keys to values")
    whole = merged(_preset(raw.get("preset")), raw)
    try:
        return decoded(whole)
    except msgspec.ValidationError as error:
        from payops.config.explain import explain

        raise explain(error, whole) from error


def _preset(name: object) -> dict[str, Any]:
    if not name:
        return {}
    try:
        return parse_yaml(preset_text(str(name)), f"preset {name}")
    except KeyError:
        from payops.config.explain import nearest

        raise ConfigError(
            f"there is no preset {str(name)!r}",
            path="preset",
            hint=nearest(str(name), preset_names()) or f"presets: {', '.join(preset_names())}",
        ) from None


def _keys(path: str) -> Keys:
    keys: list[str | int] = []
    for part in path.replace("[", ".[").split("."):
        if part.startswith("["):
            keys.append(int(part[1:-1]) if part[1:-1].isdigit() else part[1:-1])
        elif part:
            keys.append(part)
    return tuple(keys)
