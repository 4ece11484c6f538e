"""Random sequences of operations: after every step the engine and the oracle agree."""

from __future__ import annotations

import os
import random
import shutil
import tempfile
from typing import Any

import elanus
import numpy as np
import pytest
from elanus import AnnSearchRequest, RRFRanker, WeightedRanker
from elanus.engine import maintenance
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests import shapes
from tests.oracle import ALL, Condition, Row, Scores, Table, has_ties, ranked, rrf, weighted

COLORS = ("red", "green", "blue", "crème brûlée")
WORDS = ("kite", "falcon", "hawk", "river", "mountain", "wind", "the", "of", "stone")
MAKERS = {"articles": shapes.articles, "files": shapes.files, "notes": shapes.notes, "senses": shapes.senses}

FAST_DISK = "/dev/shm" if os.path.isdir("/dev/shm") else None

clients = st.integers(0, 1)
seeds = st.integers(0, 2**32 - 1)
limits = st.sampled_from((1, 3, 10, 40))


def make_row(kind: str, rng: random.Random, key: int) -> dict[str, Any]:
    """A row of a collection of that kind; some leave out or null what may be left out."""
    vector = [float(np.float32(rng.uniform(-3, 3))) for _ in range(shapes.DIM)]
    if kind == "files":
        n = rng.choice((None, rng.randrange(6)))
        return {"path": f"dir/{key}", "n": n, "color": rng.choice(COLORS), "place": vector}
    if kind == "senses":
        return {
            "id": key,
            "n": rng.choice((None, rng.randrange(6))),
            "color": rng.choice(COLORS),
            "at": rng.choice((None, f"20{rng.randrange(10, 30)}-0{rng.randrange(1, 10)}-01T00:00:00Z")),
            "vector": rng.choice((None, vector)),
            "splade": rng.choice((None, make_sparse(rng))),
            "half": [np.array(vector, np.float16).tobytes()],  # as a query gives it
        }
    row: dict[str, Any] = {"vector": vector}
    if rng.random() < 0.7:
        row["year"] = rng.choice((rng.randrange(1990, 2030), rng.randrange(1990, 2030) + 0.5))
    if kind == "notes":
        return row | {"color": rng.choice(COLORS)}
    row |= {
        "id": key,
        "n": rng.choice((None, rng.randrange(-3, 6))),
        "score": rng.uniform(-1, 1),
        "flag": rng.random() < 0.5,
        "color": rng.choice(COLORS),
        "tags": rng.sample(("a", "b", "c", "d"), rng.randrange(4)),
        "meta": {"size": rng.randrange(5), "who": rng.choice(COLORS)} if rng.random() < 0.8 else {"deep": {"x": 1}},
        "text": " ".join(rng.choices(WORDS, k=rng.randrange(0, 9))),
    }
    if rng.random() < 0.1:
        del row["n"]
    return row


def make_sparse(rng: random.Random) -> dict[int, float]:
    """A sparse vector of up to five weights."""
    return {i: float(np.float32(rng.uniform(0.1, 3))) for i in sorted(rng.sample(range(12), rng.randrange(6)))}


def compare(field: str, keys: tuple[str, ...], operator: str, value: Any) -> Condition:
    """A comparison of a field or a JSON path with a number or string; unknown where there is no value."""
    path = field + "".join(f'["{key}"]' for key in keys)
    text = f"{path} {operator} {value!r}".replace("'", '"')

    def test(row: Row) -> bool | None:
        held = row.get(field)
        for key in keys:
            held = held.get(key) if isinstance(held, dict) else None
        return None if held is None else COMPARISONS[operator](held, value)

    return Condition(text, test)


