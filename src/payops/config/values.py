"""Values that are not in the file itself: `${VAR}` and `secret_command:`."""

from __future__ import annotations

import os
import re
import select
import shlex
import subprocess
import time
from collections.abc import Callable, Mapping
from typing import Any

from payops.errors import ConfigError

Keys = tuple[str | int, ...]
_REFERENCE = re.compile(r"\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}|\$\{[^}]*\}?")
_COMMAND = "secret_command"
_NULL_IS_A_VALUE = frozenset({"warn", "crit"})
_COMMAND_TIMEOUT_S = 20.0  # a password manager may ask for a touch
_LOOK_AGAIN_S = 0.05
_MOST_OUTPUT = 65536  # bytes; a secret is the first line of it


def fill_in(
    raw: object,
    environ: Mapping[str, str],
    run: Callable[[Keys, object], str],
    keys: Keys = (),
) -> object:
    """`raw` with every `${VAR}` and `{secret_command: ...}` replaced by its value.

    `${VAR:-default}` has a default for a variable that is not set or empty, as in a shell; `$${`
    is a literal `${`. Raises ConfigError (with `path`, no
    file) for a variable that is not set.
    """
    if isinstance(raw, dict):
        if set(raw) == {_COMMAND}:
            return run(keys, raw[_COMMAND])
        return {key: fill_in(value, environ, run, (*keys, key)) for key, value in raw.items()}
    if isinstance(raw, list):
        return [fill_in(value, environ, run, (*keys, index)) for index, value in enumerate(raw)]
    if isinstance(raw, str) and "${" in raw:
        return _REFERENCE.sub(lambda match: _resolve(match, environ, keys), raw)
    return raw


def _resolve(match: re.Match[str], environ: Mapping[str, str], keys: Keys) -> str:
    if match.group() == "$${":
        return "${"
    name, default = match.group(1), match.group(2)
    if name is None:
        raise ConfigError(
            f"{match.group()!r} is not a reference to the environment",
            path=dotted(keys),
            hint="write ${NAME} or ${NAME:-default}; $${ is a literal ${",
        )
    value = environ.get(name)
    if value is None and default is None:
        raise ConfigError(
            f"environment variable {name} is not set",
            path=dotted(keys),
            hint=f"export {name}=… or give a default: ${{{name}:-…}}",
        )
    return default if default is not None and not value else value or ""


def run_secret_command(keys: Keys, command: object) -> str:
    """The first line that a command prints, e.g. `pass show stripe`; never through a shell.

    Raises ConfigError when it cannot be run, fails, prints nothing or takes more than 20 s. What
    it printed is never shown.
    """
    path = dotted(keys)
    arguments = _arguments(command, path)
    if not arguments:
        raise ConfigError("secret_command is empty", path=path)
    try:
        status, output = _run(arguments)
    except (OSError, ValueError) as error:  # ValueError: a NUL in an argument
        reason = error.strerror if isinstance(error, OSError) else error
        raise ConfigError(
            f"secret_command {arguments[0]!r} cannot be run: {reason}", path=path
        ) from error
    except subprocess.TimeoutExpired as error:
        raise ConfigError(
            f"secret_command {arguments[0]!r} did not end within {_COMMAND_TIMEOUT_S:.0f} s",
            path=path,
        ) from error
    printed = output.decode(errors="replace").splitlines()
    if status:
        raise ConfigError(  # without what it printed: a secret may be in it
            f"secret_command {arguments[0]!r} failed with exit status {status}",
            path=path,
            hint="run it yourself to see why",
        )
    if not printed or not printed[0].strip():
        raise ConfigError(f"secret_command {arguments[0]!r} printed nothing", path=path)
    return printed[0]


def _run(arguments: list[str]) -> tuple[int, bytes]:
    """Exit status and output of a command. It has ended when it has ended itself: an agent that it
    leaves in the background keeps the pipe open, and nobody waits for that."""
    process = subprocess.Popen(
        arguments,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # a secret may be in it
    )
    pipe = process.stdout
    assert pipe is not None  # noqa: S101  asked for
    end = time.monotonic() + _COMMAND_TIMEOUT_S
    output = b""
    try:
        while (left := end - time.monotonic()) > 0:
            ended = process.poll() is not None  # asked first: what it wrote is in the pipe by then
            ready = select.select([pipe], [], [], 0 if ended else min(_LOOK_AGAIN_S, left))[0]
            chunk = os.read(pipe.fileno(), _MOST_OUTPUT) if ready else b""
            output = (output + chunk)[:_MOST_OUTPUT]
            if ended and not chunk:
                return process.returncode, output
            if ready and not chunk:  # it closed its output, and may still run
                process.wait(left)
        raise subprocess.TimeoutExpired(arguments, _COMMAND_TIMEOUT_S)
    finally:
        pipe.close()
        if process.poll() is None:
            process.kill()
            process.wait()


def _arguments(command: object, path: str) -> list[str]:
    if isinstance(command, list) and all(isinstance(word, (str, int, float)) for word in command):
        return [str(word) for word in command]
    if not isinstance(command, str):
        raise ConfigError("secret_command is a command line or a list of words", path=path)
    try:
        return shlex.split(command)
    except ValueError as error:
        raise ConfigError(f"secret_command is no command line: {error}", path=path) from None


def dotted(keys: Keys) -> str:
    """`ledgers.payments.columns.id`, `webhooks.endpoints[0].url`."""
    text = ""
    for key in keys:
        text += f"[{key}]" if isinstance(key, int) else f".{key}" if text else str(key)
    return text


def merged(base: dict[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """`base` with the keys of `over` on top, mapping by mapping; lists and scalars are replaced.

    A key set to null in `over` takes the base's away, except where null is a value: a threshold's
    `warn` and `crit`, switched off by it.
    """
    result = dict(base)
    for key, value in over.items():
        if value is None and key not in _NULL_IS_A_VALUE:
            result.pop(key, None)
        elif isinstance(value, Mapping):
            below = result.get(key)
            result[key] = merged(below if isinstance(below, dict) else {}, value)
        else:
            result[key] = value
    return result
