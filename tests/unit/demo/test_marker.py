"""What is remembered between two starts."""

from pathlib import Path

from services.demo.marker import Marker, read_marker, write_marker


def test_marker_comes_back_and_is_its_owners_alone(tmp_path: Path) -> None:
    assert read_marker(tmp_path) is None
    marker = Marker("kw_a", "ks_b", "ka_c", seed=7, history_end_ms=1_790_000_000_000)
    write_marker(tmp_path, marker)
    assert read_marker(tmp_path) == marker
    (file,) = tmp_path.iterdir()
    assert file.stat().st_mode & 0o077 == 0
