"""What is wrong with a configuration, told so that it can be put right. Loaded on errors only."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from payops.config.decode import decoded
from payops.config.settings import Settings
from payops.errors import ConfigError


def nearest(word: str, known: Iterable[str]) -> str:
    """`did you mean 'ledgers'?`, or nothing when no known word is near."""
    close = difflib.get_close_matches(word, list(known), n=1, cutoff=0.65)
    return f"did you mean {close[0]!r}?" if close else ""


def explain(error: msgspec.ValidationError, raw: dict[str, Any]) -> ConfigError:
    """msgspec's error as ours: the first unknown key if there is one, else what it says."""
    unknown = next(_unknown_keys(raw, msgspec.inspect.type_info(Settings), ""), None)
    if unknown is not None:
        path, key, known = unknown
        return ConfigError(
            f"unknown key {key!r}",
            path=path,
            hint=nearest(key, known) or f"known here: {', '.join(sorted(known))}",
        )
    said = str(error)
    message, _, place = said.partition(" - at ")
    ours = re.match(r"\.([\w.]+): (.+)", message, re.DOTALL)  # raised by a section's own validation
    if ours:
        where = _path(place.strip("`"), raw, said)
        return ConfigError(ours.group(2), path=f"{where}.{ours.group(1)}".lstrip("."))
    missing = re.match(r"Object missing required field `(.+)`", message)
    path = _path(place.strip("`"), raw, said)
    if missing:
        where = f" of {path}" if path else ""
        return ConfigError(f"required key {missing.group(1)!r}{where} is missing", path=path)
    message = message.replace("`", "")
    # `no`, `on` and `0` are no text in YAML.
    quotes = "put it in quotes" if re.match(r"Expected str, got (int|float|bool)", message) else ""
    if re.search(r"got (int|float|str|bool|array|object|null)$", message):
        message = message.replace("array", "a list").replace("object", "a mapping")
    allowed = _allowed(path) if message.startswith("Invalid enum value") else []
    hint = f"one of {', '.join(allowed)}" if allowed else quotes
    return ConfigError(message[:1].lower() + message[1:], path=path, hint=hint)


def _allowed(path: str) -> list[str]:
    """The words that may stand at `ledgers.payments.amount_unit`."""
    inspect = msgspec.inspect
    here: msgspec.inspect.Type = inspect.type_info(Settings)
    for part in re.split(r"[.\[]", path):
        while isinstance(here, inspect.Metadata):
            here = here.type
        if isinstance(here, inspect.StructType):
            fields = {field.encode_name: field.type for field in here.fields}
            if part not in fields:
                return []
            here = fields[part]
        elif isinstance(here, inspect.DictType):
            here = here.value_type
        elif isinstance(here, inspect.VarTupleType):
            here = here.item_type
    while isinstance(here, inspect.Metadata):
        here = here.type
    return _literals(here)


def _path(place: str, raw: dict[str, Any], said: str) -> str:
    """msgspec's `$.ledgers[...].table` as ours: `ledgers.payments.table`.

    msgspec writes `[...]` for the key of a free mapping; the entry meant is the one that fails
    with the same words when it is tried alone.
    """
    path = place.removeprefix("key` in `").removeprefix("$").removeprefix(".")
    section, free, rest = path.partition("[...]")
    entries = raw.get(section)
    if not free or not isinstance(entries, dict):
        return path
    for key, entry in entries.items():
        try:
            decoded({section: {key: entry}})
        except msgspec.ValidationError as error:
            if str(error) == said:
                return f"{section}.{key}{rest}"
    return path


def _unknown_keys(
    raw: object, wanted: msgspec.inspect.Type, path: str
) -> Iterator[tuple[str, str, list[str]]]:
    """Every key that no section knows: its path, itself, and the keys known beside it."""
    inspect = msgspec.inspect
    if isinstance(wanted, inspect.UnionType):
        for member in wanted.types:
            if not isinstance(member, inspect.NoneType):
                yield from _unknown_keys(raw, member, path)
    elif isinstance(wanted, inspect.Metadata):
        yield from _unknown_keys(raw, wanted.type, path)
    elif isinstance(wanted, inspect.StructType) and isinstance(raw, dict):
        fields = {field.encode_name: field.type for field in wanted.fields}
        for key, value in raw.items():
            here = f"{path}.{key}" if path else str(key)
            if key not in fields:
                yield here, str(key), list(fields)
            else:
                yield from _unknown_keys(value, fields[key], here)
    elif isinstance(wanted, inspect.DictType) and isinstance(raw, dict):
        known = _literals(wanted.key_type)
        for key, value in raw.items():
            here = f"{path}.{key}" if path else str(key)
            if known and key not in known:
                yield here, str(key), known
            else:
                yield from _unknown_keys(value, wanted.value_type, here)
    elif isinstance(wanted, inspect.VarTupleType) and isinstance(raw, list):
        for index, value in enumerate(raw):
            yield from _unknown_keys(value, wanted.item_type, f"{path}[{index}]")


def _literals(wanted: msgspec.inspect.Type) -> list[str]:
    if isinstance(wanted, msgspec.inspect.LiteralType):
        return [str(value) for value in wanted.values]
    return []
