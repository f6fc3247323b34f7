"""Hits answered by the protocol and by plain ASGI: the same bytes, whatever is sent."""

import gzip
import inspect
import json
import re
from pathlib import Path

import httptools
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from services.tracker.hit import Hit
from tests.integration.tracker_process import call, stored
from tests.integration.two_ways import Reader, Way, comparable, run_way
from tests.unit.tracker.scene import TOKENS, with_tokens

GOLDEN = sorted((Path(__file__).parents[1] / "golden" / "tracker").glob("*.json"))
OPEN = f"/o/{TOKENS['{LINK}']}.{TOKENS['{PERSON}']}.gif".encode()
CLICK = f"/c/{TOKENS['{LINK}']}.{TOKENS['{PERSON}']}".encode()
POST = b"POST /v1/track HTTP/1.1\r\nHost: t\r\nAuthorization: Basic a3dfc2hvcDo=\r\n"


@pytest.fixture(scope="module")
def ways(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ways")
    with (
        run_way(folder / "hits") as by_protocol,
        run_way(folder / "asgi", answers_hits=False) as by_asgi,
    ):
        yield by_protocol, by_asgi


def answers(way: Way, data: bytes, methods: list[str]) -> list[bytes]:
    with way.connect() as connection:
        connection.sendall(data)
        reader = Reader(connection)
        return [comparable(reader.answer(method)) for method in methods]


def same_answers(ways, data: bytes, *methods: str) -> list[bytes]:
    by_protocol, by_asgi = (answers(way, data, [*methods]) for way in ways)
    assert by_protocol == by_asgi
    assert all(answer.startswith(b"HTTP/1.1 ") for answer in by_protocol)
    return by_protocol


def post(content: bytes, *headers: bytes, path: bytes = b"/v1/track") -> bytes:
    lines = (*headers, b"Content-Length: %d" % len(content))
    head = POST.replace(b"/v1/track", path, 1)
    return head + b"".join(line + b"\r\n" for line in lines) + b"\r\n" + content


def get(path: bytes, *headers: bytes, method: bytes = b"GET", version: bytes = b"1.1") -> bytes:
    lines = b"".join(line + b"\r\n" for line in (b"Host: t", *headers))
    return b"%b %b HTTP/%b\r\n%b\r\n" % (method, path, version, lines)


@pytest.mark.parametrize("file", GOLDEN, ids=lambda file: file.stem)
def test_recorded_requests(ways, file):
    told = json.loads(file.read_text("utf-8"))["request"]
    body = told.get("raw") or (json.dumps(told["body"]) if "body" in told else "")
    content = with_tokens(body).encode()
    method = told.get("method", "POST")
    query = f"?{told['query']}" if told.get("query") else ""
    lines = [f"{name}: {value}" for name, value in told.get("headers", {}).items()]
    if method == "POST":
        lines.append(f"Content-Length: {len(content)}")
    address = with_tokens(told["path"]) + query
    head = "\r\n".join([f"{method} {address} HTTP/1.1", "Host: t", *lines, "", ""])
    same_answers(ways, head.encode() + content, method)


ODD = {
    "head": (get(OPEN, method=b"HEAD"), "HEAD"),
    "head of a click": (get(CLICK, method=b"HEAD"), "HEAD"),
    "head of a call": (get(b"/v1/track", method=b"HEAD"), "HEAD"),
    "http 1.0": (get(OPEN, version=b"1.0"), "GET"),
    "http 1.0 that would stay": (get(OPEN, b"Connection: keep-alive", version=b"1.0"), "GET"),
    "close": (get(CLICK, b"Connection: close"), "GET"),
    "other methods": (get(OPEN, method=b"PUT"), "PUT"),
    "get where one posts": (get(b"/v1/track"), "GET"),
    "preflight": (get(b"/v1/track", b"Origin: https://a.example", method=b"OPTIONS"), "OPTIONS"),
    "options of a pixel": (get(b"/p.gif", method=b"OPTIONS"), "OPTIONS"),
    "escaped path": (get(b"/%70.gif?key=kw_shop"), "GET"),
    "escaped line end": (get(b"/c/%0d%0aLocation:x"), "GET"),
    "double slash": (get(b"//p.gif"), "GET"),
    "with its host": (get(b"http://t/p.gif?key=kw_shop"), "GET"),
    "fragment": (get(b"/p.gif?key=kw_shop#x"), "GET"),
    "empty query": (get(b"/p.gif?"), "GET"),
    "two question marks": (get(b"/p.gif?key=kw_shop&url=https://x.example/?a=b"), "GET"),
    "no route": (get(b"/v1/nothing"), "GET"),
    "a hook that nobody made": (post(b"[]", path=b"/hooks/sendgrid/none"), "POST"),
    "a get with a body": (get(OPEN, b"Content-Length: 2") + b"{}", "GET"),
    "upgrade": (get(OPEN, b"Connection: Upgrade", b"Upgrade: h2c"), "GET"),
    "upgraded post": (post(call("up"), b"Connection: Upgrade", b"Upgrade: h2c"), "POST"),
    "nothing posted": (post(b""), "POST"),
    "no length at all": (POST + b"\r\n", "POST"),
    "chunked": (
        POST + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(c), c)
        if (c := call("chunked"))
        else b"",
        "POST",
    ),
    "packed": (post(gzip.compress(call("packed"))), "POST"),
    "packed and broken": (post(gzip.compress(call("packed"))[:-9]), "POST"),
    "a bomb": (post(gzip.compress(bytes(32 * 2**20))), "POST"),
    "too large": (post(b"x" * (5 * 2**20)), "POST"),
    "close after a post": (post(call("last"), b"Connection: close"), "POST"),
    "two kinds of length": (
        POST + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST",
    ),
    "two lengths": (POST + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}", "POST"),
    "length below zero": (POST + b"Content-Length: -1\r\n\r\n{}", "POST"),
    "folded header": (get(OPEN, b"X-A: 1\r\n 2"), "GET"),
    "blank before colon": (get(OPEN, b"Content-Length : 2"), "GET"),
    "not http": (b"\x16\x03\x01\x02\x00\x01\x00\x01", "GET"),
    "expected": (post(call("expected"), b"Expect: 100-continue"), "GET", "POST"),
    "expected in vain": (get(OPEN, b"Expect: 100-continue"), "GET"),
    "a row of hits": (get(OPEN) + post(call("row")) + get(CLICK), "GET", "POST", "GET"),
    "a mixed row": (
        get(OPEN) + get(b"/healthz") + post(call("mixed")) + get(b"/healthz") + get(OPEN),
        *("GET", "GET", "POST", "GET", "GET"),
    ),
    "heads in a row": (
        get(b"/p.gif", method=b"HEAD") + get(b"/p.gif") + get(b"/o/forged.gif"),
        *("HEAD", "GET", "GET"),
    ),
    "nothing after a close": (get(OPEN, b"Connection: close") + get(OPEN), "GET"),
}


