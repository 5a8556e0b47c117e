"""Addresses of web pages: what is taken, what is refused, and which machines are public."""

from __future__ import annotations

import ipaddress
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.network.page_fetch_address import PageAddressError, is_public, parse_address

# Ways to write an address that browsers, resolvers and parsers disagree about, or that lead back to this machine.
REFUSED = [
    "http://127.1/",
    "http://127.0.1",
    "http://0x7f.1/",
    "http://0x7f000001",
    "http://017700000001/",
    "http://0177.0.0.1/",
    "http://2130706433/",
    "http://127.0.0.1.",
    "http://127.0.0.01/",
    "http://0/",
    "http://0x/",
    "http://1.2.3.256/",
    "http://1.2.3.4.5/",
    "http://user@example.com/",
    "http://user:secret@example.com/",
    "http://example.com@127.0.0.1/",
    "http://127.0.0.1:80@example.com/",
    "http://a\\@b.example/",
    "http://example.com\\.evil.example/",
    "http://exam ple.com/",
    "http://example.com\t/",
    "http://example.com\n.evil.example/",
    "http://exa\u200bmple.com/a\u202eb",
    "http://%31%32%37.0.0.1/",
    "http://[::1%25lo]/",
    "http://[fe80::1%eth0]/",
    "http://[::1/",
    "http://::1/",
    "http://[127.0.0.1]/",
    "http://example.com:0/",
    "http://example.com:22/",
    "http://example.com:65536/",
    "http://example.com:8o/",
    "http://example..com/",
    "http://.example.com/",
    "http://example.com../",
    "http:///path",
    "http://",
    "https:/example.com",
    "//example.com/",
    "example.com",
    "file:///etc/passwd",
    "ftp://example.com/",
    "gopher://example.com/",
    "javascript:alert(1)",
    "data:text/html,x",
    "unix:/var/run/docker.sock",
    "http://" + "a" * 64 + ".example/",
    "http://example.com/" + "a" * 4000,
    "",
]


@pytest.mark.parametrize("url", [url for url in REFUSED if url != "http://127.0.0.1."])
def test_addresses_that_could_mean_something_else_are_refused(url: str) -> None:
    with pytest.raises(PageAddressError):
        parse_address(url)


@pytest.mark.parametrize(
    ("url", "ip"),
    [
        ("http://127.0.0.1/", "127.0.0.1"),
        ("http://127.0.0.1./", "127.0.0.1"),
        ("http://１２７.０.０.１/", "127.0.0.1"),
        ("http://127。0。0。1/", "127.0.0.1"),
        ("http://①②⑦.0.0.1/", "127.0.0.1"),
        ("http://[::1]/", "::1"),
        ("http://[::ffff:127.0.0.1]/", "::ffff:7f00:1"),
        ("http://[0:0:0:0:0:ffff:7f00:1]:8080/", "::ffff:7f00:1"),
        ("http://[::127.0.0.1]/", "::7f00:1"),
        ("http://[64:ff9b::7f00:1]/", "64:ff9b::7f00:1"),
        ("http://169.254.169.254/latest/meta-data/", "169.254.169.254"),
    ],
)
def test_numeric_addresses_in_disguise_are_seen_for_what_they_are(url: str, ip: str) -> None:
    found = parse_address(url).ip
    assert found == ipaddress.ip_address(ip)
    assert not is_public(found)


