"""Another model's vectors for all rows: while others read and write, through crashes, and with nothing lost."""

from __future__ import annotations

import random
import signal
import threading
from collections.abc import Callable
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import apsw
import elanus
import numpy as np
import pytest
from elanus import DataType
from elanus.engine import reembedding
from elanus.storage import failpoints

from tests import fakes
from tests.behaviour.catalogue import assert_tidy
from tests.behaviour.fleet import children, needs_sigkill
from tests.behaviour.models import PARAMS, TEXTS, embedding, passages, rows
from tests.fakes import Words

pytestmark = pytest.mark.usefixtures("fake_models")

LARGE = {"provider": "words", "model_name": "large", "dim": 16, "salt": "new"}


def expected(texts: list[str]) -> Any:
    return Words("large", dim=16, salt="new").vectors(texts)


def contents(client: elanus.Client, name: str = "c") -> list[dict[str, Any]]:
    return [dict(row) for row in client.query(name, filter="id >= 0", output_fields=["*"])]


def assert_embedded(client: elanus.Client, name: str = "c") -> None:
    """Every row has the new model's vector of its text."""
    found = contents(client, name)
    assert len(found) == client.get_collection_stats(name)["row_count"]
    if found:
        np.testing.assert_array_equal([row["dense"] for row in found], expected([row["text"] for row in found]))


def hidden(folder: Path) -> list[str]:
    """The collections in the making, from the catalogue."""
    connection = apsw.Connection(str(folder / "catalog.sqlite"))
    try:
        return [name for (name,) in connection.execute("SELECT name FROM collection WHERE name LIKE '~%'")]
    finally:
        connection.close()


@pytest.fixture
def filled(client: elanus.Client) -> elanus.Client:
    """A client with a collection "c" in two segments and a tail, with dead rows."""
    passages(client)
    client.insert("c", rows())
    client.flush("c")
    client.insert("c", rows(["a kite that will die", "owl"], first=10))
    client.delete("c", ids=[10, 4])
    client.flush("c")
    client.upsert("c", rows(["a red kite"]))
    return client


def test_all_rows_get_the_new_models_vectors_and_keep_the_rest(filled: elanus.Client, folder: Path) -> None:
    before, indexes = contents(filled), filled.describe_index("c", "dense")
    assert filled.reembed("c", LARGE, batch_size=2) == {"reembed_count": 5}
    after = contents(filled)
    assert [{**row, "dense": None} for row in after] == [{**row, "dense": None} for row in before]
    assert_embedded(filled)
    described = filled.describe_collection("c")
    assert described["fingerprints"] == {"dense": "words/large/16/new/1"}
    assert described["functions"][0]["params"] == LARGE
    assert {field["name"]: field["params"].get("dim") for field in described["fields"]}["dense"] == 16
    assert filled.describe_index("c", "dense") == indexes
    assert filled.list_collections() == ["c"]
    (hits,) = filled.search("c", ["a red kite"], anns_field="dense", limit=1, output_fields=["words"])
    assert (hits.ids, hits[0]["entity"]) == ([0], {"words": 3})
    assert filled.search("c", ["owl"], anns_field="sparse")[0].ids == [11]
    filled.insert("c", rows(["an owl"], first=20))
    with elanus.connect(folder) as other:
        assert_embedded(other)
        other.flush("c")
        assert_embedded(other)
    filled.close()
    assert_tidy(folder)


def test_it_is_the_way_out_of_a_mismatch(filled: elanus.Client) -> None:
    Words.version = 2
    with pytest.raises(elanus.ModelMismatch):
        filled.insert("c", rows())
    filled.reembed("c")
    filled.insert("c", rows())
    assert filled.search("c", ["red fox"], anns_field="dense", limit=1)[0].ids == [2]
    assert filled.describe_collection("c")["fingerprints"] == {"dense": "words/small/8//2"}


