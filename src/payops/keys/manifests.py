"""Kubernetes Secrets and compose files: the named values in them.

Read from YAML's nodes and not from what they stand for, so that a value is its text (`no` is not
False), an alias that names itself cannot blow up, and no error shows a line of the file.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from payops.keys.found import Of

Node = Any  # yaml's own, which is imported late
Value = tuple[str, str]

_MOST_VALUES = 20_000  # of one file; a List of every Secret of a cluster has fewer
_MOST_NODES = 200_000  # with every alias written out: some 10 for each of those values
_DEEPEST = 100  # libyaml's composer recurses in C: 100,000 brackets overflow the stack
_MOST_ENV_FILES = 100


class NotReadableError(ValueError):
    """It is not YAML, or larger than a file of keys. The text tells the line, and nothing of what
    stands there."""


@dataclass
class Manifest:
    """What a file of YAML documents holds.

    `env_files` are the files that a compose file names, `notes` what is there and cannot be read.
    """

    of: Of = Of.YAML
    values: list[Value] = field(default_factory=list)
    env_files: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def read_manifest(text: str) -> Manifest:
    """The named values of all documents. Raises NotReadableError."""
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    found = Manifest()
    try:
        _measure(yaml.parse(text, Loader=loader))
        for document in yaml.compose_all(text, Loader=loader):
            _document(document, found)
    except yaml.MarkedYAMLError as error:
        line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise NotReadableError(f"is not YAML{line}") from None
    except NotReadableError:
        raise
    except (yaml.YAMLError, ValueError, RecursionError):
        raise NotReadableError("is not YAML") from None
    return found


def _measure(events: Iterable[Any]) -> None:
    """Raises NotReadableError for what is nested too deeply, or grows too large where aliases are
    written out: ten lines of ten aliases each are ten thousand million values."""
    sizes: dict[str, int] = {}  # of what has an anchor, with its aliases written out
    open_: list[tuple[str, int]] = []  # what is not closed yet: its anchor, the total before it
    total = 0
    for event in events:
        anchor = getattr(event, "anchor", None) or ""
        name = type(event).__name__
        if name == "AliasEvent":
            total += sizes.get(anchor, 1)  # one that names itself is met once
        elif name == "ScalarEvent":
            total += 1
            sizes[anchor] = 1
        elif name in ("MappingStartEvent", "SequenceStartEvent"):
            open_.append((anchor, total))
            total += 1
        elif name in ("MappingEndEvent", "SequenceEndEvent"):
            anchor, before = open_.pop()
            sizes[anchor] = total - before
        elif name == "DocumentStartEvent":
            sizes.clear()
        if len(open_) > _DEEPEST:
            raise NotReadableError("is nested too deeply for a file of keys")
        if total > _MOST_NODES:
            raise NotReadableError("is too large for a file of keys, its aliases written out")


def _document(node: Node, found: Manifest) -> None:
    top = _mapping(node)
    kind = _text(top.get("kind"))
    if kind.endswith("List") and "items" in top:
        for item in _sequence(top["items"]):
            _document(item, found)
    elif kind == "Secret":
        found.of = Of.KUBERNETES
        _secret(top, found)
    elif "services" in top:
        found.of = Of.COMPOSE
        _compose(top, found)
    elif kind in ("SealedSecret", "ExternalSecret"):
        found.notes.append(f"a {kind} is not readable outside its cluster")
    elif "sops" in top:
        found.notes.append("is encrypted with sops: give the output of `sops -d` instead")
    else:
        _add(found, _anything(node))


def _secret(top: Mapping[str, Node], found: Manifest) -> None:
    """`data` in base64, `stringData` as it is, which wins (Kubernetes, 'Secrets')."""
    plain = {name: _text(node) for name, node in _mapping(top.get("stringData")).items()}
    for name, node in _mapping(top.get("data")).items():
        if name in plain:
            continue
        try:
            # `echo KEY | base64` takes the line break along: it is told as such.
            decoded = base64.b64decode("".join(_text(node).split()), validate=True)
            _add(found, [(name, decoded.decode())])
        except (binascii.Error, ValueError):
            found.notes.append(f"{name} in data is not base64 of a text: put plain into stringData")
    _add(found, plain.items())


def _compose(top: Mapping[str, Node], found: Manifest) -> None:
    for service in _mapping(top["services"]).values():
        content = _mapping(service)
        environment = content.get("environment")
        _add(found, [(name, _text(node)) for name, node in _mapping(environment).items()])
        _add(
            found,
            [
                (name, value)
                for entry in _sequence(environment)
                for name, equals, value in [_text(entry).partition("=")]
                if equals
            ],
        )
        named = content.get("env_file")
        for entry in [named, *_sequence(named)]:
            file = _text(entry) or _text(_mapping(entry).get("path"))
            if file and file not in found.env_files:
                if len(found.env_files) >= _MOST_ENV_FILES:
                    raise NotReadableError(f"names more than {_MOST_ENV_FILES} env_files")
                found.env_files.append(file)
    for name, node in _mapping(top.get("secrets")).items():
        source = _mapping(node)
        where = _text(source.get("file")) or _text(source.get("environment")) or "outside"
        if re.search(r"(?i)stripe|whsec|payment", f"{name} {where}"):
            found.notes.append(f"secret {name} is kept elsewhere ({where}): not read here")


def _anything(node: Node) -> Iterator[Value]:
    """Every scalar under its key, and `{name: X, value: Y}` as a Deployment writes it."""
    waiting, done = [node], set()
    while waiting:
        here = waiting.pop()
        if id(here) in done:
            continue
        done.add(id(here))
        waiting.extend(_sequence(here))
        pairs = _mapping(here)
        if "name" in pairs and "value" in pairs:
            yield _text(pairs.pop("name")), _text(pairs.pop("value"))
        for name, value in pairs.items():
            if _is_scalar(value):
                yield name, _text(value)
            else:
                waiting.append(value)


def _add(found: Manifest, values: Iterable[Value]) -> None:
    for value in values:
        if len(found.values) >= _MOST_VALUES:
            raise NotReadableError(f"has more than {_MOST_VALUES:,} values: no file of keys")
        found.values.append(value)


def _mapping(node: Node) -> dict[str, Node]:
    """A mapping's nodes by key; those merged in (`<<`) below its own. Empty for anything else."""
    merged: dict[str, Node] = {}
    own: dict[str, Node] = {}
    waiting, done = deque([node]), set()
    while waiting:
        here = waiting.popleft()
        if id(here) in done or type(here).__name__ != "MappingNode":
            continue
        done.add(id(here))
        for key, value in here.value:
            if _text(key) == "<<":
                waiting.extend([value, *_sequence(value)])
            elif here is node:
                own[_text(key)] = value
            else:
                merged.setdefault(_text(key), value)
    return {**merged, **own}


def _sequence(node: Node) -> list[Node]:
    return list(node.value) if type(node).__name__ == "SequenceNode" else []


def _is_scalar(node: Node) -> bool:
    return type(node).__name__ == "ScalarNode"


def _text(node: Node) -> str:
    """A scalar's text as it is written; empty for null and for what is no scalar."""
    if not _is_scalar(node) or node.tag == "tag:yaml.org,2002:null":
        return ""
    return str(node.value)
