"""The way to an endpoint: DNS, TCP, TLS, told apart since each is somebody else's to mend."""

from __future__ import annotations

import shlex
import time
from dataclasses import dataclass, replace
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from payops.domain.duration import human_duration, utc_text
from payops.domain.evidence import Action
from payops.domain.status import Status
from payops.domain.threshold import Threshold
from payops.errors import Failure, SourceError
from payops.webhooks.post import FAIR_S, LATE
from payops.webhooks.probed import Step

if TYPE_CHECKING:
    from payops.sources.certificate import TlsFacts
    from payops.sources.sources import Sources
    from payops.sources.tcp import Connected

_DAY_S = 86_400
# Let's Encrypt renews 30 days before the end: at 14, renewing has failed for two weeks.
EXPIRY = Threshold(
    14 * _DAY_S, 0, "s", "payops: 14 days; renewal is due a month before the end", "lower"
)
_PATIENCE_S = 5.0
_MOST_ADDRESSES = 4


@dataclass(frozen=True)
class Reached:
    """The steps, why there is no way (None when there is one), how long the certificate lasts."""

    steps: tuple[Step, ...]
    failure: Failure | None = None
    certificate_left_s: float | None = None


def reach(url: str, sources: Sources, unreachable: Status) -> Reached:
    """Try the way to `url`, and stop where it ends. Never raises for what is found there."""
    parts = urlsplit(url)
    host, secure = parts.hostname or "", parts.scheme == "https"
    port = parts.port or (443 if secure else 80)
    if sources.http.proxied(url):
        seen = "not asked: this machine goes through a proxy; Stripe does not"
        return Reached(tuple(Step(name, Status.SKIP, seen) for name in ("dns", "tcp", "tls")))
    patience = _Patience(sources)
    addresses, dns = _dns(host, sources)
    if isinstance(dns, SourceError):
        failed = _failed("dns", dns, unreachable, hurried=patience.hurried)
        return Reached((failed, *_not_asked("tcp", "tls")), dns.kind)
    patience = _Patience(sources)
    tried = sources.http.connect(addresses[:_MOST_ADDRESSES], port, _PATIENCE_S)
    tcp = _tcp(tried, port, unreachable, hurried=patience.hurried)
    silent = next((each.error for each in tried if each.error), None)
    if silent is not None and all(each.error for each in tried):
        return Reached((dns, tcp, *_not_asked("tls")), silent.kind)
    if not secure:
        return Reached((dns, tcp, _in_clear(host)))
    patience = _Patience(sources)
    try:
        facts = sources.http.tls(host, port, _PATIENCE_S)
    except SourceError as error:
        failed = _failed("tls", error, unreachable, hurried=patience.hurried)
        return Reached((dns, tcp, failed), error.kind)
    tls = replace(_tls(facts, host, port), latency_ms=patience.latency_ms)
    left = (facts.not_after - facts.as_of).total_seconds()
    return Reached((dns, tcp, tls), None if facts.verified else Failure.TLS, left)


def _dns(host: str, sources: Sources) -> tuple[tuple[str, ...], Step | SourceError]:
    if _is_address(host):
        return (host,), Step("dns", Status.OK, "an address, no name")
    began = time.monotonic()
    try:
        addresses = sources.http.resolve(host)
    except SourceError as error:
        return (), error
    latency = (time.monotonic() - began) * 1000
    seen = ", ".join(addresses[:_MOST_ADDRESSES])
    more = len(addresses) - _MOST_ADDRESSES
    return addresses, Step(
        "dns",
        Status.OK,
        f"{seen} and {more} more" if more > 0 else seen,
        latency,
        {"addresses": len(addresses)},
    )


