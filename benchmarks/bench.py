"""`make bench`: how fast Elanus writes, searches and opens, and how often it is right.

Searches are timed twice: after a hundred commits with whatever flushes those caused, and after `flush()`.
CPU times count all threads of the process; recall stands beside every latency.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import statistics
import tempfile
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timezone
from functools import partial
from pathlib import Path
from typing import Any

import elanus
import numpy as np
from elanus.index.metric import Metric, norms
from elanus.index.scan import ScanIndex
from rich.console import Console

from benchmarks import truth
from benchmarks.cases import CASES, DOCS, LOOSE, Case, recall
from benchmarks.data import Dataset, make_dataset
from benchmarks.measure import disk_mb, in_fresh_process, latency, settle, span
from benchmarks.writing import COMMITS, create_docs, create_loose, figures, insert, row_batches, write_arrow

RESULTS = Path(__file__).parent / "results"
JUDGED = 100  # queries whose recall is computed
FRESH_RUNS = 5


@dataclass
class Report:
    """Figures as they come in: printed at once, written together at the end."""

    console: Console
    figures: list[dict[str, Any]] = field(default_factory=list)

    def add(self, rows: int, state: str, case: str, values: dict[str, float | None]) -> None:
        kept = {name: value for name, value in values.items() if value is not None}
        self.figures.append({"rows": rows, "state": state, "case": case, **kept})
        shown = "  ".join(f"{name} {number(value)}" for name, value in kept.items())
        self.console.print(f"{rows:>8,} {state:<10} {case:<21} {shown}", highlight=False, soft_wrap=True)


def number(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}" if value >= 10 else f"{value:.3f}"


def main() -> None:
    options = parse()
    report = Report(Console())
    for rows in options.rows:
        data = make_dataset(rows, options.queries, options.real)
        with workplace(options.keep) as folder:
            measure(data, options.only, report, Path(folder))
        if options.peers:
            from benchmarks.peers import measure_peers

            with workplace(None) as folder:
                measure_peers(data, report, Path(folder))
    path = options.json or RESULTS / f"{datetime.now(timezone.utc):%Y%m%d-%H%M%S}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({**surroundings(options), "figures": report.figures}, indent=1))
    report.console.print(f"written to {path}", highlight=False)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench", description="Measure Elanus.")
    parser.add_argument("--rows", type=int, nargs="+", default=[20_000, 100_000])
    parser.add_argument("--queries", type=int, default=300)
    parser.add_argument("--only", action="append", help="search cases whose name holds this text; repeatable")
    parser.add_argument("--real", action="store_true", help="embed the texts with all-MiniLM-L6-v2, once")
    parser.add_argument("--peers", action="store_true", help="measure other stores that are installed too")
    parser.add_argument("--json", type=Path, help="where the figures go, instead of benchmarks/results")
    parser.add_argument("--keep", type=Path, help="an empty folder to leave the stores in")
    return parser.parse_args()


def workplace(keep: Path | None) -> AbstractContextManager[Any]:
    """Return a folder for stores: `keep`, or one beside the results that goes away; both lie on a disk."""
    (keep or RESULTS).mkdir(parents=True, exist_ok=True)
    return contextlib.nullcontext(keep) if keep else tempfile.TemporaryDirectory(dir=RESULTS, prefix="stores-")


def measure(data: Dataset, only: Sequence[str] | None, report: Report, folder: Path) -> None:
    """Take every figure of one size."""
    report.add(len(data), "machine", "4-bit scan alone", {"cpu_ms": scan_alone(data)})
    judges = judge_with(data)
    declared = [case for case in chosen(only) if case.collection == DOCS]
    dynamic = [case for case in chosen(only) if case.collection == LOOSE]
    docs, loose = folder / f"docs-{len(data)}", folder / f"loose-{len(data)}"
    if only is None:
        for case, values in write_arrow(data, folder / f"arrow-{len(data)}").items():
            report.add(len(data), "arrow", case, {**values})
    with elanus.connect(docs) as client:
        create_docs(client)
        batches = row_batches(data, COMMITS)
        report.add(len(data), "dicts", "insert", {**figures(data, insert(client, DOCS, batches))})
        del batches
        settle()
        ask(client, data, declared, judges, report, "committed")
        with span() as flushing:
            client.flush(DOCS)
        report.add(len(data), "dicts", "flush", {"wall_s": flushing.wall, "cpu_s": flushing.cpu})
        settle()
        ask(client, data, declared, judges, report, "flushed")
    report.add(len(data), "flushed", "disk", {"mb": disk_mb(docs)})
    if only is None:
        open_afresh(data, report, docs)
    if dynamic:
        with elanus.connect(loose) as client:
            create_loose(client)
            batches = row_batches(data, COMMITS)
            report.add(len(data), "dynamic", "insert", {**figures(data, insert(client, LOOSE, batches))})
            del batches
            settle()
            ask(client, data, dynamic, judges, report, "committed")
            client.flush(LOOSE)
            settle()
            ask(client, data, dynamic, judges, report, "flushed")


def scan_alone(data: Dataset) -> float | None:
    """Time the scan below every dense search: no engine can be faster, and a busy machine shows here first."""
    index = ScanIndex(data.vectors.shape[1], Metric.COSINE)
    index.add(data.vectors, norms(data.vectors))
    return latency(lambda query: index.search(data.query_vectors[query], 20), range(len(data.query_vectors))).cpu


def chosen(only: Sequence[str] | None) -> list[Case]:
    return [case for case in CASES if only is None or any(text in case.name for text in only)]


def judge_with(data: Dataset) -> dict[str, truth.Truth]:
    judged = min(JUDGED, len(data.query_texts))
    dense, words = truth.cosine(data, judged), truth.bm25(data, judged)
    return {"cosine": dense, "bm25": words, "fused": truth.fused([dense, words], 10)}


def ask(
    client: elanus.Client,
    data: Dataset,
    cases: Sequence[Case],
    truths: dict[str, truth.Truth],
    report: Report,
    state: str,
) -> None:
    """Time each case over all queries; a first round, untimed, warms up and is judged."""
    queries = range(len(data.query_texts))
    for case in cases:
        answers = [case.ask(client, data, query) for query in queries[:JUDGED]]
        right = recall(case, data, truths, answers)
        took = latency(partial(case.ask, client, data), queries)
        goal = case.goal if len(data) == 100_000 else None
        values = {
            "recall@10": right,
            "cpu_ms": took.cpu,
            "goal_ms": goal,
            "p50_ms": took.p50,
            "p99_ms": took.p99,
        }
        report.add(len(data), state, case.name, values)


def open_afresh(data: Dataset, report: Report, store: Path) -> None:
    """Import, open and ask once in new processes, the median of five; then weigh one that serves."""
    queries = store.parent / "queries.npz"
    np.savez(queries, vectors=data.query_vectors, texts=np.array(data.query_texts))
    runs = [in_fresh_process("first", str(store), str(queries)) for _ in range(FRESH_RUNS)]
    medians = {f"{name}_s": statistics.median(run[name] for run in runs) for name in runs[0]}
    report.add(len(data), "fresh", "import, open, query", {**medians})
    weight = in_fresh_process("serve", str(store), str(queries))
    report.add(len(data), "fresh", "serving memory", {f"{n}_mb": v for n, v in weight.items() if "process" not in n})


def surroundings(options: argparse.Namespace) -> dict[str, Any]:
    return {
        "elanus": elanus.__version__,
        "python": platform.python_version(),
        "machine": platform.platform(),
        "cpus": os.cpu_count(),
        "vectors": "all-MiniLM-L6-v2" if options.real else "clustered",
        "taken": datetime.now(timezone.utc).isoformat(timespec="seconds"),
    }


if __name__ == "__main__":
    main()