@pytest.mark.parametrize("name", ODD)
def test_odd_requests(ways, name):
    data, *methods = ODD[name]
    same_answers(ways, data, *methods)


def test_what_stands_behind_a_last_request_is_not_taken(ways):
    for way in ways:
        before = len(stored(way.data))
        with way.connect() as connection:
            connection.sendall(get(OPEN, b"Connection: close") + get(OPEN) + post(call("behind")))
            reader = Reader(connection)
            assert b"connection: close" in reader.answer()
            assert reader.is_at_end()
        assert len(stored(way.data)) == before + 1


def test_hits_do_not_come_to_the_application(ways):
    by_protocol, by_asgi = ways
    for way in ways:
        way.asked.clear()
        answers(way, get(OPEN), ["GET"])
        answers(way, post(call("by-itself")), ["POST"])
        answers(way, get(b"/healthz"), ["GET"])
    assert by_protocol.asked == ["/healthz"]
    assert by_asgi.asked == [OPEN.decode(), "/v1/track", "/healthz"]


def test_both_ways_store_the_same(ways):
    kept = []
    for way in ways:
        answers(way, get(OPEN) + post(call("same")), ["GET", "POST"])
        opened, read = stored(way.data)[-2:]
        assert (opened.type, read.type) == ("open", "read")
        kept.append((opened.identities, opened.machine, read.identities, read.event_id))
    assert kept[0] == kept[1]


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet=st.characters(min_codepoint=33, max_codepoint=126), max_size=40))
def test_addresses_are_cut_as_uvicorn_cuts_them(rest):
    url = b"/" + rest.encode()
    if b"#" in url:
        return  # left to uvicorn
    path, _, query = url.partition(b"?")
    parsed = httptools.parse_url(url)
    assert (parsed.path, parsed.query or b"") == (path, query)


def test_uvicorn_asks_of_a_cycle_what_a_hit_has():
    source = inspect.getsource(HttpToolsProtocol)
    asked = set(re.findall(r"\bcycle\.(\w+)", source))
    only_of_its_own = {"more_body", "run_asgi"}  # of cycles that it began itself
    assert asked - only_of_its_own <= {*dir(Hit)}
    assert only_of_its_own <= asked
    overridden = {
        *("connection_made", "connection_lost", "data_received", "resume_writing"),
        *("on_message_begin", "on_header", "on_headers_complete", "on_body"),
        *("on_message_complete", "on_response_complete"),
        *("_unset_keepalive_if_required", "timeout_keep_alive_handler"),
    }
    assert overridden <= {*vars(HttpToolsProtocol)}
