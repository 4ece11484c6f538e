"""Tokenizers and filters of packages that are installed on request; without the package they say what installs it."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import pytest
from elanus.analysis import make_analyzer, packages
from elanus.errors import InvalidArgument, NotSupported

JAPANESE = {"type": "lindera", "dict_kind": "ipadic"}
KEEP = ("keep_original", "keep_full_pinyin", "keep_joined_full_pinyin", "keep_separate_first_letter")
CASES: list[tuple[str, dict[str, Any], str, list[str]]] = [
    ("icu4py", {"tokenizer": "icu"}, "Привет! Как дела?", ["Привет", "!", " ", "Как", " ", "дела", "?"]),
    ("icu4py", {"tokenizer": "icu", "filter": ["removepunct"]}, "ภาษาไทยง่าย, can't", ["ภาษา", "ไทย", "ง่าย", "can't"]),
    (
        "icu4py",
        {"tokenizer": "icu", "filter": ["removepunct", "lowercase"]},
        "我们都是学生 OK",
        ["我们", "都是", "学生", "ok"],
    ),
    ("lindera", {"tokenizer": JAPANESE, "filter": ["removepunct"]}, "東京に住む。", ["東京", "に", "住む"]),
    (
        "lindera",
        {"tokenizer": {**JAPANESE, "filter": [{"kind": "japanese_stop_tags", "tags": ["助詞,格助詞,一般"]}]}},
        "東京に住む",
        ["東京", "住む"],
    ),
    ("pypinyin", {"tokenizer": "whitespace", "filter": ["pinyin"]}, "中文 ok", ["中文", "zhong", "wen", "ok"]),
    *(
        (
            "pypinyin",
            {"tokenizer": "raw", "filter": [{"type": "pinyin", **dict.fromkeys(KEEP, False), kept: True}]},
            text,
            found,
        )
        for kept, text, found in (
            ("keep_joined_full_pinyin", "中文", ["zhongwen"]),
            ("keep_separate_first_letter", "测试", ["cs"]),
            ("keep_original", "测试", ["测试"]),
            ("keep_full_pinyin", "kite", []),
        )
    ),
    ("jieba", {"tokenizer": {"type": "jieba", "mode": "exact"}}, "结巴分词器", ["结巴", "分词器"]),
    (
        "jieba",
        {"tokenizer": {"type": "jieba", "dict": ["_default_", "结巴分词器"], "mode": "exact"}},
        "结巴分词器",
        ["结巴分词器"],
    ),
]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("module", "params", "text", "expected"), CASES, ids=[str(n) for n in range(len(CASES))])
def test_a_text_becomes_these_terms(module: str, params: dict[str, Any], text: str, expected: list[str]) -> None:
    pytest.importorskip(module)
    analyzer = make_analyzer(params)
    assert analyzer.tokens(text) == expected
    encoded = analyzer.encode([text, None])
    assert [encoded.terms[number] for number in encoded.ids] == expected


@pytest.mark.parametrize(
    "params",
    [
        {"tokenizer": "icu"},
        {"tokenizer": JAPANESE},
        {"type": "chinese"},
        {"tokenizer": "standard", "filter": ["pinyin"]},
    ],
)
def test_what_is_not_installed_is_refused_with_what_installs_it(
    params: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packages.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(NotSupported, match=r"needs the package .*: pip install 'elanus\["):
        make_analyzer(params)


def test_places_of_words_count_what_lindera_removed() -> None:
    pytest.importorskip("lindera")
    tags = [{"kind": "japanese_stop_tags", "tags": ["助詞,格助詞,一般"]}]
    placed = make_analyzer({"tokenizer": {**JAPANESE, "filter": tags}}).place(["東京に住む"])
    assert placed.positions.tolist() == [0, 2]


@pytest.mark.skipif(find_spec("lindera") is None, reason="without lindera")
def test_a_dictionary_or_filter_that_is_not_there_is_refused() -> None:
    with pytest.raises(NotSupported, match="lindera-python-unidic"):
        make_analyzer({"tokenizer": {"type": "lindera", "dict_kind": "unidic"}})
    with pytest.raises(NotSupported, match="nonsense"):
        make_analyzer({"tokenizer": {**JAPANESE, "filter": ["nonsense"]}})


@pytest.mark.parametrize(("module", "tokenizer"), [("icu4py", "icu"), ("lindera", JAPANESE)])
def test_a_lone_surrogate_is_no_text(module: str, tokenizer: Any) -> None:
    pytest.importorskip(module)
    with pytest.raises(InvalidArgument, match="lone surrogate at character 1"):
        make_analyzer({"tokenizer": tokenizer}).tokens("a\ud800")
