"""A knowledge base as its user meets it: in, asked, kept in step, measured."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import elanus
import pytest
from elanus import Document, F, KnowledgeBase

from tests.fakes import Overlap, Words

BIRDS = [
    Document("Kites are birds of prey. They hunt mice over open fields.", id="kites", metadata={"year": 2020}),
    Document("A paper kite flies on a string in the wind.", id="toys", metadata={"year": 2021}),
    Document("Herons hunt fish in shallow water.", id="herons", metadata={"year": 2022}),
]
LONG = "\n\n".join(f"Paragraph {n} speaks of subject{n} and says little else about it." for n in range(30))


def open_base(path: Any = ":memory:", **options: Any) -> KnowledgeBase:
    return KnowledgeBase(path, **{"embedder": Words(dim=64), "reranker": None, **options})


@pytest.fixture
def birds() -> Iterator[KnowledgeBase]:
    with open_base() as kb:
        kb.add(BIRDS)
        yield kb


def found(hits: Any) -> list[str]:
    return [hit.document for hit in hits]


def test_questions_find_their_documents_in_every_mode(birds: KnowledgeBase) -> None:
    for mode in ("hybrid", "dense", "text"):
        hits = birds.search("hunt fish", k=1, mode=mode)
        assert found(hits) == ["herons"]
        assert (hits[0].text, hits[0].metadata, hits[0].chunk) == (BIRDS[2].text, {"year": 2022}, 0)
    assert found(birds.search("hunt", filter=F.year < 2022, mode="text")) == ["kites"]
    assert found(birds.search("hunt", filter="document == 'herons'", mode="text")) == ["herons"]


def test_what_is_known_is_left_alone_and_what_changed_is_replaced(birds: KnowledgeBase) -> None:
    Words.calls.clear()
    filled = birds.add([*BIRDS, Document("A box kite has two cells.", id="toys"), "A new text."])
    assert (filled.added, filled.replaced, filled.unchanged) == (1, 1, 2)
    assert [len(texts) for kind, texts in Words.calls if kind == "documents"] == [2]
    assert found(birds.search("paper string wind", mode="text")) == []
    assert found(birds.search("box cells", mode="text")) == ["toys"]
    assert len(birds) == 4
    assert birds.add([Document(BIRDS[0].text, id="kites", metadata={"year": 1999})]).replaced == 1


def test_a_shorter_version_leaves_nothing_of_the_longer_one(birds: KnowledgeBase) -> None:
    before = len(birds)
    birds.add(Document(LONG, id="long"))
    assert len(birds) > before + 2
    assert birds.add(Document("Short now.", id="long")).replaced == 1
    assert len(birds) == before + 1
    assert birds.remove(["long", "unknown"]) == 1
    assert birds.remove("long") == 0


def test_a_folder_is_kept_in_step(tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    (notes / "deep").mkdir(parents=True)
    (notes / "a.md").write_text("# Kites\n\nKites hunt mice.")
    (notes / "deep" / "b.html").write_text("<title>x</title><script>no()</script><p>Herons</p><p>fish &amp; frogs</p>")
    (notes / "c.txt").write_text("gone soon")
    (notes / "image.png").write_bytes(b"\x89PNG")
    (notes / ".hidden.txt").write_text("not for you")
    with open_base() as kb:
        kb.add("A text of its own.")
        first = kb.sync(notes)
        assert (first.added, first.removed) == (3, 0)
        (hit,) = kb.search("frogs", mode="text")
        assert (hit.text, hit.source) == ("Herons\n\nfish & frogs", str(notes / "deep" / "b.html"))
        (notes / "c.txt").unlink()
        (notes / "a.md").write_text("# Kites\n\nKites hover.")
        (notes / "d.txt").write_text("new here")
        second = kb.sync(notes)
        assert (second.added, second.replaced, second.unchanged, second.removed) == (1, 1, 1, 1)
        assert found(kb.search("gone soon", mode="text")) == []
        assert len(kb) == 4
        assert (kb.sync(notes).unchanged, len(kb)) == (3, 4)


def test_files_are_read_in_the_encodings_they_come_in(tmp_path: Path) -> None:
    for name, raw in {
        "utf8.txt": "Käfer eins".encode(),
        "mark.txt": b"\xef\xbb\xbf" + "Käfer zwei".encode(),
        "wide.txt": "Käfer drei".encode("utf-16"),
        "windows.md": "Käfer € vier".encode("cp1252"),
        "empty.txt": b" \n",
    }.items():
        (tmp_path / name).write_bytes(raw)
    with open_base() as kb:
        assert (filled := kb.sync(tmp_path)).added == 4
        assert (filled.unchanged, filled.passages) == (1, 4)
        hits = kb.search("Käfer", k=9, mode="text")
        assert sorted(hit.text for hit in hits) == ["Käfer drei", "Käfer eins", "Käfer zwei", "Käfer € vier"]
        assert kb.sync(tmp_path) == type(filled)(unchanged=5)
        (tmp_path / "utf8.txt").write_text("")
        assert (kb.sync(tmp_path).replaced, len(kb.search("Käfer", k=9, mode="text"))) == (1, 3)
        assert kb.sync(tmp_path).unchanged == 5
        (tmp_path / "zip.txt").write_bytes(b"PK\0\3")
        with pytest.raises(elanus.InvalidArgument, match=r"zip\.txt' holds no text"):
            kb.sync(tmp_path)


def test_sources_that_are_no_path_need_a_name() -> None:
    with open_base() as kb:
        assert kb.sync(BIRDS, name="birds").added == 3
        assert kb.sync(BIRDS[:1], name="birds").removed == 2
        assert len(kb) == 1
        with pytest.raises(elanus.InvalidArgument, match="give a name"):
            kb.sync(BIRDS)


def test_an_interrupted_filling_is_completed_by_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    from elanus.knowledge import filling

    monkeypatch.setattr(filling, "_PASSAGES", 2)
    with open_base() as kb:
        real, calls = kb.client.upsert, []

        def stop_at_the_second(*arguments: Any) -> Any:
            calls.append(1)
            if len(calls) == 2:
                raise KeyboardInterrupt
            return real(*arguments)

        monkeypatch.setattr(kb.client, "upsert", stop_at_the_second)
        with pytest.raises(KeyboardInterrupt):
            kb.add(Document(LONG, id="long"))
        assert kb.add(Document(LONG, id="long")).added == 1
        assert kb.add(Document(LONG, id="long")).unchanged == 1
        with open_base() as whole:
            whole.add(Document(LONG, id="long"))
            assert len(kb) == len(whole)


def test_the_reranker_orders_the_candidates() -> None:
    with open_base(reranker=Overlap()) as kb:
        kb.add(BIRDS)
        hits = kb.search("a string in the wind", k=2)
        assert hits[0].document == "toys"
        assert hits[0].score == 4.0
        assert kb.search("a string in the wind", rerank=False)[0].score < 1


def test_neighbours_widen_a_hit_to_a_stretch_of_its_document() -> None:
    with open_base(chunk_size=150, overlap=70) as kb:
        kb.add(Document(LONG, id="long"))
        (hit,) = kb.search("subject7", k=1, mode="text")
        (wide,) = kb.search("subject7", k=1, mode="text", neighbours=2)
        assert hit.text in wide.text
        assert wide.text in LONG
        assert wide.start < hit.start
        assert LONG[wide.start :].startswith(wide.text)


def test_diverse_hits_do_not_repeat_each_other() -> None:
    with open_base() as kb:
        kb.add(["red kite bird", "red kite bird bird", "kite toy string"])
        plain = kb.search("red kite", k=2, mode="dense")
        diverse = kb.search("red kite", k=2, mode="dense", diversity=0.9)
        assert "kite toy string" not in [hit.text for hit in plain]
        assert "kite toy string" in [hit.text for hit in diverse]


def test_a_context_keeps_to_its_budget_and_names_its_origins(birds: KnowledgeBase) -> None:
    whole = birds.context("hunt mice fields", 1000, mode="text")
    assert str(whole).startswith("[1] kites#0\nKites are birds of prey.")
    assert whole.tokens <= 1000
    words = birds.context("hunt", 10, count=lambda text: len(text.split()), mode="text")
    assert [hit.document for hit in words.hits] == ["herons"]
    assert words.tokens == 8


def test_answers_are_measured_on_judged_questions(birds: KnowledgeBase) -> None:
    queries = {"q1": "hunt fish", "q2": "paper string", "q3": "unjudged"}
    result = birds.evaluate(queries, {"q1": {"herons": 1}, "q2": {"toys": 1, "kites": 0}}, k=3, mode="text")
    assert (result.questions, result.ndcg, result.recall, result.mrr) == (2, 1.0, 1.0, 1.0)
    half = birds.evaluate({"q1": "hunt fish"}, {"q1": {"herons": 1, "absent": 1}}, k=3, mode="text")
    assert (half.recall, half.mrr) == (0.5, 1.0)
    assert half.ndcg == pytest.approx(1 / (1 + 1 / 1.5849625007211562))
    with pytest.raises(elanus.InvalidArgument, match="no query has a relevant document"):
        birds.evaluate(queries, {})


def test_it_is_there_again_and_keeps_to_its_model(tmp_path: Path) -> None:
    with open_base(tmp_path / "kb") as kb:
        kb.add(BIRDS)
    with open_base(tmp_path / "kb") as kb:
        assert found(kb.search("fish", k=1)) == ["herons"]
    with pytest.raises(elanus.ModelMismatch):
        open_base(tmp_path / "kb", embedder=Words("another", dim=64))
    with elanus.connect(tmp_path / "kb") as client:
        assert len(client.query("knowledge", "year > 2020")) == 2
        shared = open_base(client)
        shared.close()
        assert client.list_collections() == ["knowledge"]


def test_documents_come_in_many_shapes() -> None:
    page = SimpleNamespace(page_content="From a framework.", metadata={"source": "web", "lang": "en"}, id=None)
    with open_base() as kb:
        kb.add([{"text": "A dict.", "id": "d", "year": 1}, page, "A text."], metadata={"batch": 7})
        rows = kb.client.query("knowledge", "batch == 7", output_fields=["document", "source", "lang", "year"])
        assert {row["document"] for row in rows if row["document"] in ("d", "web")} == {"d", "web"}
        assert len(kb) == 3
        assert kb.add("").passages == 0
        for bad, said in (
            (7, "not int"),
            ([7], "item 0 is a int"),
            ([{"no": 1}], "item 0 is a dict"),
            (Path("/nowhere/x"), "no file or folder"),
            (Document, "a knowledge base takes"),
        ):
            with pytest.raises(elanus.InvalidArgument, match=said):
                kb.add(bad)
        with pytest.raises(elanus.InvalidArgument, match=r"cannot have the keys \['chunk'\]"):
            kb.add({"text": "x", "chunk": 3})


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"question": " "}, "question must be"),
        ({"question": "a", "k": 0}, "k must be"),
        ({"question": "a", "mode": "both"}, "mode must be one of hybrid"),
        ({"question": "a", "diversity": 2}, "diversity must be"),
        ({"question": "a", "neighbours": -1}, "neighbours must be"),
    ],
)
def test_bad_questions_are_named(birds: KnowledgeBase, options: Any, said: str) -> None:
    with pytest.raises(elanus.InvalidArgument, match=said):
        birds.search(**options)


def test_hits_read_well(birds: KnowledgeBase) -> None:
    hits = birds.search("hunt <fish>", k=1, mode="text")
    assert "herons#0" in str(hits)
    assert "&lt;fish&gt;" in hits._repr_html_()
    assert "3 passages" in repr(birds)
    assert str(birds.search("zzz", mode="text")) == "nothing found"


def test_a_hit_tells_why_it_was_found() -> None:
    asked = "which birds of prey"
    with open_base() as kb:
        kb.add(["Kites are birds of prey.", "A kite flies on a string.", "Milvus is a genus of kites."])
        assert all(hit.explanation is None for hit in kb.search(asked, k=3))
        for rerank in (False, True):
            for hit in kb.search(asked, k=3, explain=True, rerank=rerank):
                told = hit.explanation
                assert told is not None
                dense, words = told["routes"]
                assert dense["rank"] is not None
                assert ("bird" in words.get("terms", {})) is ("birds" in hit.text)
                judged = told.get("reranker", {"score": told["fusion"]["score"]})
                assert judged["score"] == pytest.approx(hit.score)


@pytest.mark.parametrize("mode", ["hybrid", "dense", "text"])
def test_the_words_of_the_question_are_marked(mode: Any) -> None:
    with open_base(reranker=Overlap()) as kb:
        kb.add(["Kites are <birds> of prey.", "A kite flies on a string."])
        assert all(hit.highlights is None for hit in kb.search("bird", mode=mode))
        hits = kb.search("which bird flies?", k=2, mode=mode, highlight=True, neighbours=1)
        assert {hit.highlights for hit in hits} == {("<em>birds</em>> of prey.",), ("<em>flies</em> on a string.",)}
        assert "<mark>birds</mark>&gt; of prey." in hits._repr_html_()
        own = elanus.LexicalHighlighter(pre_tags=["*"], post_tags=["*"], fragment_offset=100)
        (best, *_) = kb.search("kites", k=2, mode=mode, highlight=own)
        assert best.highlights is not None
        assert "*" in best.highlights[0]


def test_tenants_share_a_folder_and_see_their_own_only(tmp_path: Path) -> None:
    path = tmp_path / "kb"
    with open_base(path, tenant="ada") as ada, open_base(path, tenant="bob") as bob:
        ada.add([Document("Kites are birds of prey.", id="note"), Document("Herons hunt fish.", id="herons")])
        bob.add([Document("A paper kite flies on a string.", id="note", metadata={"year": 2020})])
        assert (len(ada), len(bob)) == (2, 1)
        for mode in ("hybrid", "dense", "text"):
            assert {hit.text for hit in ada.search("kite birds", k=5, mode=mode)} >= {"Kites are birds of prey."}
            assert [hit.text for hit in bob.search("kite birds", k=5, mode=mode)] == ["A paper kite flies on a string."]
        (hit,) = bob.search("kite", filter="year == 2020")
        assert (hit.document, dict(hit.metadata)) == ("note", {"year": 2020})
        assert bob.search("kite", filter=F.year == 2021) == []
        assert bob.search("kite", filter="year == 2021 or chunk == 0", k=9) == [hit]
        for escape in ("year == 1) or (chunk == 0", "year == 1 or"):
            with pytest.raises(elanus.FilterError):
                bob.search("kite", filter=escape)
        assert "Kites are" not in bob.context("kite birds").text
        folder = tmp_path / "notes"
        folder.mkdir()
        (folder / "a.txt").write_text("Swifts sleep on the wing.")
        assert (ada.sync(folder, name="notes").added, bob.sync(folder, name="notes").added) == (1, 1)
        (folder / "a.txt").unlink()
        assert (ada.sync(folder, name="notes").removed, len(ada), len(bob)) == (1, 2, 2)
        assert ada.remove("note") == 1
        assert (len(ada), len(bob)) == (1, 2)
        with pytest.raises(elanus.InvalidArgument, match="'tenant' is the knowledge base's own"):
            ada.add([Document("x", metadata={"tenant": "bob"})])
        with pytest.raises(elanus.InvalidArgument, match="divided by tenants"):
            open_base(path)
    with open_base(tmp_path / "plain"), pytest.raises(elanus.InvalidArgument, match="has no tenants"):
        open_base(tmp_path / "plain", tenant="ada")
    with pytest.raises(elanus.InvalidArgument, match="tenant must be a name"):
        open_base(tenant="")


def test_each_document_is_read_in_its_own_language(tmp_path: Path) -> None:
    languages = {"default": "standard", "de": "german", "en": "english"}
    documents = [
        Document("The kites were hunting.", id="english", metadata={"language": "en"}),
        Document("Die Häuser am Fluss", id="german", metadata={"language": "de"}),
        Document("Hunting kites", id="unsaid"),
    ]
    with open_base(tmp_path / "kb", language=languages) as kb:
        kb.add(documents)
    with open_base(tmp_path / "kb") as kb:
        for question, language, ids in (("hunts", "en", ["english"]), ("Haus", "de", ["german"])):
            hits = kb.search(question, mode="text", language=language)
            assert found(hits) == ids
            assert hits[0].metadata == {"language": language}
        assert found(kb.search("hunts", mode="text")) == []
        (unsaid,) = kb.search("kites", mode="text")
        assert (unsaid.document, unsaid.metadata) == ("unsaid", {})
        assert found(kb.search("Haus", k=1, language="de")) == ["german"]
        assert found(kb.search("hunting", mode="text", filter=F.language == "en", language="en")) == ["english"]


def test_a_knowledge_base_keeps_to_its_language(tmp_path: Path) -> None:
    with open_base(tmp_path / "kb", language="german") as kb:
        kb.add(Document("Die Häuser am Fluss", id="a"))
    for language in (None, "german"):
        with open_base(tmp_path / "kb", language=language) as kb:
            assert found(kb.search("Haus", mode="text")) == ["a"]
    for other in ("english", {"default": "german"}):
        with pytest.raises(elanus.InvalidArgument, match=r"was made with the analyzer .*german.*leave language= out"):
            open_base(tmp_path / "kb", language=other)


def test_languages_need_a_default_and_several_analyzers(birds: KnowledgeBase) -> None:
    with pytest.raises(elanus.InvalidArgument, match="with one for 'default'"):
        open_base(language={"de": "german"})
    with pytest.raises(elanus.InvalidArgument, match="did you mean 'german'"):
        open_base(language={"default": "germn"})
    with pytest.raises(elanus.InvalidArgument, match="has one analyzer"):
        birds.search("kites", language="de")
    with pytest.raises(elanus.InvalidArgument, match="mode 'dense' has none"):
        birds.search("kites", language="de", mode="dense")
