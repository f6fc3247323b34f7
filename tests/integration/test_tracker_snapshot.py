"""The snapshot over real HTTP: asked for changes only, kept on disk."""

import asyncio
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from services.contract import snapshot as wire
from services.contract.snapshot import Snapshot
from services.tracker.snapshot_keeper import SnapshotKeeper
from services.tracker.snapshot_source import HttpSnapshotSource
from tests.unit.tracker.scene import SNAPSHOT


class Api(BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path != "/internal/snapshot" or self.headers["Authorization"] != "Bearer inside":
            self.send_error(401)
            return
        etag = f'"{self.server.snapshot.version}"'
        if self.headers["If-None-Match"] == etag:
            self.send_response(304)
            self.end_headers()
            return
        body = wire.encode(self.server.snapshot)
        self.send_response(200)
        self.send_header("ETag", etag)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def api():
    with ThreadingHTTPServer(("127.0.0.1", 0), Api) as server:
        server.snapshot = SNAPSHOT
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def source_of(api, key="inside"):
    return HttpSnapshotSource(f"http://127.0.0.1:{api.server_port}/", key)


def test_only_changes_are_fetched(api):
    source = source_of(api)
    assert source() == SNAPSHOT
    assert source() is None
    api.snapshot = Snapshot("2")
    assert source() == Snapshot("2")
    source.close()


def test_a_wrong_internal_key_is_an_error(api):
    source = source_of(api, "guess")
    with pytest.raises(httpx.HTTPStatusError):
        source()
    source.close()


def test_what_was_fetched_serves_when_the_api_is_away(api, tmp_path):
    source = source_of(api)

    async def fetch_once():
        keeper = SnapshotKeeper(source, tmp_path)
        await keeper.start()
        await keeper.stop()
        return keeper.directory

    assert asyncio.run(fetch_once()).version == SNAPSHOT.version
    assert (tmp_path / "snapshot.json").stat().st_mode & 0o777 == 0o600

    async def start_alone():
        keeper = SnapshotKeeper(lambda: None, tmp_path)
        await keeper.start()
        await keeper.stop()
        return keeper.directory

    assert asyncio.run(start_alone()).entry_of("kw_shop").workspace_id == 3
    (tmp_path / "snapshot.json").write_bytes(b"half a snaps")
    assert asyncio.run(start_alone()) is None
    source.close()
