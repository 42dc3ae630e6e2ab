"""A key where it was found: in which place, under which name, as what."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum

from payops.domain.secret import Secret
from payops.domain.stripe_key import Form, Kind, Role, is_live_environment, read_form


class Of(Enum):
    """What a place is."""

    CONFIGURATION = "configuration"
    ENVIRONMENT = "environment"
    ENV_FILE = ".env file"
    KUBERNETES = "Kubernetes Secret"
    COMPOSE = "compose file"
    YAML = "YAML file"


@dataclass(frozen=True)
class Place:
    """Where keys may stand. `environment` is the name of the system's environment that uses it,
    `title` how reports call it (`staging.env`, `configuration`)."""

    of: Of
    title: str
    environment: str

    @property
    def deployed(self) -> bool:
        """Whether it is a file that an application is started with, so that a key may be missing
        in it: neither payops' own configuration nor this shell's environment is."""
        return self.of not in (Of.CONFIGURATION, Of.ENVIRONMENT)


@dataclass(frozen=True)
class Found:
    """One key. `name` is the variable's, or the configuration's key."""

    role: Role
    place: Place
    name: str
    secret: Secret
    form: Form

    @property
    def where(self) -> str:
        """`staging.env STRIPE_SECRET_KEY`; of the configuration its key alone."""
        if self.place.of is Of.CONFIGURATION:
            return self.name
        return f"{self.place.title} {self.name}"

    @property
    def fits(self) -> bool:
        """Whether it is of a kind that its role takes."""
        return self.form.kind in self.role.kinds

    @property
    def usable(self) -> bool:
        """Whether it can be tried: right in form, and in its place."""
        return self.fits and not self.form.faults


@dataclass(frozen=True)
class Reading:
    """What one place holds. `notes` tell what was seen and cannot be read here (a secret that is
    named as a file), `unread` why the place could not be read at all; both free of its text."""

    place: Place
    found: tuple[Found, ...] = ()
    notes: tuple[str, ...] = ()
    unread: str = ""


# As frameworks and the four systems of the runbooks name them.
VARIABLES: Mapping[Role, tuple[str, ...]] = {
    Role.SECRET: (
        "STRIPE_SECRET_KEY",
        "STRIPE_API_KEY",
        "STRIPE_SECRET",
        "STRIPE_PRIVATE_KEY",
        "STRIPE_RESTRICTED_KEY",
    ),
    Role.PUBLISHABLE: (
        "STRIPE_PUBLISHABLE_KEY",
        "STRIPE_PUBLIC_KEY",
        "NEXT_PUBLIC_STRIPE_PUBLISHABLE_KEY",
        "VITE_STRIPE_PUBLISHABLE_KEY",
        "REACT_APP_STRIPE_PUBLISHABLE_KEY",
    ),
    Role.WEBHOOK: (
        "STRIPE_WEBHOOK_SECRET",
        "STRIPE_WEBHOOK_SIGNING_SECRET",
        "STRIPE_WEBHOOK_ENDPOINT_SECRET",
        "STRIPE_ENDPOINT_SECRET",
    ),
}
_ROLE_OF = {
    Kind.SECRET: Role.SECRET,
    Kind.RESTRICTED: Role.SECRET,
    Kind.PUBLISHABLE: Role.PUBLISHABLE,
    Kind.WEBHOOK: Role.WEBHOOK,
}
_SUFFIX = re.compile(r"(?i)_(LIVE|PROD|PRODUCTION|TEST|STAGING|DEV|DEVELOPMENT|SANDBOX|CI)$")
# `${STRIPE_SECRET_KEY}`, `$KEY`, `{{ .Values.key }}`: filled in by somebody else later.
_REFERENCE = re.compile(r"\$\{[^}]*\}|\$\(?[A-Za-z_]\w*\)?|\{\{.*\}\}|<no value>")
_LONGEST = 4096  # a longer value is no key, whatever it begins with


def names_of(configured: Mapping[str, Iterable[str]]) -> dict[str, Role]:
    """Variable by role: those of `keys.variables` beside the usual ones."""
    names = {name: role for role, usual in VARIABLES.items() for name in usual}
    for role in Role:
        names.update(dict.fromkeys(configured.get(role.value, ()), role))
    return names


def keys_in(
    values: Iterable[tuple[str, str]], place: Place, names: Mapping[str, Role]
) -> tuple[tuple[Found, ...], tuple[str, ...]]:
    """The keys among named values, and notes: what has a key's name, and what is shaped like one.

    A name that ends in an environment's (`STRIPE_WEBHOOK_SECRET_STAGING`) speaks for that one.
    """
    found: list[Found] = []
    notes: list[str] = []
    seen: set[tuple[str, str]] = set()
    for name, value in values:
        if (name, value) in seen or len(value) > _LONGEST:
            continue
        seen.add((name, value))
        suffix = _SUFFIX.search(name)
        role = names.get(name) or (names.get(name[: suffix.start()]) if suffix else None)
        form = read_form(value)
        if role is None and (form.kind is Kind.NONE or not _whole(form)):
            continue
        if role is not None and _REFERENCE.fullmatch(value.strip()):
            notes.append(f"{name} is filled in from elsewhere, which is not looked at")
            continue
        here = _elsewhere(place, suffix.group(1).lower()) if suffix else place
        role = role or _ROLE_OF[form.kind]
        Secret(form.text)  # known to the redactor without its quotes too
        found.append(Found(role, here, name, Secret(value), form))
    return tuple(found), tuple(notes)


def _whole(form: Form) -> bool:
    """One word: a sentence that begins with a key is not the key of a place."""
    return re.fullmatch(r"[\x21-\x7e]+", form.text) is not None


def _elsewhere(place: Place, suffix: str) -> Place:
    live = is_live_environment(suffix)
    if live == is_live_environment(place.environment):
        return place
    return Place(place.of, place.title, suffix)
