"""BM25 on the client's side: sparse vectors whose inner product is the BM25 score."""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from elanus_models.errors import InvalidInput, ModelCorrupt, missing
from elanus_models.model import Embedder, Role, Sparse, checked_texts, progress

FORMAT = 1
Analyze = Callable[[str], list[str]]


class Bm25Embedding(Embedder[list[Sparse]]):
    """BM25 (Robertson and Zaragoza 2009) as sparse vectors, for stores without full-text search of their own.

    A document's vector holds each term's saturated frequency, a query's the inverse document frequency
    ln(1 + (N - n + 0.5) / (n + 0.5)): their inner product is the score. `fit` counts the corpus first. `language` names
    tantivy's stemmer and stop words; `analyzer` replaces both by a function from a text to its terms. Embedded stores
    of Elanus keep exact statistics themselves: see `FunctionType.BM25`.

    Raises InvalidInput, MissingDependency.
    """

    gives = "sparse"

    def __init__(
        self,
        language: str = "english",
        *,
        k1: float = 1.2,
        b: float = 0.75,
        analyzer: Analyze | None = None,
        show_progress: bool = False,
    ) -> None:
        self._k1, self._b = _number("k1", k1, math.inf), _number("b", b, 1)
        self._language = "" if analyzer is not None else language
        self._analyze = analyzer or _analyzer(language)
        self.show_progress = show_progress
        self._terms: dict[str, int] = {}
        self._frequencies: list[int] = []
        self._documents = 0
        self._tokens = 0

    def fit(self, corpus: Iterable[str]) -> Bm25Embedding:
        """Count a corpus, in place of any counted before, and return this object.

        Terms are numbered in the order in which they occur. Vectors made before belong to the old counts.
        """
        texts = checked_texts(corpus, "corpus")
        terms: dict[str, int] = {}
        frequencies: Counter[int] = Counter()
        tokens = 0
        with progress(len(texts), self.show_progress, "counting") as advance:
            for text in texts:
                words = self._analyze(text)
                tokens += len(words)
                frequencies.update({terms.setdefault(word, len(terms)) for word in words})
                advance(1)
        self._terms, self._documents, self._tokens = terms, len(texts), tokens
        self._frequencies = [frequencies[number] for number in range(len(terms))]
        return self

    @property
    def dim(self) -> int:
        """How many terms the corpus has."""
        return len(self._terms)

    def _identity(self) -> dict[str, Any]:
        counted = json.dumps([list(self._terms), self._frequencies, self._documents, self._tokens]).encode()
        return {
            "weights": f"sha256:{hashlib.sha256(counted).hexdigest()}",
            "pooling": "bm25",
            "language": self._language or "analyzer",
            "k1": self._k1,
            "b": self._b,
        }

    def info(self) -> dict[str, Any]:
        """Return the parameters and what was counted."""
        return {
            "name": "bm25",
            "language": self._language or "analyzer",
            "k1": self._k1,
            "b": self._b,
            "dim": self.dim,
            "documents": self._documents,
            "mean_length": self._mean_length() if self._documents else 0.0,
            "fingerprint": self.fingerprint,
        }

    def __repr__(self) -> str:
        return f"Bm25Embedding('{self._language or 'analyzer'}', terms={self.dim}, documents={self._documents})"

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the counts as JSON; the file appears whole or not at all.

        Raises InvalidInput for an object with an `analyzer`, which no file can hold.
        """
        if not self._language:
            raise InvalidInput("an analyzer function cannot be saved; keep the corpus, and fit again")
        kept = {
            "format": FORMAT,
            "language": self._language,
            "k1": self._k1,
            "b": self._b,
            "documents": self._documents,
            "tokens": self._tokens,
            "terms": list(self._terms),
            "frequencies": self._frequencies,
        }
        target = Path(path)
        temporary = target.with_name(f".{target.name}-{os.getpid()}.tmp")
        try:
            temporary.write_text(json.dumps(kept, ensure_ascii=False), encoding="utf-8")
            temporary.replace(target)
        finally:
            temporary.unlink(missing_ok=True)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Bm25Embedding:
        """Read what `save` wrote; raises ModelCorrupt if it is anything else."""
        try:
            kept = json.loads(Path(path).read_text(encoding="utf-8"))
            if kept["format"] != FORMAT:
                raise ModelCorrupt(f"{path} has format {kept['format']}, this version reads {FORMAT}")
            found = cls(kept["language"], k1=kept["k1"], b=kept["b"])
            found._terms = {term: number for number, term in enumerate(kept["terms"])}
            found._frequencies = [int(n) for n in kept["frequencies"]]
            found._documents, found._tokens = int(kept["documents"]), int(kept["tokens"])
        except (ValueError, KeyError, TypeError) as error:
            raise ModelCorrupt(f"{path} holds no saved BM25 counts ({error!r})") from error
        return found

    def _embed(self, texts: list[str], role: Role) -> list[Sparse]:
        if not self._documents:
            raise InvalidInput("Bm25Embedding has counted no corpus yet; call fit(corpus) or load(path) first")
        weigh = self._document if role == "document" else self._query
        with progress(len(texts), self.show_progress) as advance:
            vectors = []
            for text in texts:
                vectors.append(weigh(self._analyze(text)))
                advance(1)
        return vectors

    def _document(self, words: list[str]) -> Sparse:
        longer = self._k1 * (1 - self._b + self._b * len(words) / max(self._mean_length(), 1e-9))
        counts = Counter(self._terms[word] for word in words if word in self._terms)
        return {number: count * (self._k1 + 1) / (count + longer) for number, count in sorted(counts.items())}

    def _query(self, words: list[str]) -> Sparse:
        counts = Counter(self._terms[word] for word in words if word in self._terms)
        return {number: count * self._idf(number) for number, count in sorted(counts.items())}

    def _idf(self, number: int) -> float:
        n = self._frequencies[number]
        return math.log1p((self._documents - n + 0.5) / (n + 0.5))

    def _mean_length(self) -> float:
        return self._tokens / self._documents


def _analyzer(language: str) -> Analyze:
    """Return tantivy's simple tokenizer, lower case, stop words and stemmer of a language."""
    try:
        from tantivy import Filter, TextAnalyzerBuilder, Tokenizer
    except ImportError as error:
        raise missing("tantivy") from error
    try:
        builder = TextAnalyzerBuilder(Tokenizer.simple()).filter(Filter.remove_long(100)).filter(Filter.lowercase())
        built = builder.filter(Filter.stopword(language)).filter(Filter.stemmer(language)).build()
    except ValueError as error:
        raise InvalidInput(f"language '{language}' is not one of tantivy's ({error}); give an analyzer") from error
    analyze: Analyze = built.analyze
    return analyze


def _number(name: str, value: object, most: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most or math.isinf(value):
        bound = "" if math.isinf(most) else f" and at most {most:g}"
        raise InvalidInput(f"{name} must be a number of at least 0{bound}, not {value!r}")
    return float(value)