COMPARISONS = {
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}
operators = st.sampled_from(tuple(COMPARISONS))
numbers = st.builds(lambda op, v: compare("n", (), op, v), operators, st.integers(-1, 5))
colors = st.builds(lambda op, v: compare("color", (), op, v), st.sampled_from(("==", "!=")), st.sampled_from(COLORS))
years = st.builds(lambda op, v: compare("year", (), op, v), operators, st.integers(1990, 2030))
sizes = st.builds(lambda op, v: compare("meta", ("size",), op, v), operators, st.integers(0, 4))
members = st.builds(
    lambda wanted: Condition(
        f"color in {list(wanted)}".replace("'", '"'),
        lambda row: None if row.get("color") is None else row["color"] in wanted,
    ),
    st.lists(st.sampled_from(COLORS), min_size=1, max_size=3, unique=True),
)
nulls = st.sampled_from(
    (
        Condition("n is null", lambda row: row.get("n") is None),
        Condition("n is not null", lambda row: row.get("n") is not None),
    )
)
absent = st.sampled_from(("vector", "splade", "at")).map(
    lambda name: Condition(f"{name} is null", lambda row: row[name] is None)
)
tagged = st.sampled_from("abcd").map(
    lambda tag: Condition(f'array_contains(tags, "{tag}")', lambda row: tag in row["tags"])
)
flags = st.sampled_from(
    (Condition("flag == true", lambda row: row["flag"]), Condition("flag == false", lambda row: not row["flag"]))
)
prefixes = st.sampled_from("rgbc").map(
    lambda letter: Condition(f'color like "{letter}%"', lambda row: row["color"].startswith(letter))
)


def nested(leaves: st.SearchStrategy[Condition]) -> st.SearchStrategy[Condition]:
    """Conditions joined by and, or, not."""
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.builds(lambda a, b: a & b, inner, inner),
            st.builds(lambda a, b: a | b, inner, inner),
            st.builds(lambda a: ~a, inner),
        ),
        max_leaves=4,
    )


CONDITIONS = {
    "articles": nested(st.one_of(numbers, colors, years, sizes, members, nulls, tagged, flags, prefixes)),
    "files": nested(st.one_of(numbers, colors, members, nulls, prefixes)),
    "notes": nested(st.one_of(colors, years, members, prefixes)),
    "senses": nested(st.one_of(numbers, colors, members, nulls, absent)),
}
SPELLING = {
    "articles": ("vector", "sparse"),
    "files": ("place", None),
    "notes": ("vector", None),
    "senses": ("vector", None),
}


def check_hits(
    hits: list[dict[str, Any]], key: str, expected: Scores, metric: str, limit: int, offset: int = 0
) -> None:
    """Hits hold the expected best scores in order, and each hit its own; equal scores may come in any order."""
    best = [score for _, score in ranked(expected, metric)][offset : offset + limit]
    assert [hit["distance"] for hit in hits] == pytest.approx(best, rel=1e-4, abs=1e-4)
    assert len({hit[key] for hit in hits}) == len(hits)
    for hit in hits:
        assert hit[key] in expected
        assert hit["distance"] == pytest.approx(expected[hit[key]], rel=1e-4, abs=1e-4)


def plain(row: dict[str, Any]) -> dict[str, Any]:
    """A row without its nulls, which may be left out."""
    return {name: value for name, value in row.items() if value is not None}


