"""What the tests of the LlamaIndex adapter share; without llama-index none of them is collected."""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from llama_index.vector_stores.elanus import ElanusVectorStore

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # old releases of llama-index-core warn when a newer pydantic is there
    try:
        importlib.import_module("llama_index.core")
    except ModuleNotFoundError:
        collect_ignore_glob = ["test_*.py"]


@pytest.fixture(autouse=True)
def offline() -> None:
    """No network: words for tokens, letters for an embedding model, a model that repeats its prompt."""
    from llama_index.core import Settings, set_global_tokenizer
    from llama_index.core.llms import MockLLM

    from tests.llamaindex.bird_notes import Letters

    set_global_tokenizer(str.split)
    Settings.tokenizer = str.split
    Settings.embed_model = Letters()
    Settings.llm = MockLLM(max_tokens=8)


@pytest.fixture
def store(folder: Path) -> Iterator[ElanusVectorStore]:
    """An empty vector store in `folder`."""
    from llama_index.vector_stores.elanus import ElanusVectorStore

    from tests.llamaindex.bird_notes import DIM

    opened = ElanusVectorStore(str(folder), durability="os", dim=DIM)
    yield opened
    opened.close()
