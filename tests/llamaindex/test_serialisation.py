"""A store, an embedding and a reranker as dicts: enough to open them again, and no secret."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import elanus
import pytest
from llama_index.vector_stores.elanus import ElanusVectorStore

from tests.llamaindex.bird_notes import Lengths, ids, nodes


def test_a_store_opens_again_from_its_dict(folder: Path) -> None:
    store = ElanusVectorStore(str(folder), "birds", durability="os", metric_type="IP", text_field="body", batch_size=7)
    store.add(nodes())
    data = json.loads(store.to_json())
    assert data["class_name"] == ElanusVectorStore.class_name() == "ElanusVectorStore"
    again = ElanusVectorStore.from_dict(data)
    assert again.to_dict() == store.to_dict()
    assert ids(again.get_nodes()) == ids(store.get_nodes())
    assert ElanusVectorStore.from_json(store.to_json(), client=store.client).client is store.client
    for opened in (again, store):
        opened.close()


def test_no_secret_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    connected: list[tuple[Any, Any]] = []

    class Server:
        def drop_collection(self, name: str) -> None: ...

    def connect(uri: str, **options: Any) -> Server:
        connected.append((uri, options))
        return Server()

    monkeypatch.setattr(elanus, "connect", connect)
    store = ElanusVectorStore(
        "https://ann:s3cret@example.org:19530/x", token="t0ken", user="ann", password="s3cret", db_name="birds"
    )
    assert connected[0][0] == "https://ann:s3cret@example.org:19530/x"
    assert connected[0][1] == {
        "durability": "fsync",
        "token": "t0ken",
        "user": "ann",
        "password": "s3cret",
        "db_name": "birds",
    }
    for shown in (store.to_json(), repr(store), str(store), json.dumps(store.dict())):
        assert "s3cret" not in shown
        assert "t0ken" not in shown
    assert store.to_dict()["uri"] == "https://example.org:19530/x"
    ElanusVectorStore.from_dict(store.to_dict(), token="t0ken")
    assert connected[1][0] == "https://example.org:19530/x"
    assert connected[1][1]["token"] == "t0ken"


def test_overwrite_is_for_once(folder: Path) -> None:
    store = ElanusVectorStore(str(folder), durability="os", overwrite=True)
    store.add(nodes())
    again = ElanusVectorStore.from_dict(store.to_dict())
    assert len(again.get_nodes()) == len(nodes())
    again.close()
    store.close()


def test_a_store_survives_pickling(folder: Path) -> None:
    store = ElanusVectorStore(str(folder), durability="os", reranker=Lengths())
    store.add(nodes())
    again = pickle.loads(pickle.dumps(store))
    assert ids(again.get_nodes()) == ids(store.get_nodes())
    again.close()
    store.close()


def test_a_store_wants_an_address_or_a_client(client: elanus.Client, folder: Path) -> None:
    with pytest.raises(elanus.InvalidArgument, match="give uri="):
        ElanusVectorStore()
    with pytest.raises(elanus.InvalidArgument, match="give client= or token, not both"):
        ElanusVectorStore(client=client, token="t")
    with pytest.raises(ValueError, match="dimension"):
        ElanusVectorStore(str(folder), dimension=3)
    with pytest.raises(elanus.NotSupported, match="token"):
        ElanusVectorStore(str(folder), token="t")