@pytest.mark.parametrize(
    ("url", "normal"),
    [
        ("https://example.com", "https://example.com/"),
        ("HTTPS://EXAMPLE.com:443/A?b=c#part", "https://example.com/A?b=c"),
        ("http://example.com:8080?q=1", "http://example.com:8080/?q=1"),
        ("https://example.com./x", "https://example.com/x"),
        ("https://münchen.example/straße", "https://xn--mnchen-3ya.example/stra%C3%9Fe"),
        ("https://example.com/a%20b?x=[1]", "https://example.com/a%20b?x=[1]"),
        ("https://my_host.example/", "https://my_host.example/"),
        ("https://[2606:4700::1111]/", "https://[2606:4700::1111]/"),
        (" https://example.com/ ", "https://example.com/"),
    ],
)
def test_plain_addresses_get_one_normal_form(url: str, normal: str) -> None:
    assert parse_address(url).url == normal
    assert parse_address(normal).url == normal


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",
        "10.1.2.3",
        "100.64.0.1",
        "100.127.255.255",
        "127.0.0.1",
        "127.255.0.3",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.8",
        "192.168.1.1",
        "198.18.0.1",
        "224.0.0.1",
        "239.1.1.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::7f00:1",
        "::ffff:127.0.0.1",
        "::ffff:8.8.8.8",
        "64:ff9b::8.8.8.8",
        "64:ff9b:1::1",
        "100::1",
        "2001::1",
        "2001:db8::1",
        "2002:7f00:1::1",
        "3fff::1",
        "fc00::1",
        "fd12::1",
        "fe80::1",
        "fec0::1",
        "ff02::1",
    ],
)
def test_no_machine_of_ones_own_or_of_a_private_network_is_public(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "100.63.255.255", "172.32.0.1", "2606:4700::1111"])
def test_machines_on_the_internet_are_public(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


def _octal(number: int) -> str:
    return f"0{number:o}"


def _spellings(value: int) -> list[str]:
    """How the loopback address ``value`` can be written, other than as four decimal numbers."""
    a, b, c, d = value >> 24, value >> 16 & 255, value >> 8 & 255, value & 255
    tails = [f"{a}.{value & 0xFFFFFF}", f"{a}.{b}.{c * 256 + d}", str(value), hex(value), _octal(value)]
    mixed = [f"{hex(a)}.{b}.{c}.{d}", f"{_octal(a)}.{_octal(b)}.{c}.{d}", f"0{a}.{b}.{c}.{d}", f"{a}.{b}.{hex(c)}.{d}"]
    return [*tails, *mixed]


@given(st.integers(0x7F000000, 0x7FFFFFFF), st.integers(0, 8), st.sampled_from(["", "."]), st.booleans())
def test_no_spelling_of_a_loopback_address_is_taken(value: int, choice: int, dot: str, wide: bool) -> None:
    host = _spellings(value)[choice] + dot
    if wide:
        host = host.translate({ord(digit): 0xFF10 + number for number, digit in enumerate(string.digits)})
    with pytest.raises(PageAddressError):
        parse_address(f"http://{host}/")


@given(st.ip_addresses(v=4))
def test_an_address_inside_ipv6_is_never_public(address: ipaddress.IPv4Address) -> None:
    for prefix in ("::ffff:0:0", "64:ff9b::", "::"):
        inside = ipaddress.IPv6Address(int(ipaddress.IPv6Address(prefix)) + int(address))
        found = parse_address(f"http://[{inside}]/").ip
        assert found == inside
        assert not is_public(inside)


_ANY_URL = st.builds(
    "{}{}{}{}".format,
    st.sampled_from(["http://", "https://", "HTTP://", "http:/", "//", ""]),
    st.text(alphabet=st.sampled_from("ab.1270x:@[]%/\\-_０１。①é ßxn--"), max_size=24),
    st.sampled_from(["", ":80", ":8080", ":x", "@127.0.0.1", "."]),
    st.text(max_size=12).map(lambda text: "/" + text),
)


@given(_ANY_URL)
def test_whatever_is_typed_there_is_one_host_and_it_is_what_is_asked_for(url: str) -> None:
    """The normal form holds nothing that another parser could read differently."""
    try:
        address = parse_address(url)
    except PageAddressError:
        return
    assert address.url.isascii()
    assert parse_address(address.url) == address
    assert "@" not in address.authority
    assert "\\" not in address.url
    bare = address.host
    if bare.replace(".", "").isdigit():
        assert bare == str(ipaddress.IPv4Address(bare))
