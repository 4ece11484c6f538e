"""What is stored and asked: real English text, and vectors that are real or made to lie as real ones do."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from elanus.cli.corpus import passages

DIM = 384
PHRASE = 12  # words; two phrases make a row's text of about 24
CACHE = Path(__file__).parent / "results" / "vectors"
CATEGORIES, TAGS = 20, 40

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Dataset:
    """Rows and queries. Vectors have unit length; `price` is uniform: `price < 10 * p` matches p % of the rows."""

    vectors: Floats
    texts: list[str]
    category: list[str]
    year: npt.NDArray[np.int64]
    price: Floats
    in_stock: npt.NDArray[np.bool_]
    tags: list[list[str]]
    query_vectors: Floats
    query_texts: list[str]

    def __len__(self) -> int:
        return len(self.texts)

    @cached_property
    def keys(self) -> list[str]:
        return [f"doc-{number:08d}" for number in range(len(self))]

    def rows(self) -> list[dict[str, Any]]:
        """Return the rows as dicts; a vector is a row of the array."""
        names = ("id", "text", "vector", "category", "year", "price", "in_stock", "tags")
        numbers = (self.year.tolist(), self.price.tolist(), self.in_stock.tolist())
        columns = (self.keys, self.texts, self.vectors, self.category, *numbers, self.tags)
        return [dict(zip(names, values, strict=True)) for values in zip(*columns, strict=True)]

    def table(self) -> pa.Table:
        """Return the rows as an Arrow table."""
        flat = pa.array(self.vectors.reshape(-1))
        return pa.table(
            {
                "id": self.keys,
                "text": self.texts,
                "vector": pa.FixedSizeListArray.from_arrays(flat, DIM),
                "category": self.category,
                "year": self.year,
                "price": self.price,
                "in_stock": self.in_stock,
                "tags": pa.array(self.tags, pa.list_(pa.string())),
            }
        )


def make_dataset(rows: int, queries: int, real: bool, seed: int = 7) -> Dataset:
    """Return the same dataset for the same arguments; `real` embeds the texts and keeps the vectors."""
    rng = np.random.default_rng(seed)
    texts = make_texts(rows, rng)
    asked = rng.choice(rows, queries, replace=False)
    query_texts = [short_query(texts[row], rng) for row in asked]
    if real:
        vectors, query_vectors = (
            embed(texts, f"rows-{rows}-{seed}"),
            embed(query_texts, f"queries-{rows}-{queries}-{seed}"),
        )
    else:
        both = clustered(rows + queries, rng)
        vectors, query_vectors = both[:rows], both[rows:]
    return Dataset(
        vectors=vectors,
        texts=texts,
        category=[f"c{number:02d}" for number in rng.integers(0, CATEGORIES, rows)],
        year=rng.integers(1950, 2026, rows),
        price=(rng.permutation(rows) * (1000 / rows)).astype(np.float32),
        in_stock=rng.random(rows) < 0.5,
        tags=[sorted({f"t{tag:02d}" for tag in picked}) for picked in rng.integers(0, TAGS, (rows, 4))],
        query_vectors=query_vectors,
        query_texts=query_texts,
    )


def make_texts(rows: int, rng: np.random.Generator) -> list[str]:
    """Join two phrases of the standard library's documentation for each row."""
    words = [word for passage in passages() for word in passage.text.partition("\n")[2].split()]
    starts = rng.integers(0, len(words) - PHRASE, (rows, 2)).tolist()
    return [" ".join(words[first : first + PHRASE] + words[second : second + PHRASE]) for first, second in starts]


def short_query(text: str, rng: np.random.Generator) -> str:
    """Return two to four longer words of a text."""
    words = list(dict.fromkeys(re.findall(r"[a-z]{5,}", text.lower()))) or text.split()
    count = min(len(words), int(rng.integers(2, 5)))
    return " ".join(words[place] for place in rng.choice(len(words), count, replace=False))


def clustered(rows: int, rng: np.random.Generator) -> Floats:
    """Return unit vectors in clusters of about 100, with the falling spectrum that text embeddings show."""
    spectrum = (np.arange(1, DIM + 1) ** -0.45).astype(np.float32)
    rotation = np.linalg.qr(rng.standard_normal((DIM, DIM)))[0].astype(np.float32)
    centres = rng.standard_normal((max(rows // 100, 1), DIM), dtype=np.float32)
    points = rng.standard_normal((rows, DIM), dtype=np.float32)
    points *= np.float32(0.8)
    points += centres[rng.integers(0, len(centres), rows)]
    points *= spectrum
    points = points @ rotation
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    return points


def embed(texts: list[str], name: str) -> Floats:
    """Embed texts with all-MiniLM-L6-v2, or read what an earlier run embedded."""
    path = CACHE / f"{name}.npy"
    if not path.is_file():
        from elanus_models import OnnxEmbedding

        CACHE.mkdir(parents=True, exist_ok=True)
        np.save(path, OnnxEmbedding("all-MiniLM-L6-v2", show_progress=True).embed_documents(texts))
    found: Floats = np.load(path)
    return found