def test_keys_that_the_store_gave_stay_and_the_next_ones_are_new(client: elanus.Client) -> None:
    schema = client.create_schema(auto_id=True)
    schema.add_field("dense", DataType.FLOAT_VECTOR, dim=8)
    schema.add_field("text", DataType.VARCHAR, max_length=100)
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_function(embedding())
    client.create_collection("c", schema=schema, index_params=client.prepare_index_params("dense"))
    given = client.insert("c", [{"text": text} for text in TEXTS])["ids"]
    client.flush("c")
    client.delete("c", ids=given[-1:])
    client.reembed("c", LARGE)
    assert [(row["id"], row["text"]) for row in contents(client)] == list(zip(given[:-1], TEXTS, strict=False))
    later = client.insert("c", [{"text": "later"}, {"text": "last"}])["ids"]
    assert min(later) > max(given)
    client.flush("c")
    assert_embedded(client)


def test_an_alias_can_move_to_the_new_collection_and_leave_the_old_one(filled: elanus.Client) -> None:
    filled.create_alias("c", "live")
    before = contents(filled)
    filled.reembed("live", LARGE, into="c_large")
    assert filled.list_collections() == ["c", "c_large"]
    assert filled.describe_alias("live")["collection_name"] == "c_large"
    assert contents(filled, "c") == before
    assert_embedded(filled, "live")
    assert filled.search("c", ["owl"], anns_field="dense", limit=1)[0].ids == [11]
    with pytest.raises(elanus.AlreadyExists, match="'c' exists"):
        filled.reembed("live", PARAMS, into="c")
    with pytest.raises(elanus.AliasNotFound, match="c_large"):
        filled.reembed("c_large", PARAMS, into="d")
    assert filled.describe_alias("live")["collection_name"] == "c_large"


def test_a_collection_keeps_its_aliases(filled: elanus.Client) -> None:
    filled.create_alias("c", "live")
    filled.reembed("live", LARGE)
    assert filled.describe_alias("live")["collection_name"] == "c"
    assert_embedded(filled, "live")


def test_a_field_without_function_is_filled_by_an_embedder(client: elanus.Client) -> None:
    client.create_collection("c", dimension=4)  # no text field at all
    with pytest.raises(elanus.InvalidArgument, match="text_field must be one of"):
        client.reembed("c", embedder=Words())
    schema = client.create_schema()
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("title", DataType.VARCHAR, max_length=100)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=4)
    schema.add_field("text", DataType.VARCHAR, max_length=100)
    schema.add_field("other", DataType.FLOAT_VECTOR, dim=2)
    indexes = client.prepare_index_params("vector")
    indexes.add_index("other")
    client.create_collection("d", schema=schema, index_params=indexes)
    data = [{"id": n, "title": "t", "vector": [1.0] * 4, "text": text, "other": [n, 1]} for n, text in enumerate(TEXTS)]
    client.insert("d", data)
    client.bind_fingerprint("d", "vector", "mine")
    model = Words("large", dim=16, salt="new")
    for options, message in (
        ({}, "field must be one of"),
        ({"field": "vector"}, "text_field must be one of"),
        ({"field": "vector", "text_field": "id"}, "text_field must be one of"),
    ):
        with pytest.raises(elanus.InvalidArgument, match=message):
            client.reembed("d", embedder=model, **options)
    client.reembed("d", embedder=model, field="vector", text_field="text", batch_size=2)
    found = contents(client, "d")
    np.testing.assert_array_equal([row["vector"] for row in found], expected(TEXTS))
    assert [row["other"] for row in found] == [[n, 1] for n in range(5)]
    assert client.describe_collection("d")["fingerprints"] == {"vector": model.fingerprint}
    client.insert("d", [{**data[0], "id": 9, "vector": [0.0] * 16}])
    client.flush("d")
    assert len(contents(client, "d")) == 6


def test_an_empty_collection_is_changed_too(client: elanus.Client) -> None:
    passages(client)
    assert client.reembed("c", LARGE) == {"reembed_count": 0}
    client.insert("c", rows())
    assert_embedded(client)


