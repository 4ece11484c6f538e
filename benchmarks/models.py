"""Embedding and reranking on the CPU, beside other ways to run the same weights, in one run.

    python -m benchmarks.models [--texts 1000] [--folder JUDGED_SET]

Peers are run if installed: sentence-transformers with its defaults; and, over our float32 graph, what fastembed does
(ONNX Runtime's default threads, batches of 256 texts in the order given, padded by the tokenizer) and what
pymilvus.model's OnnxEmbeddingFunction does (one text at a time, padded to the model's full length). Texts a second and
medians in milliseconds of wall time; every way takes its turn in every round.
"""

from __future__ import annotations

import argparse
import gzip
import json
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from elanus_models import LateInteraction, OnnxEmbedding, OnnxReranker
from elanus_models.export import export
from elanus_models.finding.resolve import resolve
from elanus_models.graphs.safetensors import read_tensors
from rich.console import Console
from rich.table import Table

MODEL = "all-MiniLM-L6-v2"
ROUNDS = 3
QUERIES = 40
PASSAGES = 100

Embed = Callable[[list[str]], Any]
Rerank = Callable[[str, list[str]], Any]


def main() -> None:
    options = parse()
    short, long, questions = texts(options)
    console = Console(highlight=False)
    with tempfile.TemporaryDirectory() as root:
        folder = Path(root)
        float_graph = export(MODEL, folder / "float32", precision="float32").folder
        classifier = write_classifier(folder / "classifier")
        embedders = {**ours(), **peers(float_graph)}
        show(console, "embedding", embedding(embedders, short, long, questions), "texts/s", *SIZES, "query ms")
        rerankers = {**our_rerankers(classifier), **peer_rerankers(classifier)}
        passages = long[:PASSAGES]
        show(console, f"reranking {PASSAGES} passages", reranking(rerankers, questions[:3], passages), "", "ms")


SIZES = ("short", "long")


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure models.")
    parser.add_argument("--texts", type=int, default=1000, help="short texts; a fifth as many long ones")
    parser.add_argument("--folder", type=Path, help="a judged set: corpus.jsonl.gz, queries.jsonl.gz")
    return parser.parse_args()


