from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from elanus.analysis import make_analyzer
from elanus.errors import InvalidArgument, NotSupported


@pytest.mark.parametrize("params", [None, {}, {"type": "standard"}, {"tokenizer": "standard", "filter": ["lowercase"]}])
def test_the_standard_analyzer_has_several_spellings(params: dict[str, Any] | None) -> None:
    assert make_analyzer(params) == make_analyzer({"type": "standard"})


@pytest.mark.parametrize(
    ("params", "text", "terms"),
    [
        ({"type": "standard"}, "The Foxes' DEN-2", ["the", "foxes", "den", "2"]),
        ({"type": "standard", "stop_words": ["the"]}, "The Foxes", ["foxes"]),
        ({"type": "standard", "stop_words": ["_english_", "foxes"]}, "The Foxes and a den", ["den"]),
        ({"type": "english"}, "The runners were running with foxes", ["runner", "were", "run", "fox"]),
        ({"type": "english", "stop_words": ["run"]}, "running foxes", ["fox"]),
        ({"tokenizer": "standard"}, "The Fox", ["The", "Fox"]),
        ({"tokenizer": {"type": "standard"}, "filter": [{"type": "lowercase"}]}, "The Fox", ["the", "fox"]),
        ({"tokenizer": "whitespace"}, "a-b  C\td", ["a-b", "C", "d"]),
        ({"tokenizer": "whitespace", "filter": ["alphanumonly"]}, "a-b c", ["c"]),
        ({"tokenizer": "standard", "filter": ["asciifolding"]}, "Crème brûlée", ["Creme", "brulee"]),
        ({"tokenizer": "standard", "filter": [{"type": "length", "max": 3}]}, "one two three", ["one", "two"]),
        ({"tokenizer": "standard", "filter": [{"type": "stemmer", "language": "German"}]}, "häuser", ["haus"]),
        ({"tokenizer": "standard", "filter": [{"type": "stop", "stop_words": ["_german_"]}]}, "und tag", ["tag"]),
        (
            {"tokenizer": "standard", "filter": [{"type": "decompounder", "word_list": ["dampf", "schiff"]}]},
            "dampfschiff fahrt",
            ["dampf", "schiff", "fahrt"],
        ),
    ],
)
def test_params_mean_what_they_mean_in_milvus(params: dict[str, Any], text: str, terms: list[str]) -> None:
    analyzer = make_analyzer(params)
    assert analyzer.tokens(text) == terms
    encoded = analyzer.encode([text])
    assert [encoded.terms[number] for number in encoded.ids] == terms


