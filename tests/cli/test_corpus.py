"""The demo's corpus and how texts are cut."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from elanus.cli.corpus import Document, Passage, passages, public_name, read_source
from elanus.cli.splitting import LONGEST, SHORTEST_TAIL, split
from hypothesis import given
from hypothesis import strategies as st

SOURCE = '''
"""A module that explains itself at length."""
if True:
    def compress(data, level=9):
        """Compress data in one shot, and return it."""
try:
    class Reader:
        """Reads what was compressed before, chunk by chunk."""
        def read(self, size=-1):
            """Read up to size bytes of the uncompressed data."""
        def _private(self):
            """Nobody reads this documentation, ever."""
        def brief(self):
            """Too short."""
except ImportError:
    pass
'''


@pytest.fixture(scope="module")
def corpus() -> list[Passage]:
    return passages()


def test_corpus_has_thousands_of_different_passages_of_every_kind(corpus: list[Passage]) -> None:
    assert len(corpus) > 4000
    assert len({passage.id for passage in corpus}) == len(corpus)
    assert {passage.kind for passage in corpus} == {"module", "class", "function", "method", "topic"}
    assert max(len(passage.text) for passage in corpus) < 2 * LONGEST


def test_corpus_holds_python_modules_c_modules_and_the_language_reference(corpus: list[Passage]) -> None:
    titles = {passage.title for passage in corpus}
    assert {"argparse.ArgumentParser", "gzip.compress", "zlib.compress", "builtins.str.split"} <= titles
    assert any(passage.module == "help('with')" for passage in corpus)


def test_corpus_is_the_same_every_time_and_a_smaller_one_is_part_of_it(corpus: list[Passage]) -> None:
    few = passages(50)
    assert few == passages(50)
    assert len(few) == 50
    assert set(few) <= set(corpus)


def test_reading_the_corpus_imports_no_python_module_of_the_standard_library() -> None:
    code = (
        "import sys; from elanus.cli.corpus import passages; passages();"
        "print(sorted({'this', 'antigravity', 'idlelib', 'turtle', 'smtplib', 'mailbox'} & set(sys.modules)))"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    command = [sys.executable, "-W", "error", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert (done.stdout.strip(), done.stderr) == ("[]", "")


def test_source_is_read_below_if_and_try_without_private_or_empty_parts() -> None:
    assert list(read_source(SOURCE, "m")) == [
        Document("m", "m", "module", "m module", "A module that explains itself at length."),
        Document(
            "m.compress",
            "m",
            "function",
            "m.compress(data, level=9)",
            "Compress data in one shot, and return it.",
        ),
        Document("m.Reader", "m", "class", "class m.Reader", "Reads what was compressed before, chunk by chunk."),
        Document(
            "m.Reader.read",
            "m",
            "method",
            "m.Reader.read(self, size=-1)",
            "Read up to size bytes of the uncompressed data.",
        ),
    ]


@pytest.mark.parametrize(
    ("module", "public"),
    [("json", "json"), ("_socket", "socket"), ("_pydecimal", "decimal"), ("posix", "os"), ("_testcapi", None)],
)
def test_public_name_is_the_one_users_import(module: str, public: str | None) -> None:
    assert public_name(module) == public


@given(st.text(alphabet="ab \n", max_size=4 * LONGEST))
def test_split_loses_no_word_and_keeps_to_its_length(text: str) -> None:
    pieces = split(text)
    assert " ".join(pieces).split() == text.split()
    longest_word = max(map(len, text.split()), default=0)
    assert all(len(piece) <= LONGEST + SHORTEST_TAIL + longest_word + 2 for piece in pieces)


def test_split_cuts_at_paragraphs_then_lines_then_words() -> None:
    paragraph = "word " * 100
    assert split(f"{paragraph}\n\n{paragraph}") == [paragraph.rstrip()] * 2
    assert len(split("line of text\n" * 200)) > 2
    assert len(split("endless " * 1000)) >= 10
