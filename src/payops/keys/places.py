"""The places where keys may stand: the configuration, the environment, and files given by name."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from payops.domain.stripe_key import Role, read_form
from payops.domain.text import harmless
from payops.keys import dotenv
from payops.keys.found import Found, Of, Place, Reading, keys_in

if TYPE_CHECKING:
    from payops.config.settings import Settings
    from payops.domain.deadline import Deadline

_MOST_BYTES = 4 * 1024 * 1024
_READ_S = 5.0  # a pipe of somebody's `sops -d`; a file takes no time
_YAML = re.compile(
    r"\A(?:\ufeff|\s|#.*\n|---.*\n)*(?:apiVersion|kind|services|version)\s*:|\A\s*\{"
)


def configured(settings: Settings) -> Reading:
    """The keys of payops' own configuration."""
    place = Place(Of.CONFIGURATION, "configuration", settings.environment)
    found: list[Found] = []
    stripe = settings.stripe
    if stripe is not None:
        secret = stripe.secret_key
        found.append(_one(Role.SECRET, place, Role.SECRET.value, secret.reveal()))
        if stripe.publishable_key:
            name = Role.PUBLISHABLE.value
            found.append(_one(Role.PUBLISHABLE, place, name, stripe.publishable_key))
        for index, each in enumerate(stripe.webhook_secrets):
            name = f"{Role.WEBHOOK.value}[{index}]" if index else Role.WEBHOOK.value
            found.append(_one(Role.WEBHOOK, place, name, each.reveal()))
    for index, endpoint in enumerate(settings.webhooks.endpoints):
        if endpoint.secret is not None:
            name = f"webhooks.endpoints[{index}].secret"
            found.append(_one(Role.WEBHOOK, place, name, endpoint.secret.reveal()))
    return Reading(place, tuple(found))


def in_environment(
    environ: Mapping[str, str], environment: str, names: Mapping[str, Role]
) -> Reading:
    """The keys in this process' environment, which is taken for that of the configuration."""
    place = Place(Of.ENVIRONMENT, "environment", environment)
    # An empty variable of a shell is one that is not set.
    found, notes = keys_in(((k, v) for k, v in environ.items() if v), place, names)
    return Reading(place, found, notes)


def read_files(
    given: Iterable[str], environment: str, names: Mapping[str, Role], deadline: Deadline
) -> list[Reading]:
    """What each `[NAME=]FILE` holds; NAME is the environment's name, else the configuration's.

    Nothing is raised: a file that cannot be read says so in its reading.
    """
    readings: list[Reading] = []
    called = [(name, Path(file).expanduser()) for name, file in map(split, given)]
    alike = Counter(path.name for _, path in called)
    for name, path in called:
        # `staging/secret.yaml` and `prod/secret.yaml` must not be taken for one another.
        bare = alike[path.name] == 1 and path.name not in (".env", "")
        title = harmless(path.name if bare else str(path))
        readings += _read(path, title, name or environment, names, deadline)
    return readings


def split(given: str) -> tuple[str, str]:
    """`NAME=FILE` in two; a file that has such a name itself stays whole.

    >>> split("staging=.env"), split("./a=b.env")
    (('staging', '.env'), ('', './a=b.env'))
    """
    match = re.fullmatch(r"([\w.-]+)=(.+)", given)
    if match is None or Path(given).exists():
        return "", given
    return match.group(1), match.group(2)


def _read(
    path: Path, title: str, environment: str, names: Mapping[str, Role], deadline: Deadline
) -> list[Reading]:
    place = Place(Of.ENV_FILE, title, environment)
    text, why = _text_of(path, deadline)
    if why:
        return [Reading(place, unread=f"{harmless(str(path))} {why}")]
    if path.suffix.lower() not in (".yaml", ".yml", ".json") and not _YAML.search(text):
        found, notes = keys_in(dotenv.variables(text), place, names)
        return [Reading(place, found, notes)]
    from payops.keys.manifests import NotReadableError, read_manifest

    try:
        manifest = read_manifest(text)
    except NotReadableError as error:
        return [Reading(place, unread=f"{harmless(str(path))} {error}")]
    place = Place(manifest.of, title, environment)
    found, notes = keys_in(manifest.values, place, names)
    readings = [Reading(place, found, (*map(harmless, manifest.notes), *notes))]
    for each in manifest.env_files:  # not from another compose file: these are .env files
        below = path.parent / each
        text, why = _text_of(below, deadline)
        shown = harmless(str(each))
        if why:
            readings.append(Reading(place, unread=f"env_file {shown} {why}"))
        else:
            # What `environment` sets wins over `env_file` (compose's documentation).
            taken = {one.name for one in found}
            left = [one for one in dotenv.variables(text) if one[0] not in taken]
            more, noted = keys_in(left, Place(Of.COMPOSE, shown, environment), names)
            readings.append(Reading(place, more, noted))
    return readings


def _text_of(path: Path, deadline: Deadline) -> tuple[str, str]:
    """A file's text, or why there is none."""
    from payops.sources.bounded import CutOffError, bounded

    def read() -> bytes:
        with open(os.open(path, os.O_RDONLY | os.O_CLOEXEC), "rb") as file:
            return file.read(_MOST_BYTES + 1)

    try:
        content = bounded(deadline.within(_READ_S), read)
    except CutOffError:
        return "", "is a pipe that nothing comes from"
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        reason = error.strerror if isinstance(error, OSError) else "no such file"
        return "", f"cannot be read: {reason}"
    if len(content) > _MOST_BYTES:
        return "", f"is larger than {_MOST_BYTES // 1024 // 1024} MB: no file of keys"
    try:
        return content.decode(), ""
    except UnicodeDecodeError:
        return "", "is not UTF-8 text"


def _one(role: Role, place: Place, name: str, text: str) -> Found:
    from payops.domain.secret import Secret

    form = read_form(text)
    Secret(form.text)
    return Found(role, place, name, Secret(text), form)
