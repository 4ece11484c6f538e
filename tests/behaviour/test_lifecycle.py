"""Opening, closing, reopening; private stores; folders that are no stores; the end of the interpreter."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import apsw
import elanus
import pytest
from elanus.engine import maintenance

from tests import shapes

OPTIONAL = (
    "pyarrow", "apsw", "numpy", "faiss", "tantivy", "turbovec", "onnx", "onnxruntime", "tokenizers", "pandas", "polars",
    "pymilvus", "torch", "grpc", "typer", "rich", "tqdm", "langchain_core", "llama_index",
)  # fmt: skip


def run_python(code: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run code in a fresh interpreter that finds the same packages; warnings are shown."""
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p), **environment}
    command = [sys.executable, "-W", "default", "-c", code, *arguments]
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=False)


def fill(client: elanus.Client) -> None:
    client.create_collection("c", dimension=shapes.DIM)
    client.insert("c", [{"id": n, "vector": [float(n + 1)] * shapes.DIM, "color": "red"} for n in range(10)])


def ids(client: elanus.Client) -> list[int]:
    return [row["id"] for row in client.query("c", filter='color == "red"', output_fields=["id"])]


def test_rows_are_there_after_reopening(folder: Path) -> None:
    with elanus.connect(folder) as client:
        fill(client)
        before = client.query("c", filter="id >= 0", output_fields=["*"])
        described = client.describe_collection("c")
    with elanus.connect(folder) as client:
        assert client.list_collections() == ["c"]
        assert client.query("c", filter="id >= 0", output_fields=["*"]) == before
        assert client.describe_collection("c") == described
        (hits,) = client.search("c", [[1.0] * shapes.DIM], limit=3)
        assert len(hits) == 3


def test_what_one_client_does_the_other_sees_at_once(folder: Path) -> None:
    with elanus.connect(folder, durability="os") as one, elanus.connect(folder, durability="os") as two:
        fill(one)
        assert len(ids(two)) == 10
        for key in range(10):
            writer, reader = (one, two) if key % 2 else (two, one)
            writer.delete("c", ids=[key])
            assert key not in ids(reader)
        two.rename_collection("c", "d")
        assert one.list_collections() == ["d"]
        with pytest.raises(elanus.CollectionNotFound):
            ids(one)
        one.drop_collection("d")
        assert not two.has_collection("d")
        fill(two)
        assert len(ids(one)) == 10


def test_the_context_manager_closes_and_close_may_be_repeated(folder: Path) -> None:
    with elanus.connect(folder) as client:
        fill(client)
    client.close()
    client.close()
    for use in USES:
        with pytest.raises(elanus.StoreClosed):
            use(client)
    assert "closed" in repr(client)


USES: tuple[Any, ...] = (
    lambda c: c.list_collections(),
    lambda c: c.has_collection("c"),
    lambda c: c.create_collection("d", dimension=4),
    lambda c: c.drop_collection("c"),
    lambda c: c.rename_collection("c", "d"),
    lambda c: c.truncate_collection("c"),
    lambda c: c.describe_collection("c"),
    lambda c: c.get_collection_stats("c"),
    lambda c: c.insert("c", [{"id": 1, "vector": [1.0] * shapes.DIM}]),
    lambda c: c.upsert("c", [{"id": 1, "vector": [1.0] * shapes.DIM}]),
    lambda c: c.delete("c", ids=[1]),
    lambda c: c.delete("c", filter="id > 1"),
    lambda c: c.get("c", [1]),
    lambda c: c.query("c", filter="id > 1"),
    lambda c: c.search("c", [[1.0] * shapes.DIM]),
    lambda c: c.hybrid_search(
        "c", [elanus.AnnSearchRequest([[1.0] * shapes.DIM], "vector", {}, 5)], elanus.RRFRanker()
    ),
    lambda c: c.create_index("c", c.prepare_index_params("vector")),
    lambda c: c.list_indexes("c"),
    lambda c: c.describe_index("c", "vector"),
    lambda c: c.drop_index("c", "vector"),
    lambda c: c.load_collection("c"),
    lambda c: c.release_collection("c"),
    lambda c: c.get_load_state("c"),
    lambda c: c.flush("c"),
)