def test_progress_is_shown_if_asked_for(filled: elanus.Client, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("tqdm")
    filled.reembed("c", LARGE, show_progress=True, batch_size=2)
    assert "5/5" in capsys.readouterr().err


# While others read and write


class Meanwhile:
    """Runs an action while a text is embedded for the n-th time; each once."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *actions: Callable[[], Any]) -> None:
        self.left = list(actions)
        vectors = Words.vectors

        def interrupted(model: Words, texts: list[str]) -> Any:
            if self.left and model.salt == "new":
                self.left.pop(0)()
            return vectors(model, texts)

        monkeypatch.setattr(Words, "vectors", interrupted)


def test_what_is_written_and_deleted_meanwhile_is_carried_over(
    filled: elanus.Client, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with elanus.connect(folder, durability="os") as other:
        meanwhile = Meanwhile(
            monkeypatch,
            lambda: other.insert("c", rows(["new one", "new two"], first=30)),
            lambda: (other.delete("c", ids=[1]), other.upsert("c", rows(["fox again"], first=2))),
            lambda: (other.flush("c"), other.delete("c", filter="id == 30")),
            lambda: other.upsert("c", rows(["kite, back"], first=1)),
            lambda: (other.release_collection("c"), other.load_collection("c")),
        )
        filled.reembed("c", LARGE, batch_size=2)
        assert meanwhile.left == []
        texts = {0: "a red kite", 1: "kite, back", 2: "fox again", 3: TEXTS[3], 11: "owl", 31: "new two"}
        for client in (filled, other):
            assert {row["id"]: row["text"] for row in contents(client)} == texts
            assert_embedded(client)
        other.flush("c")
        assert {row["id"]: row["text"] for row in contents(filled)} == texts


@pytest.mark.parametrize("seed", range(8))
def test_any_writes_meanwhile_leave_what_they_say(
    client: elanus.Client, folder: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    choose = random.Random(seed)
    passages(client)
    texts = {n: f"text {n}" for n in range(30)}
    client.insert("c", rows(list(texts.values())))

    def act(writer: elanus.Client) -> None:
        keys = choose.sample(range(40), choose.randint(1, 6))
        kind = choose.choice(["upsert", "upsert", "delete", "filter", "flush", "nothing"])
        if kind == "upsert":
            said = {key: f"again {key} {choose.random()}" for key in keys}
            writer.upsert("c", [{"id": key, "text": text} for key, text in said.items()])
            texts.update(said)
        elif kind == "flush":
            writer.flush("c")
        elif kind != "nothing":
            writer.delete("c", **({"ids": keys} if kind == "delete" else {"filter": f"id in {keys}"}))
            for key in keys:
                texts.pop(key, None)

    with elanus.connect(folder, durability="os") as other:
        for _ in range(5):
            act(other)
        actions = [partial(act, choose.choice([client, other])) for _ in range(12)]
        meanwhile = Meanwhile(monkeypatch, *actions)
        client.reembed("c", LARGE, batch_size=choose.randint(1, 5))
        meanwhile.left.clear()
        for reader in (client, other):
            assert {row["id"]: row["text"] for row in contents(reader)} == texts
            assert_embedded(reader)
        act(other)
        assert {row["id"]: row["text"] for row in contents(client)} == texts
    client.close()
    with elanus.connect(folder) as later:
        assert {row["id"]: row["text"] for row in contents(later)} == texts
        later.flush("c")
        assert_embedded(later)


def test_a_writer_and_a_reader_beside_it_lose_nothing_and_never_find_it_half_done(
    filled: elanus.Client, folder: Path
) -> None:
    done, wrong, counts = threading.Event(), [], []
    written = {row["id"]: row["text"] for row in contents(filled)}

    def write() -> None:
        with elanus.connect(folder, durability="os") as client:
            key = 100
            while not done.is_set():
                client.insert("c", rows([f"text {key}", f"text {key + 1}"], first=key))
                written.update({key: f"text {key}", key + 1: f"text {key + 1}"})
                if key % 3 == 0:
                    client.delete("c", ids=[key])
                    del written[key]
                key += 2

    def read() -> None:
        with elanus.connect(folder, durability="os") as client:
            while not done.is_set():
                before = len(written)
                found = client.query("c", filter="id >= 0", output_fields=["text"])
                counts.append(len(found))
                if len(found) < before - 1:  # one delete may be under way
                    wrong.append((before, len(found)))
                assert client.search("c", ["red kite"], anns_field="dense", limit=3)[0]

    threads = [threading.Thread(target=run, name=run.__name__) for run in (write, read)]
    for thread in threads:
        thread.start()
    for params in (LARGE, PARAMS, LARGE):
        filled.reembed("c", params, batch_size=3)
    done.set()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert len(counts) > 3
    assert {row["id"]: row["text"] for row in contents(filled)} == written
    assert_embedded(filled)
    assert filled.list_collections() == ["c"]


def write_until_told(pipe: Connection, path: str, packages: str) -> None:
    """Insert rows, one a commit, until a message comes; tell their keys."""
    fakes.register(Path(packages))
    keys = []
    with elanus.connect(path, durability="os") as client:
        pipe.send("ready")
        while not pipe.poll():
            key = 1_000 + len(keys)
            client.insert("c", rows([f"theirs {key}"], first=key))
            keys.append(key)
    pipe.send(keys)


def test_a_writer_in_another_process_loses_nothing(filled: elanus.Client, folder: Path, fake_models: Path) -> None:
    with children() as start:
        writer = start(write_until_told, str(folder), str(fake_models))
        assert writer.receive() == "ready"
        while filled.get_collection_stats("c")["row_count"] < 20:
            pass
        filled.reembed("c", LARGE, batch_size=3)
        reached = filled.get_collection_stats("c")["row_count"]
        while filled.get_collection_stats("c")["row_count"] < reached + 5:
            pass
        writer.send("stop")
        keys = writer.receive()
    assert sorted(row["id"] for row in contents(filled)) == [0, 1, 2, 3, 11, *keys]
    assert_embedded(filled)


def test_a_writer_that_never_pauses_cannot_delay_it_for_ever(
    filled: elanus.Client, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with elanus.connect(folder, durability="os") as other:
        actions = [lambda key=key: other.insert("c", rows(["more"], first=key)) for key in range(200, 300)]
        meanwhile = Meanwhile(monkeypatch, *actions[: reembedding.PATIENT_ROUNDS])
        filled.reembed("c", LARGE)
        assert meanwhile.left == []
        assert filled.get_collection_stats("c")["row_count"] == 5 + reembedding.PATIENT_ROUNDS
        assert_embedded(other)


def test_it_is_given_up_when_the_collection_goes(
    filled: elanus.Client, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with elanus.connect(folder, durability="os") as other:
        for action in (
            lambda: other.rename_collection("c", "d"),
            lambda: (other.rename_collection("d", "c"), other.truncate_collection("c")),
            lambda: other.drop_collection("c"),
        ):
            with monkeypatch.context() as patch:
                Meanwhile(patch, action)
                name = "c" if filled.has_collection("c") else "d"
                with pytest.raises(elanus.StoreError, match="was dropped, truncated or renamed while"):
                    filled.reembed(name, LARGE, batch_size=1)
            if filled.has_collection("c"):
                filled.insert("c", rows())
    assert filled.list_collections() == []
    assert hidden(folder) == []


# What goes wrong


def test_a_model_that_fails_changes_nothing(
    filled: elanus.Client, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise ConnectionError("the server is gone")

    before = contents(filled)
    Meanwhile(monkeypatch, lambda: None, lambda: None, fail)
    with pytest.raises(elanus.ModelFailed, match=r"'emb', embedder 'words', model 'large'.*gone"):
        filled.reembed("c", LARGE, batch_size=1)
    assert contents(filled) == before
    assert hidden(folder) == []
    assert filled.describe_collection("c")["functions"][0]["params"] == PARAMS


def test_a_row_without_a_text_is_named_by_its_key(client: elanus.Client) -> None:
    schema = client.create_schema()
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("text", DataType.VARCHAR, max_length=100, nullable=True)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=2)
    client.create_collection("c", schema=schema, index_params=client.prepare_index_params("vector"))
    client.insert("c", [{"id": 7, "text": "a", "vector": [1, 1]}, {"id": 8, "text": None, "vector": [1, 1]}])
    with pytest.raises(elanus.RowError, match=r"row of key 8 cannot be embedded.*'text' is null"):
        client.reembed("c", embedder=Words())
    assert len(contents(client)) == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"field": "sparse"}, "one of \\['dense'\\], not 'sparse'"),
        ({"embedder": object()}, "embedder must have a method embed_documents"),
        ({"embedder": Words(), "function_params": LARGE}, "function_params or an embedder, not both"),
        ({"embedder": Words()}, "a function fills 'dense'; give its new function_params"),
        ({"text_field": "text"}, "text_field goes with embedder="),
        ({"batch_size": 0}, "batch_size must be a whole number"),
        ({"function_params": {"model_name": "large"}}, "needs params with a 'provider'"),
        ({"function_params": {"provider": "nobody's"}}, "'nobody's'.*pip install"),
        ({"function_params": {**LARGE, "dim": 1}}, "needs dim, 2 to 32768"),
        ({"into": "~1"}, "invalid collection name"),
        ({"bogus_option": 1}, "bogus_option"),
    ],
)
def test_arguments_that_cannot_be_are_refused(filled: elanus.Client, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(elanus.InvalidArgument, match=message):
        filled.reembed("c", **arguments)
    assert filled.list_collections() == ["c"]


def test_two_at_once_are_refused(filled: elanus.Client, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refused: list[type[Exception]] = []

    def again() -> None:
        with elanus.connect(folder) as other, pytest.raises(elanus.StoreBusy, match="another re-embedding") as caught:
            other.reembed("c", PARAMS)
        refused.append(caught.type)

    Meanwhile(monkeypatch, again)
    filled.reembed("c", LARGE)
    assert refused == [elanus.StoreBusy]
    assert_embedded(filled)


# Crashes


def reembed_and_die(pipe: Connection, path: str, packages: str, failpoint: str) -> None:
    """Re-embed with a failpoint armed."""
    fakes.register(Path(packages))
    client = elanus.connect(path)
    failpoints.arm(failpoint)
    client.reembed("c", LARGE, batch_size=2)
    pipe.send("survived")


@needs_sigkill
@pytest.mark.parametrize(
    ("failpoint", "changed"),
    [("reembed.copied", False), ("reembed.copied:3", False), ("reembed.inside", False), ("reembed.after", True)],
)
def test_a_crash_leaves_the_old_or_the_new_collection_whole(
    filled: elanus.Client, folder: Path, fake_models: Path, failpoint: str, changed: bool
) -> None:
    before = contents(filled)
    with children() as start:
        child = start(reembed_and_die, str(folder), str(fake_models), failpoint)
        assert child.rest() == []
        assert child.join() == -signal.SIGKILL
    assert filled.list_collections() == ["c"]
    if changed:
        assert_embedded(filled)
    else:
        assert contents(filled) == before
        assert len(hidden(folder)) == 1
    filled.insert("c", rows(["after the crash"], first=50))
    filled.reembed("c", LARGE)
    assert hidden(folder) == []
    assert_embedded(filled)
    assert len(contents(filled)) == 6
    filled.flush("c")
    filled.close()
    assert_tidy(folder)


@needs_sigkill
@pytest.mark.parametrize("end", [lambda c: c.drop_collection("c"), lambda c: c.truncate_collection("c")])
def test_what_a_crash_left_goes_with_the_collection(
    filled: elanus.Client, folder: Path, fake_models: Path, end: Callable[[elanus.Client], None]
) -> None:
    with children() as start:
        start(reembed_and_die, str(folder), str(fake_models), "reembed.copied").join()
    assert len(hidden(folder)) == 1
    end(filled)
    assert hidden(folder) == []
