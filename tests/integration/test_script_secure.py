"""The script on a site with a certificate, and on a page that was made ready beforehand."""

import datetime as dt
import shutil
import signal
from collections.abc import Iterator
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from playwright.sync_api import Browser

from tests.integration.script_site import create_site
from tests.integration.script_visitor import NO, YES, Line, Visitor, visiting
from tests.servers.process import need, start, stop, wait_until
from tests.servers.web import run_app


def _certificate(folder: Path) -> dict[str, Path]:
    """One of our own for localhost, as uvicorn is told of it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    names = [x509.DNSName("localhost"), x509.IPAddress(IPv4Address("127.0.0.1"))]
    now = dt.datetime.now(dt.UTC)
    day = dt.timedelta(days=1)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - day)
        .not_valid_after(now + day)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key, hashes.SHA256())
    )
    files = {"ssl_certfile": folder / "certificate.pem", "ssl_keyfile": folder / "key.pem"}
    files["ssl_certfile"].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    files["ssl_keyfile"].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return files


@pytest.fixture
def secure(chromium: Browser, line: Line, tmp_path: Path) -> Iterator[Visitor]:
    """A visitor of the same site over https."""
    with run_app(create_site(line.url), **_certificate(tmp_path)) as url:
        site = Line(line.wire, line.url, url.replace("127.0.0.1", "localhost"), line.tracker_url)
        yield from visiting(chromium.new_context(ignore_https_errors=True), site)


def test_over_https_the_cookie_goes_over_https_only(secure: Visitor) -> None:
    secure.visit()
    secure.hears("page")
    assert secure.cookie() is None
    secure.tell("'consent'", YES)
    secure.hears("page", count=2)
    kept = secure.cookie()
    assert kept is not None
    assert (kept["secure"], kept["sameSite"], kept["path"]) == (True, "Lax", "/")
    secure.visit("/two")
    (*_, seen) = secure.hears("page", count=3)
    assert seen["anonymousId"] == kept["value"].split(".")[0]
    secure.tell("'consent'", NO)
    wait_until(lambda: secure.cookie() is None, "the cookie to be gone")


def test_over_http_the_cookie_is_kept_all_the_same(visitor: Visitor) -> None:
    visitor.visit()
    visitor.tell("'consent'", YES)
    wait_until(lambda: visitor.cookie() is not None, "the cookie")
    kept = visitor.cookie()
    assert kept is not None
    assert not kept["secure"]


def test_a_page_made_ready_beforehand_counts_when_it_is_looked_at(
    line: Line, tmp_path: Path
) -> None:
    line.wire.said.clear()
    program = shutil.which("chromium") or need("chromium", "chromium")
    address = f"{line.site}/?ahead&scripts=stub,go&consent=measure,profile"
    # Whoever remotely controls a browser, as the other tests do, keeps it from making pages ready.
    flags = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path}"]
    browser = start([program, *flags, address], tmp_path / "browser.log")
    try:
        wait_until(lambda: bool(line.wire.of("track", "shown")), "the next page", timeout_s=60)
        wait_until(lambda: len(line.wire.of("page")) == 2, "both views")
    finally:
        stop(browser, signal.SIGTERM, 10)
    (shown,) = line.wire.of("track", "shown")
    assert shown["properties"]["made_ready"], "the page that was made ready is the one shown"
    first, second = line.wire.of("page")
    assert second["properties"]["url"].startswith(f"{line.site}/two")
    moments = [dt.datetime.fromisoformat(view["timestamp"]) for view in (first, second)]
    # The first page goes on 2.5 s after its script; made ready, the second was there long before.
    assert moments[1] - moments[0] > dt.timedelta(seconds=1), "nobody looked at it before"
    assert first["anonymousId"] == second["anonymousId"]