def texts(options: argparse.Namespace) -> tuple[list[str], list[str], list[str]]:
    """Return short texts of about 20 words, long ones of about 120, and questions."""
    if options.folder is None:
        rng = np.random.default_rng(1)
        words = np.array((Path(__file__).read_text(encoding="utf-8") + str(argparse.__doc__)).split())
        corpus = [" ".join(rng.choice(words, 120)) for _ in range(options.texts // 5)]
        asked = [" ".join(rng.choice(words, 10)) for _ in range(QUERIES)]
    else:
        corpus = [row["text"] for row in lines(options.folder / "corpus.jsonl.gz")]
        asked = [row["text"] for row in lines(options.folder / "queries.jsonl.gz")][:QUERIES]
    pieces = [text.split()[start : start + 20] for text in corpus for start in range(0, len(text.split()) - 20, 20)]
    return [" ".join(piece) for piece in pieces[: options.texts]], corpus[: options.texts // 5], asked


def lines(path: Path) -> list[dict[str, str]]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def ours() -> dict[str, Embed]:
    return {f"elanus {p}": OnnxEmbedding(MODEL, precision=p).embed_documents for p in ("int8", "float32")}  # type: ignore[arg-type]


def peers(float_graph: Path) -> dict[str, Embed]:
    found: dict[str, Embed] = {
        "fastembed's way": in_order(float_graph),
        "pymilvus.model's way": one_by_one(float_graph),
    }
    if find_spec("sentence_transformers"):
        from sentence_transformers import SentenceTransformer

        model = SentenceTransformer(str(resolve(MODEL).files.folder), device="cpu")
        found["sentence-transformers"] = model.encode
    return found


def in_order(folder: Path) -> Embed:
    import onnxruntime as ort
    from tokenizers import Tokenizer

    session = ort.InferenceSession(str(folder / "model.onnx"), providers=["CPUExecutionProvider"])
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.enable_truncation(256)
    tokenizer.enable_padding()

    def embed(batch: list[str]) -> Any:
        return [mean(session, tokenizer.encode_batch(batch[i : i + 256])) for i in range(0, len(batch), 256)]

    return embed


def one_by_one(folder: Path) -> Embed:
    import onnxruntime as ort
    from tokenizers import Tokenizer

    session = ort.InferenceSession(str(folder / "model.onnx"))
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.enable_truncation(256)
    tokenizer.enable_padding(length=256)
    return lambda batch: [mean(session, [tokenizer.encode(text)]) for text in batch]


def mean(session: Any, encodings: list[Any]) -> Any:
    ids = np.array([e.ids for e in encodings])
    mask = np.array([e.attention_mask for e in encodings])
    out = session.run(None, {"input_ids": ids, "attention_mask": mask})[0]
    pooled = (out * mask[:, :, None]).sum(axis=1) / mask.sum(axis=1)[:, None]
    return pooled / np.linalg.norm(pooled, axis=1, keepdims=True)


def write_classifier(folder: Path) -> Path:
    """Write a cross-encoder of MiniLM's size: its own weights under a made-up head, since only speed is measured."""
    source = resolve(MODEL).files
    folder.mkdir()
    for name in ("tokenizer.json", "tokenizer_config.json", "vocab.txt", "special_tokens_map.json"):
        if (source.folder / name).is_file():
            shutil.copyfile(source.folder / name, folder / name)
    config = json.loads((source.folder / "config.json").read_text(encoding="utf-8"))
    config |= {"architectures": ["BertForSequenceClassification"], "num_labels": 1, "id2label": {"0": "LABEL_0"}}
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    assert source.weights is not None
    tensors = {f"bert.{name}": tensor for name, tensor in read_tensors(source.weights).items()}
    tensors = {name: tensor for name, tensor in tensors.items() if tensor.dtype == np.float32}
    head = np.random.default_rng(2).normal(0, 0.05, (1, 384)).astype(np.float32)
    write_tensors(
        folder / "model.safetensors", tensors | {"classifier.weight": head, "classifier.bias": np.zeros(1, "f4")}
    )
    return folder


def write_tensors(path: Path, tensors: dict[str, Any]) -> None:
    header: dict[str, Any] = {}
    offset = 0
    for name, tensor in tensors.items():
        header[name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": [offset, offset + tensor.nbytes]}
        offset += tensor.nbytes
    text = json.dumps(header).encode()
    with path.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for tensor in tensors.values():
            file.write(np.ascontiguousarray(tensor).tobytes())


def our_rerankers(classifier: Path) -> dict[str, Rerank]:
    late = LateInteraction(MODEL)
    packed: dict[str, str] = {}

    def stored(query: str, passages: list[str]) -> Any:
        if not packed:
            packed.update(zip(passages, late.pack(passages), strict=True))
        return late.scores(query, [packed[passage] for passage in passages])

    crossing = {f"elanus cross-encoder {p}": OnnxReranker(classifier, precision=p).scores for p in ("int8", "float32")}  # type: ignore[arg-type]
    return {**crossing, "elanus late interaction": late.scores, "elanus late interaction, stored": stored}


def peer_rerankers(classifier: Path) -> dict[str, Rerank]:
    if not find_spec("sentence_transformers"):
        return {}
    from sentence_transformers import CrossEncoder

    model = CrossEncoder(str(classifier), device="cpu")
    return {"sentence-transformers": lambda query, passages: model.predict([(query, p) for p in passages])}


def embedding(
    ways: dict[str, Embed], short: list[str], long: list[str], questions: list[str]
) -> dict[str, list[float]]:
    taken: dict[str, list[list[float]]] = {name: [[], [], []] for name in ways}
    few = {"pymilvus.model's way": 10}
    for embed in ways.values():
        embed(short[:16])
    for _ in range(ROUNDS):
        for name, embed in ways.items():
            share = few.get(name, 1)
            for size, batch in enumerate((short, long)):
                part = batch[: len(batch) // share]
                taken[name][size].append(len(part) / seconds(lambda part=part, embed=embed: embed(part)))  # type: ignore[misc]
            taken[name][2] += [1000 * seconds(lambda q=q, embed=embed: embed([q])) for q in questions]  # type: ignore[misc]
    return {name: [statistics.median(values) for values in columns] for name, columns in taken.items()}


def reranking(ways: dict[str, Rerank], questions: list[str], passages: list[str]) -> dict[str, list[float]]:
    for rerank in ways.values():
        rerank(questions[0], passages)
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for question in questions:
        for name, rerank in ways.items():
            taken[name].append(1000 * seconds(lambda rerank=rerank, question=question: rerank(question, passages)))  # type: ignore[misc]
    return {name: [statistics.median(values)] for name, values in taken.items()}


def seconds(work: Callable[[], Any]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def show(console: Console, title: str, found: dict[str, list[float]], unit: str, *columns: str) -> None:
    """Print one line per way, each figure with its ratio to sentence-transformers where that was run."""
    base = found.get("sentence-transformers")
    table = Table(title=f"{title} {unit}".strip(), box=None, title_justify="left")
    for name in ("", *columns):
        table.add_column(name, justify="right" if name else "left")
    for name, values in found.items():
        cells = []
        for column, value, other in zip(columns, values, base or values, strict=True):
            ratio = other / value if column.endswith("ms") else value / other
            cells.append(f"{value:,.1f}" + (f" ({ratio:.1f}x)" if base else ""))
        table.add_row(name, *cells)
    console.print(table)


if __name__ == "__main__":
    main()
