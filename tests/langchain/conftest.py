"""What the tests of the LangChain adapter share; without LangChain none of them is collected."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from langchain_elanus import ElanusVectorStore

if find_spec("langchain_core") is None:
    collect_ignore_glob = ["test_*.py"]
elif find_spec("langchain_tests") is None:
    collect_ignore_glob = ["test_standard.py", "test_server.py"]


@pytest.fixture
def store() -> Iterator[ElanusVectorStore]:
    """An empty store of its own."""
    from langchain_elanus import ElanusVectorStore

    from tests.langchain.birds import Words

    store = ElanusVectorStore(Words(), path=":memory:")
    yield store
    store.close()


@pytest.fixture
def birds(store: ElanusVectorStore) -> ElanusVectorStore:
    """A store of five documents."""
    from tests.langchain.birds import BIRDS

    store.add_documents(BIRDS)
    return store