def _tcp(tried: tuple[Connected, ...], port: int, unreachable: Status, *, hurried: bool) -> Step:
    """All addresses down is the end; one of several is every so-many-th delivery."""
    up = [each for each in tried if each.latency_ms is not None]
    down = [each for each in tried if each.error is not None]
    slowest = max((each.latency_ms or 0.0 for each in up), default=None)
    if not up:
        error = down[0].error
        assert error is not None  # noqa: S101  it is in `down`
        return _failed("tcp", error, unreachable, hurried=hurried)
    # Without IPv6 here there is no telling about an address of that kind.
    telling = [each for each in down if each.error and each.error.kind is not Failure.UNREACHABLE]
    if telling:
        each = telling[0]
        assert each.error is not None  # noqa: S101  it is in `down`
        return Step(
            "tcp",
            Status.WARN,
            f"{len(telling)} of {len(tried)} addresses do not answer on port {port}: "
            f"{each.address} ({each.error.kind.value})",
            slowest,
            {each.address: each.error.kind.value for each in telling if each.error},
            (Action(f"Take {each.address} out of DNS, or bring it back: Stripe may choose it"),),
        )
    return Step("tcp", Status.OK, f"port {port} answers", slowest)


def _tls(facts: TlsFacts, host: str, port: int) -> Step:
    left = (facts.not_after - facts.as_of).total_seconds()
    detail = {
        "version": facts.version,
        "issuer": facts.issuer,
        "subject": facts.subject,
        "not_after": utc_text(facts.not_after),
    }
    where = shlex.quote(f"[{host}]:{port}" if ":" in host else f"{host}:{port}")
    look = f"openssl s_client -connect {where} -servername {shlex.quote(host)} -showcerts"
    if left <= 0:
        seen = (
            f"the certificate expired {human_duration(-left)} ago; Stripe delivers nothing over it"
        )
        renew = Action("Renew the certificate and reload what serves it", look)
        return Step("tls", Status.CRIT, seen, detail=detail, actions=(renew,))
    if not facts.verified:
        step = Step("tls", Status.CRIT, _unverified(facts, host), detail=detail)
        return replace(step, actions=(Action("See the chain that is sent", look),))
    status = EXPIRY.judge(left)
    seen = f"{facts.version}, verified; expires in {human_duration(left)}"
    issuer = f", issued by {facts.issuer}" if facts.issuer else ""
    renew = Action("Renew the certificate: its renewal seems to fail", look)
    return Step(
        "tls", status, seen + issuer, detail=detail, actions=() if status is Status.OK else (renew,)
    )


def _unverified(facts: TlsFacts, host: str) -> str:
    """What is wrong with a certificate in its time, in OpenSSL's words and ours."""
    reason = facts.reason.lower()
    if "local issuer" in reason or "first certificate" in reason:
        return (
            "the chain is not whole: the server sends its own certificate without the intermediate "
            f"one ({facts.reason})"
        )
    if "mismatch" in reason or "not valid for" in reason:
        names = ", ".join(facts.names[:4]) or facts.subject
        return f"the certificate is for {names}, not for {host}"
    return f"the certificate does not verify: {facts.reason}"


def _in_clear(host: str) -> Step:
    try:
        here = host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        here = False
    if here:
        return Step("tls", Status.SKIP, "http, on this machine")
    return Step(
        "tls",
        Status.WARN,
        "http: what Stripe tells can be read on the way, and live endpoints must be https",
        actions=(Action("Register the https address with Stripe"),),
    )


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _failed(name: str, error: SourceError, unreachable: Status, *, hurried: bool = False) -> Step:
    if hurried:
        return Step(name, Status.UNKNOWN, f"{LATE}: {error.told}")
    actions = (Action(error.hint),) if error.hint else ()
    return Step(
        name, unreachable, error.told, detail={"failure": error.kind.value}, actions=actions
    )


class _Patience:
    """Whether a failure had time enough to be one: what was cut short by the run's deadline says
    nothing of the other side."""

    def __init__(self, sources: Sources) -> None:
        self.began = time.monotonic()
        self._given = sources.deadline.within(_PATIENCE_S)

    @property
    def hurried(self) -> bool:
        return self._given < FAIR_S and self.latency_ms >= 900 * self._given

    @property
    def latency_ms(self) -> float:
        return (time.monotonic() - self.began) * 1000


def _not_asked(*names: str) -> tuple[Step, ...]:
    return tuple(Step(name, Status.SKIP, "not asked: there is no way") for name in names)