class Sequences(RuleBasedStateMachine):
    """Two clients of one folder and the oracle; each rule does a thing to both or asks both."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.mkdtemp(prefix="elanus-sequences-", dir=FAST_DISK)
        self.clients = [elanus.connect(self.folder, durability="os") for _ in range(2)]
        self.tables: dict[str, Table] = {}
        self.kinds: dict[str, str] = {}
        self.last_id: dict[str, int] = {}
        self.turn = 0

    @initialize()
    def start(self) -> None:
        for kind in MAKERS:
            self.create(kind, kind, 0)

    def create(self, name: str, kind: str, client: int) -> None:
        self.tables[name] = MAKERS[kind](self.clients[client], name)
        self.kinds[name] = kind
        self.last_id[name] = 0

    def pick(self, data: st.DataObject) -> str:
        return data.draw(st.sampled_from(sorted(self.tables)))

    @rule(
        data=st.data(), client=clients, seed=seeds, size=st.integers(1, 25), verb=st.sampled_from(("insert", "upsert"))
    )
    def write(self, data: st.DataObject, client: int, seed: int, size: int, verb: str) -> None:
        name, rng = self.pick(data), random.Random(seed)
        kind, table = self.kinds[name], self.tables[name]
        verb = "insert" if kind == "notes" else verb
        rows = [make_row(kind, rng, rng.randrange(40)) for _ in range(size)]
        answer = getattr(self.clients[client], verb)(name, rows)
        assert answer[f"{verb}_count"] == size
        ids = list(answer["ids"])
        if kind == "notes":
            assert len(set(ids)) == size
            assert not set(ids) & set(table.rows)
            rows = [{"id": key, **row} for key, row in zip(ids, rows, strict=True)]
        assert ids == [row[table.key] for row in rows]
        table.write(rows)

    @rule(data=st.data(), client=clients, seed=seeds)
    def delete_by_ids(self, data: st.DataObject, client: int, seed: int) -> None:
        name, rng = self.pick(data), random.Random(seed)
        table = self.tables[name]
        known = rng.sample(sorted(table.rows), min(len(table.rows), rng.randrange(4)))
        keys = [*known, *known[:1], "nobody" if self.kinds[name] == "files" else 10**9]
        assert self.clients[client].delete(name, ids=keys) == {"delete_count": table.delete(keys)}

    @rule(data=st.data(), client=clients)
    def delete_by_filter(self, data: st.DataObject, client: int) -> None:
        name = self.pick(data)
        condition = data.draw(CONDITIONS[self.kinds[name]])
        table = self.tables[name]
        doomed = len(table.matching(condition))
        answer = self.clients[client].delete(name, filter=condition.text)
        assert answer == {"delete_count": doomed}
        table.delete_where(condition)

    @rule(data=st.data(), client=clients)
    def flush(self, data: st.DataObject, client: int) -> None:
        self.clients[client].flush(self.pick(data))

    @rule(client=clients)
    def reopen(self, client: int) -> None:
        self.clients[client].close()
        self.clients[client] = elanus.connect(self.folder, durability="os")

    @rule(data=st.data(), client=clients, drop=st.booleans())
    def empty(self, data: st.DataObject, client: int, drop: bool) -> None:
        name = self.pick(data)
        if drop:
            self.clients[client].drop_collection(name)
            self.create(name, self.kinds[name], 1 - client)
        else:
            self.clients[client].truncate_collection(name)
            self.tables[name].rows.clear()

    @rule(data=st.data(), client=clients)
    def rename(self, data: st.DataObject, client: int) -> None:
        old = self.pick(data)
        new = old[:-1] if old.endswith("_") else old + "_"
        self.clients[client].rename_collection(old, new)
        for known in (self.tables, self.kinds, self.last_id):
            known[new] = known.pop(old)

    @rule(data=st.data(), client=clients)
    def release_and_load(self, data: st.DataObject, client: int) -> None:
        name = self.pick(data)
        self.clients[client].release_collection(name)
        with pytest.raises(elanus.CollectionNotLoaded):
            self.clients[1 - client].query(name, ids=[1] if self.kinds[name] != "files" else ["a"])
        self.clients[1 - client].load_collection(name)

    @rule(data=st.data(), client=clients, seed=seeds)
    def get(self, data: st.DataObject, client: int, seed: int) -> None:
        name, rng = self.pick(data), random.Random(seed)
        table = self.tables[name]
        keys = rng.sample(sorted(table.rows), min(len(table.rows), 5))
        keys_and_more = [*keys, "nobody" if self.kinds[name] == "files" else 10**9]
        found = self.clients[client].get(name, keys_and_more, output_fields=["*"])
        assert sorted((plain(row) for row in found), key=lambda row: row[table.key]) == sorted(
            (plain(table.rows[key]) for key in keys), key=lambda row: row[table.key]
        )

    @rule(data=st.data(), client=clients)
    def query(self, data: st.DataObject, client: int) -> None:
        name = self.pick(data)
        table = self.tables[name]
        condition = data.draw(CONDITIONS[self.kinds[name]])
        found = self.clients[client].query(name, filter=condition.text, output_fields=[table.key])
        assert sorted(row[table.key] for row in found) == sorted(table.matching(condition)), condition.text
        counted = self.clients[client].query(name, filter=condition.text, output_fields=["count(*)"])
        assert counted == [{"count(*)": len(found)}]

    @rule(
        data=st.data(),
        client=clients,
        seed=seeds,
        limit=limits,
        offset=st.sampled_from((0, 0, 2)),
        filtered=st.booleans(),
    )
    def search_dense(
        self, data: st.DataObject, client: int, seed: int, limit: int, offset: int, filtered: bool
    ) -> None:
        name, rng = self.pick(data), random.Random(seed)
        table, field = self.tables[name], SPELLING[self.kinds[name]][0]
        condition = data.draw(CONDITIONS[self.kinds[name]]) if filtered else ALL
        queries = [[rng.uniform(-3, 3) for _ in range(shapes.DIM)] for _ in range(2)]
        found = self.clients[client].search(
            name, queries, filter=condition.text, limit=limit, anns_field=field, offset=offset
        )
        assert len(found) == 2
        for query, hits in zip(queries, found, strict=True):
            expected = table.dense(field, query, condition)
            check_hits(hits, table.key, expected, table.metrics[field], limit, offset)

    @rule(data=st.data(), client=clients, seed=seeds, limit=limits, filtered=st.booleans())
    def search_text(self, data: st.DataObject, client: int, seed: int, limit: int, filtered: bool) -> None:
        name = next(name for name, kind in self.kinds.items() if kind == "articles")
        table, rng = self.tables[name], random.Random(seed)
        condition = data.draw(CONDITIONS["articles"]) if filtered else ALL
        text = " ".join(rng.choices((*WORDS, "unheard"), k=rng.randrange(1, 5)))
        (hits,) = self.clients[client].search(name, [text], filter=condition.text, limit=limit, anns_field="sparse")
        check_hits(hits, "id", table.bm25("sparse", text, condition), "BM25", limit)

    @rule(data=st.data(), client=clients, seed=seeds, limit=limits, filtered=st.booleans())
    def search_sparse(self, data: st.DataObject, client: int, seed: int, limit: int, filtered: bool) -> None:
        name = next(name for name, kind in self.kinds.items() if kind == "senses")
        condition = data.draw(CONDITIONS["senses"]) if filtered else ALL
        query = make_sparse(random.Random(seed))
        (hits,) = self.clients[client].search(name, [query], filter=condition.text, limit=limit, anns_field="splade")
        check_hits(hits, "id", self.tables[name].sparse("splade", query, condition), "IP", limit)

    @rule(data=st.data(), client=clients, seed=seeds, rank_weighted=st.booleans(), filtered=st.booleans())
    def search_hybrid(self, data: st.DataObject, client: int, seed: int, rank_weighted: bool, filtered: bool) -> None:
        name = next(name for name, kind in self.kinds.items() if kind == "articles")
        table, rng = self.tables[name], random.Random(seed)
        condition = data.draw(CONDITIONS["articles"]) if filtered else ALL
        vector, text = [rng.uniform(-3, 3) for _ in range(shapes.DIM)], " ".join(rng.choices(WORDS, k=3))
        scores = [table.dense("vector", vector, condition), table.bm25("sparse", text, condition)]
        if any(map(has_ties, scores)):
            return
        requests = [
            AnnSearchRequest([vector], "vector", {}, 12, expr=condition.text),
            AnnSearchRequest([text], "sparse", {}, 8, expr=condition.text),
        ]
        routes = [ranked(s)[: request.limit] for s, request in zip(scores, requests, strict=True)]
        if rank_weighted:
            ranker: Any = WeightedRanker(0.7, 0.3)
            expected = weighted(routes, ("COSINE", "BM25"), (0.7, 0.3))
        else:
            ranker, expected = RRFRanker(20), rrf(routes, 20)
        (hits,) = self.clients[client].hybrid_search(name, requests, ranker, limit=6)
        check_hits(hits, "id", expected, "RRF", 6)

    @precondition(lambda self: self.tables)
    @invariant()
    def everything_is_there(self) -> None:
        self.turn += 1
        client = self.clients[self.turn % 2]
        assert client.list_collections() == sorted(self.tables)
        for name, table in self.tables.items():
            assert client.get_collection_stats(name) == {"row_count": len(table.rows)}
        name = sorted(self.tables)[self.turn % len(self.tables)]
        table = self.tables[name]
        found = client.query(name, limit=1000, output_fields=["*"])
        assert {row[table.key]: plain(row) for row in found} == {k: plain(r) for k, r in table.rows.items()}
        assert len(found) == len(table.rows)

    def teardown(self) -> None:
        for client in self.clients:
            client.close()
        shutil.rmtree(self.folder)


class BusySequences(Sequences):
    """The same while maintenance flushes and merges behind every few writes."""

    def __init__(self) -> None:
        self.usual = maintenance.FLUSH_BYTES, maintenance.WAIT_BYTES
        maintenance.FLUSH_BYTES, maintenance.WAIT_BYTES = 100_000, 400_000
        super().__init__()

    def teardown(self) -> None:
        super().teardown()
        maintenance.FLUSH_BYTES, maintenance.WAIT_BYTES = self.usual


TestSequences = Sequences.TestCase
TestSequences.settings = settings(max_examples=100, stateful_step_count=50)
TestBusySequences = BusySequences.TestCase
TestBusySequences.settings = settings(max_examples=40, stateful_step_count=50)
