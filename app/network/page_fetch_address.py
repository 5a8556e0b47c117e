"""Addresses of web pages: parsed once, strictly, by this module alone; and which machines may be visited.

What two parsers understand differently is refused: a fetcher that checks one host and visits another is how pages on
the user's own machine and network are stolen (server-side request forgery).
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import quote

from app.domain.errors import BadInputError

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
LONGEST_URL = 4000
_PORTS = {"http": 80, "https": 443}
_URL = re.compile(r"(https?)://([^/?#]*)([^#]*)(?:#.*)?", re.IGNORECASE)
_AUTHORITY = re.compile(r"(\[[^\[\]]*\]|[^:\[\]]*)(?::([0-9]{1,5}))?")
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_FIRST_FREE_PORT = 1024
_KEPT = "/?:@!$&'()*+,;=-._~%[]"
# Special-purpose ranges of the IANA registries (RFC 6890 and its successors).
_REFUSED_V4 = tuple(
    ipaddress.IPv4Network(network)
    for network in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
        "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
        "224.0.0.0/4", "240.0.0.0/4",
    )
)  # fmt: skip
# Only this is global unicast: loopback, IPv4-mapped, NAT64, private, link-local and multicast lie outside of it.
_GLOBAL_V6 = ipaddress.IPv6Network("2000::/3")
_REFUSED_V6 = tuple(
    ipaddress.IPv6Network(network) for network in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")
)


class PageAddressError(BadInputError):
    """This is no address of a public web page."""


@dataclass(frozen=True, slots=True)
class PageAddress:
    """An address taken apart. ``host`` is a name in ASCII or an IP address without brackets.

    ``target`` is the path, which begins with /, and the query.
    """

    scheme: str
    host: str
    port: int
    target: str

    @property
    def authority(self) -> str:
        """What the Host header says."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        """The address in its one normal form, without a fragment."""
        return f"{self.scheme}://{self.authority}{self.target}"

    @property
    def ip(self) -> IPAddress | None:
        """The IP address, if the host is one."""
        return ipaddress.ip_address(self.host) if _is_ip(self.host) else None


def parse_address(text: str) -> PageAddress:
    """Take an address apart. Raises ``PageAddressError`` for everything that is not plainly http or https."""
    url = text.strip()
    if len(url) > LONGEST_URL:
        raise PageAddressError("This address is too long for a web page.")
    if any(each.isspace() or not each.isprintable() or each == "\\" for each in url):
        raise PageAddressError(f"{_shown(url)} holds characters that don't belong in an address.")
    found = _URL.fullmatch(url)
    if found is None:
        raise PageAddressError(f"{_shown(url)} is no address of a web page. One begins with https:// or http://.")
    scheme, authority, target = found.group(1).lower(), found.group(2), found.group(3)
    if "@" in authority:
        raise PageAddressError(f"{_shown(url)} holds a user name or password. Give the address without it.")
    parts = _AUTHORITY.fullmatch(authority)
    if parts is None:
        raise PageAddressError(f"{_shown(url)} has no valid host name.")
    port = int(parts.group(2)) if parts.group(2) else _PORTS[scheme]
    if port not in _PORTS.values() and not _FIRST_FREE_PORT <= port < 1 << 16:
        raise PageAddressError(f"Port {port} is not one that serves web pages.")
    target = quote(target, safe=_KEPT)
    return PageAddress(scheme, _host(parts.group(1)), port, target if target.startswith("/") else f"/{target}")


def is_public(address: IPAddress) -> bool:
    """Whether an address belongs to a machine on the public internet, and to no other one in disguise."""
    if isinstance(address, ipaddress.IPv4Address):
        return not any(address in network for network in _REFUSED_V4)
    return address in _GLOBAL_V6 and not any(address in network for network in _REFUSED_V6)


def _host(text: str) -> str:
    if text.startswith("["):
        try:
            return str(
                ipaddress.IPv6Address(text[1:-1].replace("%", " "))
            )  # a zone names an interface of this computer
        except ValueError as error:
            raise PageAddressError(f"{_shown(text)} is no valid IP address.") from error
    name = _ascii(text).removesuffix(".")
    labels = name.split(".")
    if len(name) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise PageAddressError(f"“{_shown(text)}” is no valid host name.")
    if _NUMBER.fullmatch(labels[-1]):
        return _ipv4(name)
    return name


def _ipv4(name: str) -> str:
    """Only four decimal numbers; others (127.1, 0x7f.1, 2130706433) mean different things to different programs."""
    try:
        return str(ipaddress.IPv4Address(name))
    except ValueError as error:
        raise PageAddressError(f"“{_shown(name)}” is an unusual way to write an IP address; it is not used.") from error


def _ascii(host: str) -> str:
    if host.isascii():
        return host.lower()
    import idna

    try:
        return idna.encode(host, uts46=True, transitional=False).decode("ascii").lower()
    except (idna.IDNAError, UnicodeError) as error:
        raise PageAddressError(f"“{_shown(host)}” is no valid host name.") from error


def _is_ip(host: str) -> bool:
    return ":" in host or bool(_NUMBER.fullmatch(host.rpartition(".")[2]))


def _shown(text: str) -> str:
    """Text from outside, short and on one line."""
    harmless = "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in text)
    return harmless if len(harmless) <= 120 else harmless[:119] + "…"