@pytest.mark.parametrize("path", [":memory:", None])
def test_a_private_store_is_nobody_elses_and_ends_with_its_client(path: str | None) -> None:
    with elanus.connect(path) as one, elanus.connect(path) as two:
        fill(one)
        one.flush("c")
        assert two.list_collections() == []
        assert one.path != two.path
        assert Path(one.path).is_dir()
        assert len(ids(one)) == 10
    assert not Path(one.path).exists()
    assert not Path(two.path).exists()


def test_a_private_store_left_open_is_removed_at_the_end_of_the_interpreter() -> None:
    code = (
        "import elanus\nclient = elanus.connect(':memory:')\nclient.create_collection('c', dimension=4)\n"
        "client.insert('c', [{'id': 1, 'vector': [1, 2, 3, 4]}])\nclient.flush('c')\nprint(client.path)"
    )
    ended = run_python(code)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert not Path(ended.stdout.strip()).exists()


def test_an_interpreter_that_ends_without_close_loses_nothing_and_says_nothing(folder: Path) -> None:
    code = (
        "import sys, elanus\nfrom elanus.engine import maintenance\nmaintenance.FLUSH_BYTES = 1000\n"
        "client = elanus.connect(sys.argv[1])\nclient.create_collection('c', dimension=4)\n"
        "for batch in range(30):\n"
        "    client.insert('c', [{'id': batch * 10 + n, 'vector': [1, 2, 3, n], 'color': 'red'} for n in range(10)])"
    )
    ended = run_python(code, str(folder))
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
    with elanus.connect(folder) as client:
        assert ids(client) == list(range(300))


def test_an_exception_that_ends_the_interpreter_is_the_only_thing_said(folder: Path) -> None:
    code = (
        "import sys, elanus\nclient = elanus.connect(sys.argv[1])\nclient.create_collection('c', dimension=4)\n"
        "client.insert('c', [{'id': 1, 'vector': [1, 2, 3, 4], 'color': 'red'}])\nraise SystemExit('that was it')"
    )
    ended = run_python(code, str(folder))
    assert (ended.returncode, ended.stderr) == (1, "that was it\n")
    with elanus.connect(folder) as client:
        assert ids(client) == [1]


def test_importing_elanus_imports_no_third_party_package() -> None:
    ended = run_python("import sys, elanus\nprint(*sorted({name.partition('.')[0] for name in sys.modules}))")
    assert ended.stderr == ""
    assert sorted(set(ended.stdout.split()) & set(OPTIONAL)) == []


