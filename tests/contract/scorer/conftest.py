"""A scene over each of the two databases."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.scorer.scene import Scene


@pytest.fixture
def scene(database_url: str, tmp_path: Path) -> Iterator[Scene]:
    scene = Scene(database_url, tmp_path)
    yield scene
    scene.close()


@pytest.fixture
def secret(scene: Scene) -> None:
    """The scene has a secret."""
    scene.secret()
