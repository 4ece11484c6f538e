"""A folder that may only be read: searched like any other, changed by nobody, and left as it was."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import elanus
import pytest

ROWS = 40
NOT_OVERRIDING = (
    "setpriv",
    "--bounding-set=-dac_override,-dac_read_search",
    "--inh-caps=-dac_override,-dac_read_search",
)

READ = """
import sys, elanus
with elanus.connect(sys.argv[1]) as client:
    found = client.search("docs", [[0.0, 0.1]], limit=3, filter="n >= 0", output_fields=["n"])[0]
    print([hit["n"] for hit in found], client.get_collection_stats("docs")["row_count"])
"""

WRITE = """
import sys, elanus
def refused(call, *args, **kwargs):
    try:
        call(*args, **kwargs)
    except elanus.StoreReadOnly as error:
        assert sys.argv[1] in str(error) and "may only be read" in str(error), error
    else:
        raise AssertionError(call)
client = elanus.connect(sys.argv[1])
before = client.query("docs", "n >= 0")
refused(client.insert, "docs", {"id": 99, "vector": [0.0, 0.0], "n": 1})
refused(client.delete, "docs", ids=[1])
refused(client.flush, "docs")
refused(client.compact, "docs")
refused(client.create_collection, "more", dimension=2)
refused(client.drop_collection, "docs")
refused(client.create_alias, "docs", "papers")
client.load_collection("docs")
client.create_collection("docs", dimension=2, metric_type="L2")
assert client.query("docs", "n >= 0") == before
client.close()
print("refused")
"""

HOLD = """
import sys, elanus
client = elanus.connect(sys.argv[1])
client.insert("docs", [{"id": 1000, "vector": [0.0, 0.0], "n": 1000}])
print("ready", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def kept(folder: Path) -> Iterator[Path]:
    """A store that was closed, with rows in a segment and in the log."""
    with elanus.connect(folder) as client:
        client.create_collection("docs", dimension=2, metric_type="L2")
        rows = [{"id": i, "vector": [0.0, float(i)], "n": i} for i in range(ROWS)]
        client.insert("docs", rows[: ROWS // 2])
        client.flush("docs")
        client.insert("docs", rows[ROWS // 2 :])
    yield folder
    _permit(folder, True)


def _permit(folder: Path, writing: bool) -> None:
    for path in (folder, *folder.rglob("*")):
        mode = path.stat().st_mode
        path.chmod(mode | 0o200 if writing else mode & ~0o222)


def run(program: str, folder: Path, temporary: Path) -> str:
    """What a process prints that may not write into the folder, wherever it puts its temporary files."""
    _permit(folder, False)
    prefix: tuple[str, ...] = ()
    if os.access(folder, os.W_OK):  # root may write everywhere
        if shutil.which("setpriv") is None:
            pytest.skip("root may write into any folder, and setpriv is not installed")
        prefix = NOT_OVERRIDING
    temporary.mkdir(exist_ok=True)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "TMPDIR": str(temporary)}
    command = [*prefix, sys.executable, "-c", program, str(folder), str(temporary)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert not done.returncode, done.stderr
    assert not list(temporary.iterdir()), "something temporary was left"
    return done.stdout.strip()


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_it_is_searched_like_any_other(kept: Path, tmp_path: Path) -> None:
    before = contents(kept)
    assert run(READ, kept, tmp_path / "t") == f"[0, 1, 2] {ROWS}"
    assert contents(kept) == before


def test_every_change_is_refused_by_name_and_what_changes_nothing_is_not(kept: Path, tmp_path: Path) -> None:
    before = contents(kept)
    assert run(WRITE, kept, tmp_path / "t") == "refused"
    assert contents(kept) == before


@pytest.mark.parametrize("shared_memory", [True, False])
def test_the_log_that_a_killed_process_left_is_read(kept: Path, tmp_path: Path, shared_memory: bool) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(kept)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.kill()
    log = kept / "catalog.sqlite-wal"
    assert log.stat().st_size > 0
    if not shared_memory:
        (kept / "catalog.sqlite-shm").unlink()
    assert run(READ, kept, tmp_path / "t") == f"[0, 1000, 1] {ROWS + 1}"


def test_commits_of_a_process_that_still_has_it_open_are_read(kept: Path, tmp_path: Path) -> None:
    with elanus.connect(kept) as client:
        client.insert("docs", [{"id": 1000, "vector": [0.0, 0.0], "n": 1000}])
        assert run(READ, kept, tmp_path / "t") == f"[0, 1000, 1] {ROWS + 1}"
        _permit(kept, True)


def test_a_folder_that_is_no_store_and_may_not_become_one_is_refused(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    program = """
import sys, elanus
try:
    elanus.connect(sys.argv[1])
except elanus.InvalidArgument as error:
    print(error)
"""
    try:
        assert f"cannot make a store at {empty}" in run(program, empty, tmp_path / "t")
    finally:
        _permit(empty, True)


def test_a_forked_child_reads_too(kept: Path, tmp_path: Path) -> None:
    if not hasattr(os, "fork"):
        pytest.skip("no fork on this system")
    program = """
import os, sys, elanus
client = elanus.connect(sys.argv[1])
client.query("docs", "n == 1")
child = os.fork()
found = [row["n"] for row in client.query("docs", "n < 3", output_fields=["n"])]
if not child:
    os._exit(found != [0, 1, 2])
print(found, os.waitpid(child, 0)[1])
client.close()
"""
    assert run(program, kept, tmp_path / "t") == "[0, 1, 2] 0"
