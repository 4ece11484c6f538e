"""Late interaction: reranking by the likeness of single tokens (MaxSim, arXiv 2004.12832)."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np

from elanus_models.encoder import SettingsArguments
from elanus_models.errors import InvalidInput
from elanus_models.model import Floats, Reranker, checked_texts
from elanus_models.packing import is_packed, pack, unpack
from elanus_models.token_vectors import TokenEmbedding

if TYPE_CHECKING:
    from typing_extensions import Unpack


class LateInteraction(Reranker):
    """Reranks by MaxSim over the token vectors of a ColBERT model, or of any dense encoder that is there already.

    A document's score is the mean, over the query's tokens, of the cosine with the document's most similar token.
    Documents are texts, or what `pack` made of them: then only the query is embedded, which takes a few milliseconds.
    `model` is a `TokenEmbedding`, a folder or a name; `settings` are those of `TokenEmbedding`.

    Raises ModelNotFound, ModelCorrupt, ModelUnsupported, DownloadFailed, MissingDependency or InvalidInput.
    """

    def __init__(
        self,
        model: str | os.PathLike[str] | TokenEmbedding = "all-MiniLM-L6-v2",
        **settings: Unpack[SettingsArguments],
    ) -> None:
        if isinstance(model, TokenEmbedding):
            if settings:
                raise InvalidInput(
                    f"{', '.join(settings)}: give settings to the TokenEmbedding, or a model's name here"
                )
            self._tokens = model
        else:
            self._tokens = TokenEmbedding(model, **settings)

    def pack(self, documents: list[str]) -> list[str]:
        """Return the documents' token vectors as text to store beside them, 4 bits a number, and rerank from there.

        A token of 384 dimensions takes 259 bytes; tokens beyond 65,535 bytes, the largest VARCHAR, are left out.
        """
        texts = checked_texts(documents, "documents")
        return [pack(vectors) for vectors in self._tokens.embed_documents(texts)]

    def info(self) -> dict[str, Any]:
        """Return what was found and chosen, and why."""
        return {**self._tokens.info(), "scoring": "maxsim"}

    def __repr__(self) -> str:
        return f"LateInteraction({self._tokens!r})"

    def _score(self, query: str, documents: list[str]) -> Floats:
        (asked,) = self._tokens.embed_queries([query])
        texts = [number for number, document in enumerate(documents) if not is_packed(document)]
        fresh = dict(zip(texts, self._tokens.embed_documents([documents[i] for i in texts]), strict=True))
        vectors = [fresh[i] if i in fresh else unpack(d, self._tokens.dim) for i, d in enumerate(documents)]
        return maxsim(asked, vectors)


def maxsim(query: Floats, documents: list[Floats]) -> Floats:
    """Return the mean over query tokens of the largest inner product with a document's tokens: float32 (documents,).

    `query` is (tokens, dim), each document too; one without tokens scores 0.
    """
    lengths = np.array([len(document) for document in documents])
    scores = np.zeros(len(documents), np.float32)
    filled = np.flatnonzero(lengths)
    if len(filled) and len(query):
        likeness = query @ np.concatenate([documents[i] for i in filled]).T
        starts = np.concatenate([[0], np.cumsum(lengths[filled])[:-1]])
        scores[filled] = np.maximum.reduceat(likeness, starts, axis=1).mean(axis=0)
    return scores
