"""Where webhooks may go."""

import pytest

from services.contract.target import TargetError, check_addresses, networks_of, target_of

REFUSED_URLS = [
    "ftp://example.org/", "https://", "https:///x", "example.org", "//example.org",
    "https://user:secret@example.org/", "https://example.org/#x", "https://exa mple.org/",
    "https://2130706433/", "https://0x7f000001/", "https://017700000001/", "https://127.1/",
    "https://0177.0.0.1/", "https://0x7f.0.0.1/", "https://127.0.0.1.0x7f/", "https://1.2.3/",
    "https://[::1", "https://[fe80::1%25eth0]/", "https://[v1.x]/", "https://example.org:99999/",
    "https://example.org:x/", "https://１２７.0.0.1/", "https://ｅxample.org/", "https://a_/\\b",
    "https://evil.example\\@inside/", "https://%31%32%37.0.0.1/", "https://.example.org/",
    "https://-x.example/", "https://example..org/", "javascript:alert(1)", "https://x/\r\nHost: y",
    "https://example.org/" + "x" * 2000,
]  # fmt: skip
INSIDE = [
    "127.0.0.1", "127.255.255.254", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.0.1",
    "169.254.169.254", "100.64.0.1", "100.100.100.200", "192.0.0.192", "198.18.0.1", "224.0.0.1",
    "255.255.255.255", "240.0.0.1", "168.63.129.16", "::1", "::", "fe80::1", "fc00::1",
    "fd00:ec2::254", "fec0::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254",
    "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "2002:7f00:1::",
    "2001:0:1::1", "fe80::1%eth0", "2001:db8::1", "192.0.2.1",
]  # fmt: skip


@pytest.mark.parametrize("url", REFUSED_URLS)
def test_odd_ways_to_write_an_address_are_refused(url: str) -> None:
    with pytest.raises(TargetError):
        target_of(url)


@pytest.mark.parametrize("address", INSIDE)
def test_addresses_inside_are_refused_unless_they_are_ones_own(address: str) -> None:
    target = target_of("https://hooks.example.org/x")
    with pytest.raises(TargetError):
        check_addresses(target, [address], ())
    with pytest.raises(TargetError):
        check_addresses(target, ["93.184.215.14", address], ())


@pytest.mark.parametrize(
    "address", ["93.184.215.14", "2606:2800:21f:cb07::1", "64:ff9b::5db8:d70e"]
)
def test_the_outside_is_reached_by_https_alone(address: str) -> None:
    assert check_addresses(target_of("https://x.example/"), [address, address], ()) == [address]
    with pytest.raises(TargetError):
        check_addresses(target_of("http://x.example/"), [address], ())


def test_ones_own_networks_are_named() -> None:
    own = networks_of("10.1.0.0/16, fd00::/8")
    for scheme in ("http", "https"):
        target = target_of(f"{scheme}://crm.inside:8080/x?y=1")
        assert target.port == 8080
        assert check_addresses(target, ["10.1.2.3", "fd00::1"], own) == ["10.1.2.3", "fd00::1"]
        for address in ("10.2.0.1", "127.0.0.1", "::ffff:10.1.2.3", "::1"):
            with pytest.raises(TargetError):
                check_addresses(target, [address], own)
    with pytest.raises(TargetError):
        check_addresses(target_of("https://x.example/"), [], own)
    with pytest.raises(ValueError, match="network"):
        networks_of("10.0.0.0/33")


def test_what_a_url_says() -> None:
    assert target_of("https://xn--bcher-kva.example./a") == (True, "xn--bcher-kva.example", 443)
    assert target_of("http://127.0.0.1/") == (False, "127.0.0.1", 80)
    assert target_of("https://[2606:2800::1]:8443/") == (True, "2606:2800::1", 8443)
