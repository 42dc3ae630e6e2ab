"""Stripe's objects out of JSON, one after another: NDJSON, lists, arrays, pages put end to end."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import msgspec

from payops.errors import PayopsError

_CHUNK = 1 << 20
# One object is some kilobytes; far more without an end is not a file of objects.
_MOST = 64 << 20
_SCALAR = r'(?:"(?:[^"\\]|\\.)*"|true|false|null|-?[0-9][0-9.eE+-]*)'
# `{"object": "list", "has_more": true, "data": [`, in any order.
_LIST = re.compile(rf'\{{\s*(?:"\w+"\s*:\s*{_SCALAR}\s*,\s*)*"data"\s*:\s*\[')
_REST_OF_LIST = re.compile(rf'(?:\s*,\s*"\w+"\s*:\s*{_SCALAR})*\s*\}}')
_BETWEEN = re.compile(r"[\s,]*")
_scan = json.JSONDecoder().raw_decode


class _Head(msgspec.Struct):
    object: str = ""


_head = msgspec.json.Decoder(_Head).decode


def objects(file: BinaryIO, path: Path) -> Iterator[tuple[int, str, bytes]]:
    """(line, `object`, JSON) of every object in a file. Raises PayopsError with file and line."""
    first = file.readline(_MOST)
    try:
        word = _head(first.removeprefix(b"\xef\xbb\xbf")).object
    except msgspec.DecodeError:
        word = ""
    if word and word != "list":
        yield from _lines(first, file, path)
    else:
        yield from _documents(first, file, path)


def _lines(first: bytes, file: BinaryIO, path: Path) -> Iterator[tuple[int, str, bytes]]:
    line, text = 1, first.removeprefix(b"\xef\xbb\xbf")
    while text:
        if text.strip():
            try:
                yield line, _head(text).object, text
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                raise _wrong(path, line, str(error)) from error
        line, text = line + 1, file.readline(_MOST)


class _Text:
    """The part of the file that is being looked at."""

    def __init__(self, first: bytes, file: BinaryIO) -> None:
        self._file = file
        self._bytes = first.removeprefix(b"\xef\xbb\xbf")
        self._line, self._counted = 1, 0  # the line at a place that was counted to
        self.text = ""
        self.at = 0
        self.ended = False
        self.more()

    def more(self) -> bool:
        """Forget what was read, and read on; False at the end of the file."""
        self.line_here()
        self.text, self.at, self._counted = self.text[self.at :], 0, 0
        chunk = self._file.read(_CHUNK)
        self.ended = not chunk
        held = self._bytes + chunk
        # A character may be cut in two by the end of a chunk.
        whole = held.decode("utf-8", "ignore") if self.ended else _whole(held)
        self._bytes = b"" if self.ended else held[len(whole.encode()) :]
        self.text += whole
        return bool(chunk)

    def line_here(self) -> int:
        self._line += self.text.count("\n", self._counted, self.at)
        self._counted = self.at
        return self._line

    def skip(self) -> str:
        """Pass over spaces and commas; gives the next character, empty at the end."""
        while True:
            match = _BETWEEN.match(self.text, self.at)
            self.at = match.end() if match else self.at
            if self.at < len(self.text):
                return self.text[self.at]
            if not self.more():
                return ""


def _whole(held: bytes) -> str:
    for cut in range(4):
        try:
            return held[: len(held) - cut].decode()
        except UnicodeDecodeError:
            continue
    return held.decode("utf-8", "replace")


def _documents(first: bytes, file: BinaryIO, path: Path) -> Iterator[tuple[int, str, bytes]]:
    text = _Text(first, file)
    while (sign := text.skip()) != "":
        if sign == "[":
            text.at += 1
            yield from _elements(text, path)
        elif sign == "{" and (start := _list_begins(text)):
            text.at = start
            yield from _elements(text, path)
            while (end := _REST_OF_LIST.match(text.text, text.at)) is None:
                if not text.more():
                    raise _wrong(path, text.line_here(), "a list does not end")
            text.at = end.end()
        else:
            yield _one(text, path)


def _list_begins(text: _Text) -> int:
    match = _LIST.match(text.text, text.at)
    return match.end() if match else 0


def _elements(text: _Text, path: Path) -> Iterator[tuple[int, str, bytes]]:
    while (sign := text.skip()) != "]":
        if not sign:
            raise _wrong(path, text.line_here(), "the file ends within a list")
        yield _one(text, path)
    text.at += 1


def _one(text: _Text, path: Path) -> tuple[int, str, bytes]:
    while True:
        try:
            value, end = _scan(text.text, text.at)
            break
        except json.JSONDecodeError as error:
            if text.ended or len(text.text) - text.at > _MOST:
                line = text.line_here() + text.text.count("\n", text.at, error.pos)
                raise _wrong(path, line, error.msg) from error
            text.more()
    if not isinstance(value, dict):
        raise _wrong(path, text.line_here(), "an object is expected")
    found = text.line_here(), str(value.get("object", "")), text.text[text.at : end].encode()
    text.at = end
    return found


def _wrong(path: Path, line: int, what: str) -> PayopsError:
    return PayopsError(f"{path}, line {line}: {what}", hint="is the file complete, and JSON?")
