"""The shelf in each layout, made once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.reading.shelf import LAYOUTS, Shelf, make_shelf


@pytest.fixture(scope="session", params=LAYOUTS)
def shelf(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shelf]:
    """A filled store that no test changes."""
    made = make_shelf(tmp_path_factory.mktemp("reading") / "store", request.param)
    yield made
    made.client.close()
