"""Text from outside, made harmless: control and direction characters are shown, not obeyed."""

from __future__ import annotations

import re

# C0 and C1 controls, DEL; soft hyphen and Arabic letter mark; zero-width, direction marks and
# overrides; line and paragraph separators; isolates; BOM; interlinear marks; tags; lone surrogates.
_DANGEROUS = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff"
    "\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f]"
)
_NAMES = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def harmless(text: str) -> str:
    r"""`text` on one line, with everything that a terminal or a reader could obey made visible.

    >>> harmless("a\x1b[2Jb\nc\u202ed")
    'a\\x1b[2Jb\\nc\\u202ed'
    """
    return _DANGEROUS.sub(_visible, text)


def _visible(match: re.Match[str]) -> str:
    character = match.group()
    if character in _NAMES:
        return _NAMES[character]
    code = ord(character)
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def shortened(text: str, width: int) -> str:
    """`text` cut to `width` characters, with an ellipsis where something was left out."""
    return text if len(text) <= width else text[: max(0, width - 1)] + "…"