def test_a_first_search_imports_no_optional_package(folder: Path) -> None:
    code = (
        "import sys, elanus\nwith elanus.connect(sys.argv[1]) as client:\n"
        "    client.create_collection('c', dimension=4)\n    client.insert('c', [{'id': 1, 'vector': [1, 2, 3, 4]}])\n"
        "    client.search('c', [[1, 2, 3, 4]])\n"
        "print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    )
    ended = run_python(code, str(folder))
    assert ended.stderr == ""
    needed = {"numpy", "pyarrow", "apsw", "turbovec", "faiss", "tantivy", "pandas"}  # pyarrow itself imports pandas
    assert sorted(set(ended.stdout.split()) & (set(OPTIONAL) - needed)) == []


def test_the_folder_may_be_a_str_or_a_path_and_is_made_with_its_parents(tmp_path: Path) -> None:
    deep = tmp_path / "a" / "b c" / "größe"
    with elanus.connect(str(deep)) as client:
        fill(client)
    with elanus.connect(deep) as client:
        assert len(ids(client)) == 10
        assert client.path == str(deep)


def test_a_relative_path_stays_the_same_store_when_the_working_folder_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with elanus.connect("store") as client:
        fill(client)
        monkeypatch.chdir("/")
        client.flush("c")
        assert len(ids(client)) == 10
    assert (tmp_path / "store" / "catalog.sqlite").exists()


@pytest.mark.parametrize("durability", ["fsync", "os"])
def test_both_durabilities_store(folder: Path, durability: str) -> None:
    with elanus.connect(folder, durability=durability) as client:
        fill(client)
    with elanus.connect(folder) as client:
        assert len(ids(client)) == 10


@pytest.mark.parametrize("durability", ["", "FSYNC", "none", None, 1, ["os"]])
def test_another_durability_is_refused(folder: Path, durability: Any) -> None:
    with pytest.raises(elanus.InvalidArgument, match="durability"):
        elanus.connect(folder, durability=durability)
    assert not folder.exists()


def test_a_file_is_no_store(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("something else")
    with pytest.raises(elanus.InvalidArgument, match="file"):
        elanus.connect(path)
    with pytest.raises(elanus.InvalidArgument):
        elanus.connect(path / "below")
    assert path.read_text() == "something else"


@pytest.mark.parametrize("path", ["", 7, 3.5, ["x"], b"bytes"])
def test_what_is_no_path_is_refused(path: Any) -> None:
    with pytest.raises(elanus.InvalidArgument):
        elanus.connect(path)


def test_a_folder_with_other_things_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(elanus.StoreFormatError, match="no Elanus store"):
        elanus.connect(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_another_programs_database_is_refused_and_left_alone(folder: Path) -> None:
    folder.mkdir()
    connection = sqlite3.connect(folder / "catalog.sqlite")
    connection.execute("CREATE TABLE theirs (x)")
    connection.commit()
    connection.close()
    before = (folder / "catalog.sqlite").read_bytes()
    with pytest.raises(elanus.StoreFormatError, match="another program"):
        elanus.connect(folder)
    assert (folder / "catalog.sqlite").read_bytes() == before


def test_a_catalogue_that_is_no_database_is_refused_and_left_alone(folder: Path) -> None:
    folder.mkdir()
    (folder / "catalog.sqlite").write_bytes(b"no database " * 1000)
    with pytest.raises(elanus.StoreFormatError):
        elanus.connect(folder)
    assert (folder / "catalog.sqlite").read_bytes() == b"no database " * 1000


def test_an_unknown_format_version_is_refused_and_left_alone(folder: Path) -> None:
    with elanus.connect(folder) as client:
        fill(client)
    connection = apsw.Connection(str(folder / "catalog.sqlite"))
    connection.execute("PRAGMA user_version=999").fetchall()
    connection.execute("PRAGMA journal_mode=DELETE").fetchall()
    connection.close()
    before = (folder / "catalog.sqlite").read_bytes()
    with pytest.raises(elanus.StoreFormatError, match="999"):
        elanus.connect(folder)
    assert (folder / "catalog.sqlite").read_bytes() == before


def test_a_damaged_segment_is_an_error_that_names_it(folder: Path) -> None:
    with elanus.connect(folder) as client:
        fill(client)
        client.flush("c")
    (segment,) = (folder / "segments").iterdir()
    columns = segment / "columns.arrow"
    columns.write_bytes(columns.read_bytes()[:100])
    with elanus.connect(folder) as client, pytest.raises(elanus.StoreFormatError, match="segment"):
        ids(client)


def test_a_missing_segment_is_an_error_that_names_it(folder: Path) -> None:
    with elanus.connect(folder) as client:
        fill(client)
        client.flush("c")
    (segment,) = (folder / "segments").iterdir()
    segment.rename(folder.parent / "elsewhere")
    with elanus.connect(folder) as client, pytest.raises(elanus.StoreError, match="missing"):
        ids(client)


def test_a_url_needs_pymilvus_and_leaves_durability_to_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pymilvus", None)
    monkeypatch.delitem(sys.modules, "elanus.client.remote", raising=False)
    with pytest.raises(elanus.NotSupported, match="Milvus client"):
        elanus.connect("http://localhost:19530")
    with pytest.raises(elanus.NotSupported, match="durability"):
        elanus.connect("http://localhost:19530", durability="os")


def test_elanus_lists_its_public_names() -> None:
    for name in elanus.__all__:
        assert getattr(elanus, name) is not None
    assert set(elanus.__all__) <= set(dir(elanus))
    with pytest.raises(AttributeError, match="MilvusClient"):
        elanus.MilvusClient  # noqa: B018


def test_deletes_alone_never_fill_the_log(client: elanus.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(maintenance, "FLUSH_BYTES", 200_000)
    monkeypatch.setattr(maintenance, "WAIT_BYTES", 400_000)
    client.create_collection("c", dimension=shapes.DIM)
    client.insert("c", [{"id": n, "vector": [float(n + 1)] * shapes.DIM, "color": "red"} for n in range(60)])
    client.flush("c")
    for key in range(50):
        assert client.delete("c", ids=[key]) == {"delete_count": 1}
    assert ids(client) == list(range(50, 60))
