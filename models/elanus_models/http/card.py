"""What there is to know about a provider: where its server is, who may call, and how it is spoken to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from elanus_models.model import Role

EmbedFormatName = Literal["openai", "cohere", "tei", "gemini", "nomic"]
RerankFormatName = Literal["cohere", "voyage", "tei"]
Constants = tuple[tuple[str, object], ...]


@dataclass(frozen=True)
class EmbedEndpoint:
    """How a provider embeds.

    `path` follows the base URL; "{model}" in it is the model's name. A request holds at most `max_texts` texts of
    together `max_bytes` bytes of UTF-8 (None: any). `type_option` is the field that says whether the texts are
    documents or queries, `dim_option` the one that asks for a dimension (each "" if there is none). `other_types` has
    (beginning of a model's name, word for documents, word for queries) where they are not the usual ones. `always` are
    the fields of every request, `dims` the models whose dimension is known.
    """

    path: str
    format: EmbedFormatName
    max_texts: int
    max_bytes: int | None = None
    type_option: str = ""
    document_type: str = ""
    query_type: str = ""
    other_types: tuple[tuple[str, str, str], ...] = ()
    dim_option: str = ""
    always: Constants = ()
    dims: tuple[tuple[str, int], ...] = ()
    needs_model: bool = True

    def word(self, model: str, role: Role) -> str:
        """Return the word for documents or queries that the model takes, "" if it takes none."""
        usual = ("", self.document_type, self.query_type)
        _, document, query = next((other for other in self.other_types if model.startswith(other[0])), usual)
        return document if role == "document" else query


@dataclass(frozen=True)
class RerankEndpoint:
    """How a provider reranks; `top_option` is the field that says how many documents to score."""

    path: str
    format: RerankFormatName
    max_texts: int
    top_option: str = ""
    always: Constants = ()
    needs_model: bool = True


@dataclass(frozen=True)
class ProviderCard:
    """One provider as data.

    `key_names` and `url_names` are environment variables, the first that is set counts. The key goes into the header
    `key_header` after `key_prefix`. `base_url` is "" where every customer has an own one.
    """

    name: str
    base_url: str
    embed: EmbedEndpoint | None = None
    rerank: RerankEndpoint | None = None
    key_names: tuple[str, ...] = ()
    needs_key: bool = True
    url_names: tuple[str, ...] = ()
    key_header: str = "Authorization"
    key_prefix: str = "Bearer "
    aliases: tuple[str, ...] = ()
