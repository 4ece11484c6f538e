"""A knowledge base in five lines: documents in, questions answered with their passages."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

from elanus import AnnSearchRequest, Expression, Suggestion, check_reranker, suggest_weights
from elanus.client import connect
from elanus.errors import InvalidArgument
from elanus.knowledge.answering import DEPTH, Asked, Context, Mode, answer, pack, routes_of
from elanus.knowledge.documents import Document, as_documents
from elanus.knowledge.evaluating import Evaluation, summarise
from elanus.knowledge.filling import Chunking, Filled, fill, sync
from elanus.knowledge.hits import Hits
from elanus.knowledge.shelf import LANGUAGE, Shelf
from elanus.models import embed_queries, find_embedder, find_reranker

CHARACTERS_PER_TOKEN = 4


class KnowledgeBase:
    """Documents that can be asked.

    >>> kb = KnowledgeBase("./kb")
    >>> kb.add(["Kites are birds of prey.", Path("notes")])
    >>> print(kb.search("which birds hunt?"))

    Args:
        path: a folder, ":memory:", a Milvus server's URL, or an open client; `connection` goes to `connect`.
        collection: where in the store.
        embedder: the name of a model that `elanus_models.OnnxEmbedding` finds, or any object with `embed_documents` and
            `embed_queries`. A knowledge base keeps to one model: another one is refused.
        reranker: what orders the candidates of `search`: any object with `rerank(query, documents)`; True means late
            interaction with the embedder's own token vectors, if it is given by name; None means none.
        tenant: whose knowledge base this is, of many in one collection that is divided by tenants: each finds its own
            passages only, at the cost of what it holds.
        language: of the texts, for BM25: "english" (the default), "german", ..., or "standard" for none. Or of several
            languages, by what the documents' metadata call theirs under "language": {"default": "english", "de":
            "german"}. A knowledge base keeps to what it was made with.
        chunk_size, overlap: the longest passage, and how much of the one before each begins with, in characters.

    One object may be used by many threads, one folder by many processes.

    Raises:
        ModelMismatch: the store was filled with another model. ModelFailed: the model cannot be had.
    """

    def __init__(
        self,
        path: Any = "./kb",
        *,
        collection: str = "knowledge",
        embedder: Any = "all-MiniLM-L6-v2",
        reranker: Any = True,
        tenant: str | None = None,
        language: str | Mapping[str, str] | None = None,
        chunk_size: int = 900,
        overlap: int = 150,
        show_progress: bool = False,
        **connection: Any,
    ) -> None:
        if chunk_size < 50 or not 0 <= overlap < chunk_size:
            raise InvalidArgument(f"chunk_size must be at least 50 and overlap below it, not {chunk_size}, {overlap}")
        if tenant is not None and (not isinstance(tenant, str) or not tenant):
            raise InvalidArgument(f"KnowledgeBase: tenant must be a name, not {tenant!r}")
        self._own = isinstance(path, (str, os.PathLike))
        self.client = connect(path, **connection) if self._own else path
        self._chunking = Chunking(chunk_size, overlap)
        self._reranker, self._model_name = reranker, embedder if isinstance(embedder, str) else None
        self.show_progress = show_progress
        try:
            named = self._model_name is not None
            model = find_embedder("onnx", {"model_name": embedder}, "KnowledgeBase") if named else embedder
            self._shelf = Shelf(
                self.client, collection, model, f"KnowledgeBase, {embedder!r}", _analyzer(language), tenant
            )
            self._shelf.open()
        except BaseException:
            self.close()
            raise

    def add(self, items: Any, *, metadata: Mapping[str, Any] | None = None) -> Filled:
        """Put in texts, `Document`s, dicts with "text", LangChain's documents, or `Path`s of files and folders.

        What is there already, with the same text and metadata, is left alone; a changed document of the same id takes
        the place of the older one. Files may be text, Markdown, HTML and, with pypdf, PDF.

        Args:
            items: one, or a list or generator of them.
            metadata: added to that of every document.
        """
        with self._progress() as report:
            return fill(self._shelf, _with(as_documents(items), metadata), self._chunking, "", report)

    def sync(self, source: Any, *, name: str = "", metadata: Mapping[str, Any] | None = None) -> Filled:
        """Make the knowledge base agree with a source: add what is new, replace what changed, remove what is gone.

        Args:
            source: a `Path` of a file or folder, or documents, all that there are.
            name: what the source is called from one call to the next; of a path its place.
        """
        root = name or (str(source.resolve()) if isinstance(source, Path) else "")
        if not root:
            raise InvalidArgument("sync: give a name for a source that is no Path, the same one each time")
        with self._progress() as report:
            return sync(self._shelf, _with(as_documents(source), metadata), self._chunking, root, report)

    def remove(self, documents: str | Sequence[str]) -> int:
        """Remove documents by id; returns how many passages went."""
        ids = [documents] if isinstance(documents, str) else list(documents)
        return self._shelf.remove((one, range(known.chunks)) for one, known in self._shelf.known(ids).items())

    def search(
        self,
        question: str,
        k: int = 5,
        *,
        filter: str | Expression | None = None,
        mode: Mode = "hybrid",
        rerank: bool = True,
        candidates: int = 20,
        diversity: float | None = None,
        neighbours: int = 0,
        explain: bool = False,
        ranker: Any = None,
        language: str | None = None,
        highlight: Any = False,
    ) -> Hits:
        """Return the k passages that answer a question best.

        Args:
            filter: a Milvus expression or `elanus.F` over the metadata, `document` and `source`.
            mode: "hybrid" fuses meaning and words (RRF), "dense" and "text" take one of them.
            rerank: let the reranker order the best `candidates`.
            diversity: 0 to 1; maximal marginal relevance, so that passages do not repeat each other.
            neighbours: how many passages before and after each hit to add to its text.
            explain: give each hit its `explanation`; not on a server.
            ranker: the fusion of mode "hybrid", weights in the order (dense, text); RRFRanker() by default.
            language: of the question, where the documents have several: as their metadata call it.
            highlight: True, or an `elanus.LexicalHighlighter`: give each hit `highlights`, fragments with the words of
                the question marked.
        """
        model = self.reranker if rerank else None
        asked = Asked(
            *(question, k, filter, mode, model, candidates, diversity, neighbours),
            *(explain, ranker, language, highlight),
        )
        return answer(self._shelf, asked)

    def context(
        self, question: str, max_tokens: int = 2000, *, count: Callable[[str], int] | None = None, **options: Any
    ) -> Context:
        """Return passages packed for a prompt, numbered and with their origin, within a budget of tokens.

        Args:
            count: counts the tokens of a text as your model does; by default four characters are one.
            options: of `search`.
        """
        hits = self.search(question, **{"k": 20, **options})
        return pack(hits, max_tokens, count or (lambda text: -(-len(text) // CHARACTERS_PER_TOKEN)))

    def evaluate(
        self,
        queries: Mapping[str, str],
        qrels: Mapping[str, Mapping[str, float]],
        k: int = 10,
        **options: Any,
    ) -> Evaluation:
        """Measure answers against judgements: nDCG, recall and MRR of documents among the best k, and the time.

        Args:
            queries: question by id; those without a relevant document are left out.
            qrels: for each query the relevance of documents, by their ids.
            options: of `search`.
        """
        judged = [one for one in queries if any(value > 0 for value in qrels.get(one, {}).values())]
        if not judged:
            raise InvalidArgument("evaluate: no query has a relevant document in qrels")
        answers, times = [], []
        for one in judged:
            begun = time.perf_counter()
            hits = self.search(queries[one], **{"k": 2 * k, "candidates": max(20, 2 * k), **options})
            times.append(1000 * (time.perf_counter() - begun))
            answers.append((list(dict.fromkeys(hit.document for hit in hits)), qrels[one]))
        return summarise(answers, times, k)

    def suggest_weights(
        self,
        queries: Mapping[str, str],
        qrels: Mapping[str, Mapping[str, float]],
        k: int = 10,
        *,
        folds: int = 5,
        kinds: Sequence[str] = ("rrf", "weighted", "dbsf"),
        language: str | None = None,
    ) -> Suggestion:
        """Suggest a `ranker` for `search` from judged questions, without the reranker; see `elanus.suggest_weights`.

        Args:
            queries, qrels: as for `evaluate`.
            language: of the questions, as for `search`.
        """
        shelf = self._shelf

        def requests_of(question: str) -> list[AnnSearchRequest]:
            vector = embed_queries(shelf.model, [question], None, shelf.said)
            return list(routes_of(question, vector, max(DEPTH, 2 * k), shelf.within(None), language).values())

        return suggest_weights(
            self.client,
            shelf.collection,
            requests_of,
            queries,
            qrels,
            k=k,
            document="document",
            folds=folds,
            kinds=kinds,
        )

    @cached_property
    def reranker(self) -> Any:
        """What orders candidates, or None."""
        if self._reranker is True:
            if self._model_name is None:
                return None
            return find_reranker("late_interaction", {"model_name": self._model_name}, "KnowledgeBase")
        return check_reranker(self._reranker) if self._reranker not in (None, False) else None

    def __len__(self) -> int:
        """How many passages there are."""
        return self._shelf.count()

    def __bool__(self) -> bool:
        return True

    def __repr__(self) -> str:
        return f"KnowledgeBase({self._shelf.collection!r}, {len(self)} passages, {self._shelf.said.partition(', ')[2]})"

    def __enter__(self) -> KnowledgeBase:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the store, if it was opened here."""
        if self._own:
            self.client.close()

    @contextmanager
    def _progress(self) -> Iterator[Callable[[int], object]]:
        if not self.show_progress:
            yield lambda documents: None
            return
        from tqdm.auto import tqdm

        with tqdm(desc="documents", unit="doc") as bar:
            yield bar.update


def _analyzer(language: Any) -> dict[str, Any] | None:
    if language is None:
        return None
    if isinstance(language, str):
        return {"type": language}
    if not isinstance(language, Mapping) or "default" not in language:
        raise InvalidArgument(
            "KnowledgeBase: language must be a name, or a dict from what documents call their language to a name, with "
            f"one for 'default', not {language!r}"
        )
    return {"by_field": LANGUAGE, "analyzers": {called: {"type": name} for called, name in language.items()}}


def _with(documents: Iterator[Document], metadata: Mapping[str, Any] | None) -> Iterator[Document]:
    for document in documents:
        more = {**(metadata or {}), **document.metadata}
        yield Document(document.text, document.id, document.source, more) if metadata else document
