"""BM25 beside tantivy and bm25s (numba): the time of a search, of indexing, memory, and whether the ten best are exact.

    python -m benchmarks.text [--rows 1000000] [--queries 200] [--folder STORE]

The passages are real ones of this machine (`benchmarks.prose`). Short queries are two or three words that few passages
have, questions are runs of eight words out of a passage that hold three stop words or more. All engines lower-case
words and keep stop words; bm25s leaves out words of one letter. One thread each; engines take turns, twenty queries
each, and the figures are medians and 95th percentiles of wall and means of CPU milliseconds. Elanus answers through
`client.search` with the keys, and by its index alone; tantivy through parsing the query, searching and reading the
stored number of each hit.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("NUMBA_NUM_THREADS", "1")
os.environ.setdefault("RAYON_NUM_THREADS", "1")

import elanus
import numpy as np
from elanus import DataType, Function, FunctionType
from elanus.analysis import analyzer_of, make_analyzer
from elanus.index import bm25
from elanus.index.inverted_search import PostingsPart
from rich.console import Console
from rich.table import Table

from benchmarks.measure import disk_mb, memory_mb, span
from benchmarks.prose import passages

K, BATCH, BLOCK, JUDGED, K1, B = 10, 10_000, 20, 50, 1.2, 0.75
STOP = frozenset(
    (
        *("a", "an", "and", "are", "as", "at", "be", "by", "can", "for", "from", "has", "have", "if", "in", "is", "it"),
        *("its", "may", "not", "of", "on", "or", "that", "the", "this", "to", "was", "which", "will", "with", "you"),
    )
)

Ask = Callable[[str], list[int]]
"""From a query to the numbers of the ten best passages."""


def main() -> None:
    options = parse()
    if options.serve:
        print(json.dumps(serve(Path(options.serve), json.load(sys.stdin))))
        return
    texts = passages(options.rows)
    chance = np.random.default_rng(0)
    encoded = make_analyzer().encode(texts)
    asked = {"short": short(encoded, chance, options.queries), "question": questions(texts, chance, options.queries)}
    with tempfile.TemporaryDirectory() as root:
        folder = Path(options.folder or Path(root) / "store")
        engines: dict[str, Ask] = {}
        rows = []
        for name, fill in (("elanus", fill_elanus), ("tantivy", fill_tantivy), ("bm25s", fill_bm25s)):
            with span() as took:
                engines[name] = fill(texts, folder if name == "elanus" else Path(root) / name)
            rows.append((name, "indexing, passages a minute of CPU", f"{60 * len(texts) / took.cpu:,.0f}"))
        engines = {"elanus": engines["elanus"], "elanus, its index alone": index_alone(folder), **engines}
        exact = {kind: exactly(engines["elanus"], encoded, some[:JUDGED]) for kind, some in asked.items()}
        for kind, some in asked.items():
            for name, figures in measure(engines, some).items():
                rows.append((name, f"{kind}, ms p50 / p95 / CPU", " / ".join(f"{figure:.3f}" for figure in figures)))
            rows.append(("elanus", f"{kind}, ten best as exhaustive scores have them", f"{exact[kind]:.0%}"))
        told = in_fresh_process(folder, [query for some in asked.values() for query in some])
        rows.append(("elanus", "disk, MB", f"{disk_mb(folder):,.0f}"))
        rows += [("elanus", f"serving process, MB {name}", f"{value:,.0f}") for name, value in told.items()]
    words, different = len(encoded.ids), len(encoded.terms)
    show(rows, f"{len(texts):,} passages, {words:,} words, {different:,} different")


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="text", description=str(__doc__).partition("\n")[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--queries", type=int, default=200, help="of each kind")
    parser.add_argument("--folder", help="where the store stays; by default it goes")
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    return parser.parse_args()


def short(encoded: Any, chance: np.random.Generator, count: int) -> list[str]:
    """Two or three words of one passage, each of them in 20 passages at least and in one of 200 at most."""
    starts = np.concatenate(([0], np.cumsum(np.maximum(encoded.lengths, 0))))
    rows = len(encoded.lengths)
    found = np.bincount(encoded.ids, minlength=len(encoded.terms))
    queries: list[str] = []
    while len(queries) < count:
        row = int(chance.integers(rows))
        ids = np.unique(encoded.ids[starts[row] : starts[row + 1]])
        some = [
            encoded.terms[i]
            for i in ids[(found[ids] >= 20) & (found[ids] <= rows // 200)]
            if encoded.terms[i].isalpha()
        ]
        if len(some) >= 3:
            queries.append(" ".join(chance.choice(some, int(chance.integers(2, 4)), replace=False)))
    return queries


def questions(texts: Sequence[str], chance: np.random.Generator, count: int) -> list[str]:
    """Runs of eight words with three stop words or more."""
    queries: list[str] = []
    while len(queries) < count:
        words = [word for word in texts[int(chance.integers(len(texts)))].split() if word.isalpha()]
        if len(words) >= 8:
            first = int(chance.integers(len(words) - 7))
            run = words[first : first + 8]
            if sum(word.lower() in STOP for word in run) >= 3:
                queries.append(" ".join(run).lower())
    return queries


def fill_elanus(texts: Sequence[str], folder: Path) -> Ask:
    client = elanus.connect(folder, durability="os")
    schema = client.create_schema().add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("text", DataType.VARCHAR, max_length=65_535, enable_analyzer=True)
    schema.add_field("sparse", DataType.SPARSE_FLOAT_VECTOR)
    schema.add_function(Function("bm25", FunctionType.BM25, "text", "sparse"))
    indexes = client.prepare_index_params()
    indexes.add_index("sparse", metric_type="BM25", params={"bm25_k1": K1, "bm25_b": B})
    client.create_collection("docs", schema=schema, index_params=indexes)
    for start in range(0, len(texts), BATCH):
        some = texts[start : start + BATCH]
        client.insert("docs", {"id": np.arange(start, start + len(some)), "text": some})
    client.flush("docs")
    return lambda query: client.search("docs", [query], limit=K)[0].ids


def index_alone(folder: Path) -> Ask:
    """Analysis, statistics and postings, without what a client does around them: views, checks, keys, hits."""
    collection = elanus.Client(folder)._collection("docs")
    source, view = collection.definition.schema.field("text"), collection.view()
    analyzer = analyzer_of(source)
    parts = [PostingsPart(s.part.postings(source.name, analyzer), s.alive) for s in view.slices]
    reader = analyzer.named()
    return lambda query: bm25.search(parts, reader.tokens(query), K, k1=K1, b=B).rows.tolist()


def fill_tantivy(texts: Sequence[str], folder: Path) -> Ask:
    import tantivy

    folder.mkdir()
    builder = tantivy.SchemaBuilder()
    builder.add_unsigned_field("id", stored=True)
    builder.add_text_field("text", stored=False, tokenizer_name="default", index_option="freq")
    index = tantivy.Index(builder.build(), path=str(folder))
    writer = index.writer(heap_size=1 << 30, num_threads=1)
    for number, text in enumerate(texts):
        writer.add_document(tantivy.Document(id=number, text=[text]))
    writer.commit()
    writer.wait_merging_threads()
    index.reload()
    searcher = index.searcher()

    def ask(query: str) -> list[int]:
        hits = searcher.search(index.parse_query(query, ["text"]), K).hits
        return [searcher.doc(address)["id"][0] for _, address in hits]

    return ask


def fill_bm25s(texts: Sequence[str], folder: Path) -> Ask:
    import bm25s

    split = {"stopwords": None, "show_progress": False}
    index = bm25s.BM25(method="lucene", k1=K1, b=B, backend="numba")
    index.index(bm25s.tokenize(texts, **split), show_progress=False)
    index.activate_numba_scorer()

    def ask(query: str) -> list[int]:
        tokens = bm25s.tokenize([query], return_ids=False, **split)
        found, _ = index.retrieve(tokens, k=K, show_progress=False, n_threads=1, backend_selection="numba")
        return found[0].tolist()

    return ask


def measure(engines: Mapping[str, Ask], queries: Sequence[str]) -> dict[str, tuple[float, float, float]]:
    """Ask every query twice, engines in turn by blocks; p50, p95 and mean CPU in milliseconds of the second time."""
    walls: dict[str, list[float]] = {name: [] for name in engines}
    cpus = dict.fromkeys(engines, 0.0)
    for start in range(0, len(queries), BLOCK):
        for name, ask in engines.items():
            for query in queries[start : start + BLOCK]:
                ask(query)
                began, cpu = time.perf_counter(), time.process_time()
                ask(query)
                walls[name].append(1e3 * (time.perf_counter() - began))
                cpus[name] += 1e3 * (time.process_time() - cpu)
    return {
        name: (float(np.percentile(took, 50)), float(np.percentile(took, 95)), cpus[name] / len(queries))
        for name, took in walls.items()
    }


def exactly(ask: Ask, encoded: Any, queries: Sequence[str]) -> float:
    """The share of queries whose ten hits have the ten greatest scores of all passages, computed from the formula."""
    lengths = np.maximum(encoded.lengths, 0)
    row_of = np.repeat(np.arange(len(lengths)), lengths)
    number_of = {term: number for number, term in enumerate(encoded.terms)}
    norm = K1 * (1 - B + B * lengths / lengths.mean())
    right = 0
    for query in queries:
        scores = np.zeros(len(lengths))
        for term, times in Counter(make_analyzer().tokens(query)).items():
            if term in number_of:
                tf = np.bincount(row_of[encoded.ids == number_of[term]], minlength=len(lengths))
                df = np.count_nonzero(tf)
                scores += times * np.log(1 + (len(lengths) - df + 0.5) / (df + 0.5)) * tf * (K1 + 1) / (tf + norm)
        best = np.sort(scores)[::-1][:K]
        found = scores[ask(query)]
        right += bool(np.allclose(found, best[: len(found)], rtol=1e-4))
    return right / len(queries)


def serve(folder: Path, queries: Sequence[str]) -> dict[str, float]:
    """Open a store, ask everything, and weigh the process."""
    with elanus.connect(folder) as client:
        for query in queries:
            client.search("docs", [query], limit=K)
        return memory_mb()


def in_fresh_process(folder: Path, queries: Sequence[str]) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.text", "--serve", str(folder)]
    done = subprocess.run(command, input=json.dumps(list(queries)), capture_output=True, text=True, check=True)
    told: dict[str, float] = json.loads(done.stdout)
    return told


def show(rows: Sequence[tuple[str, str, str]], title: str) -> None:
    table = Table("", "", "", title=title)
    for row in _by_name(rows):
        table.add_row(*row)
    Console().print(table)


def _by_name(rows: Sequence[tuple[str, str, str]]) -> Iterator[tuple[str, str, str]]:
    for what in dict.fromkeys(row[1] for row in rows):
        yield from ((name, what, said) for name, one, said in rows if one == what)


if __name__ == "__main__":
    main()