@pytest.mark.parametrize(
    ("params", "error", "words"),
    [
        ({"type": "englich"}, InvalidArgument, "did you mean 'english'"),
        ({"type": 7}, InvalidArgument, "7"),
        ({"type": "english", "filter": ["lowercase"]}, InvalidArgument, "'filter'"),
        ({"filter": ["lowercase"]}, InvalidArgument, "tokenizer"),
        ({"tokenizer": "language_identifier"}, NotSupported, "multi_analyzer_params"),
        ({"tokenizer": "thai"}, NotSupported, "use the icu tokenizer"),
        ({"tokenizer": {"type": "lindera"}}, InvalidArgument, "'dict_kind', one of ipadic"),
        ({"tokenizer": {"type": "lindera", "dict_kind": "ipadic", "filter": [1]}}, InvalidArgument, "'kind'"),
        ({"tokenizer": {"type": "jieba", "dict": ["a"]}}, InvalidArgument, "begin with '_default_'"),
        ({"tokenizer": {"type": "jieba", "hmm": 1}}, InvalidArgument, "'hmm'"),
        ({"tokenizer": "standard", "char_filter": []}, NotSupported, "before the texts are inserted"),
        ({"type": ["english"]}, InvalidArgument, "unknown analyzer type"),
        ({"tokenizer": {"type": "jieba", "mode": "loud"}}, InvalidArgument, "'search' or 'exact'"),
        ({"tokenizer": "ngram"}, InvalidArgument, "'min_gram'"),
        ({"tokenizer": {"type": "ngram", "min_gram": 3, "max_gram": 2}}, InvalidArgument, "3 > 2"),
        ({"tokenizer": {"type": "regex", "pattern": "("}}, InvalidArgument, "no regular expression"),
        ({"tokenizer": {"type": "char_group", "delimiters": "x"}}, InvalidArgument, "'delimiters'"),
        ({"tokenizer": {"type": "standard", "uax29": True}}, InvalidArgument, "uax29"),
        ({"tokenizer": 3}, InvalidArgument, "3"),
        ({"tokenizer": "standard", "filter": "lowercase"}, InvalidArgument, "list"),
        ({"tokenizer": "standard", "filter": ["lowercas"]}, InvalidArgument, "did you mean 'lowercase'"),
        ({"tokenizer": "standard", "filter": ["stemmer"]}, InvalidArgument, "'language'"),
        ({"tokenizer": "standard", "filter": [{"type": "stemmer"}]}, InvalidArgument, "'language'"),
        ({"tokenizer": "standard", "filter": [{"type": "stemmer", "language": "klingon"}]}, NotSupported, "klingon"),
        ({"tokenizer": "standard", "filter": [{"type": "length", "max": -1}]}, InvalidArgument, "-1"),
        ({"tokenizer": "standard", "filter": [{"type": "length", "max": 9, "min": 2}]}, InvalidArgument, "'min'"),
        ({"tokenizer": "standard", "filter": ["synonym"]}, InvalidArgument, "needs 'synonyms'"),
        ({"tokenizer": "standard", "filter": [{"type": "stop", "stop_words_file": {}}]}, NotSupported, "'stop_words'"),
        ({"tokenizer": "standard", "filter": ["arabic_normalization"]}, NotSupported, "stemmer of arabic"),
        (
            {"tokenizer": "standard", "filter": [{"type": "pinyin", "keep_orignal": True}]},
            InvalidArgument,
            "did you mean",
        ),
        (
            {"tokenizer": "standard", "filter": [{"type": "pinyin", "keep_original": 1}]},
            InvalidArgument,
            "True or False",
        ),
        *(
            ({"tokenizer": "standard", "filter": [{"type": "synonym", "synonyms": given}]}, InvalidArgument, words)
            for given, words in (
                ("a, b", "list of rows"),
                ([], "list of rows"),
                (["a => b => c"], "more than one '=>'"),
                (["new york, ny"], "backslash before the blank"),
                (["a =>"], "one side of '=>' has no words"),
                ([" , "], "no words"),
                (["a\\b"], "backslash stands before"),
            )
        ),
        ({"tokenizer": "standard", "filter": [{"type": "stop", "stop_words": "the"}]}, InvalidArgument, "list"),
        ({"tokenizer": "standard", "filter": [{"type": "stop", "stop_words": ["_xx_"]}]}, NotSupported, "_xx_"),
        (
            {"tokenizer": "standard", "filter": [{"type": "decompounder", "word_list": []}]},
            InvalidArgument,
            "word_list",
        ),
        ({"tokenizer": "standard", "filters": []}, InvalidArgument, "did you mean 'filter'"),
        ("english", InvalidArgument, "str"),
    ],
)
def test_everything_else_is_refused_by_name(params: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error) as caught:
        make_analyzer(params)
    assert words in str(caught.value)
    assert type(caught.value) is error


def test_checking_params_does_not_load_tantivy() -> None:
    code = "import sys; from elanus.analysis import make_analyzer; make_analyzer({'type': 'english'}); "
    code += "assert 'tantivy' not in sys.modules"
    subprocess.run([sys.executable, "-c", f"import sys; sys.path[:0] = {sys.path!r}; {code}"], check=True)
