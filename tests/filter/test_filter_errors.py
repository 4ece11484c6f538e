"""Every error shows the filter, a caret under the place, and a way out."""

from __future__ import annotations

from typing import Any

import pytest
from elanus.errors import FilterError
from elanus.filter import compile_filter

from tests.filter.rows import SCHEMA, make_schema

STRICT = make_schema(dynamic=False)

# The filter, the stretch that the carets mark, and a part of the message.
ERRORS = [
    # names
    ("colr == 'red'", "colr", "no field 'colr', and the collection has no dynamic field; did you mean 'color'?"),
    ("count > 1 and colour == 'x'", "colour", "did you mean 'color'?"),
    (
        "zzz == 1",
        "zzz",
        "fields are id, flag, tiny, count, price, weight, color, note, seen, tags, sizes",
    ),
    ("vector == 1", "vector", "the FLOAT_VECTOR field 'vector' cannot be filtered"),
    ("$meta['a'] == 1", "$meta['a']", "no dynamic field"),
    ("color == null", "null", "write 'is null' or 'is not null'"),
    ("color != None", "None", "write 'is null'"),
    ("color['a'] == 1", "color['a']", "the VARCHAR field 'color' cannot be indexed"),
    ("count[0] == 1", "count[0]", "the INT64 field 'count' cannot be indexed"),
    ("tags['a'] == 'x'", "tags['a']", "takes one index, as in tags[0]"),
    ("tags[0][1] == 'x'", "tags[0][1]", "takes one index"),
    # types
    (
        "color == 5",
        "color == 5",
        "cannot compare the VARCHAR field 'color' with the number 5; a string is written in quotes",
    ),
    (
        "count == 'a'",
        "count == 'a'",
        "cannot compare the INT64 field 'count' with the string 'a'; a number is written without",
    ),
    ("5 < color", "5 < color", "cannot compare the VARCHAR field 'color' with the number 5"),
    ("flag == 1", "flag == 1", "write true or false"),
    ("flag == 'true'", "flag == 'true'", "true and false are written without quotes"),
    ("count == color", "count == color", "cannot compare the INT64 field 'count' with the VARCHAR field 'color'"),
    ("tags == 'a'", "tags == 'a'", "cannot compare the ARRAY of VARCHAR field 'tags' with the string 'a'"),
    ("tags == [1, 2]", "tags == [1, 2]", "the ARRAY of VARCHAR field 'tags' cannot hold the number 1"),
    ("tags < ['a']", "tags < ['a']", "lists can be compared by == and !="),
    ("tags == tags", "tags == tags", "a list of constants only"),
    ("'a' == 1", "'a' == 1", "cannot compare the string 'a' with the number 1"),
    ("meta['a'] == count", "meta['a'] == count", "a JSON path can be compared with constants only"),
    ("meta['a'] < [1]", "meta['a'] < [1]", "lists can be compared by"),
    ("count == 9223372036854775808", "9223372036854775808", "does not fit a 64-bit number"),
    ("count == 9223372036854775807 + 1", "9223372036854775807 + 1", "does not fit a 64-bit number"),
    ("count == 1e308 * 10", "1e308 * 10", "does not fit a 64-bit number"),
    ("count in [1, 99999999999999999999]", "99999999999999999999", "does not fit a 64-bit number"),
    # conditions and values
    ("count", "count", "expected a condition, and the INT64 field 'count' is a value"),
    ("flag", "flag", "compare it: ... == true"),
    ("count > 1 and flag", "flag", "compare it: ... == true"),
    ("5", "5", "expected a condition, and the number 5 is a value"),
    ("count + 1", "count + 1", "a calculation is a value"),
    ("array_length(tags)", "array_length(tags)", "an array's length is a value"),
    ("not count == 1", "not count", "write not (...) around the whole condition"),
    ("!color in ['a']", "!color", "'not' binds to the one operand behind it"),
    ("(count == 1) == true", "count == 1", "this is a condition, not a value"),
    ("count + (flag == true) > 1", "flag == true", "this is a condition, not a value"),
    # calculations
    ("color + 1 == 2", "color", "cannot calculate with the VARCHAR field 'color'"),
    ("count / 0 == 1", "0", "division by zero"),
    ("count % 0 == 1", "0", "division by zero"),
    ("count == 1 / 0", "0", "division by zero"),
    ("price % 2 == 1", "price % 2", "'%' works on integers only"),
    ("meta['a'] % 2.5 == 1", "meta['a'] % 2.5", "'%' works on integers only"),
    ("count == 0 ** -1", "0 ** -1", "this calculation has no result"),
    ("count == (-8) ** 0.5", "(-8) ** 0.5", "this calculation has no result"),
    ("count ** 2 % 3 == 1", "count ** 2 % 3", "'%' works on integers only"),
    ("(price & 1) == 1", "price & 1", "'&' works on integers only"),
    ("(count | 1.5) == 1", "count | 1.5", "'|' works on integers only"),
    ("~price == 1", "~price", "'~' works on integers only"),
    ("~color == 'a'", "color", "cannot calculate with the VARCHAR field 'color'"),
    ("(flag & 1) == 1", "flag", "cannot calculate with the BOOL field 'flag'"),
    ("count << 64 == 1", "64", "a shift is by 0 to 63 bits"),
    ("count >> -1 == 1", "-1", "a shift is by 0 to 63 bits"),
    ("count == 1 << 63", "1 << 63", "does not fit a 64-bit number"),
    ("count & 1 == 1", "1 == 1", "'&' calculates with integers, and comparisons bind tighter; write (a & b) == c"),
    ("count > 1 | count < 0", "count > 1", "join conditions by 'and' or 'or'"),
    ("(count > 1) ^ (count in [1])", "count > 1", "write (a ^ b) == c"),
    ("count & 1", "count & 1", "a calculation is a value"),
    ("meta['a'] + count == 1", "meta['a'] + count", "a JSON path can be calculated with constants only"),
    ("-color == 'a'", "color", "cannot calculate with the VARCHAR field 'color'"),
    # ranges
    ("1 < count > 3", ">", "both signs of a chained comparison must point the same way"),
    ("1 < count < 3 < 4", "<", "a chained comparison has two signs"),
    ("5 < count < 1", "5 < count < 1", "invalid range"),
    ("5 < count < 5", "5 < count < 5", "invalid range"),
    ("1 > count >= 5", "1 > count >= 5", "invalid range"),
    ("'a' < count < 5", "'a' < count < 5", "no ends of one range"),
    ("false < flag < true", "false < flag < true", "needs numbers, strings or timestamps"),
    # in
    ("count in 5", "5", "the right side of 'in' must be a list, not the number 5; write [...] around it"),
    ("count in tags", "tags", "the right side of 'in' must be a list, not the ARRAY of VARCHAR field 'tags'"),
    ("'a' in tags", "'a' in tags", "for a list field write array_contains(field, value)"),
    ("count in [1, color]", "color", "a list holds constants, not the VARCHAR field 'color'"),
    ("count in [1, 'a']", "[1, 'a']", "the INT64 field 'count' cannot be the string 'a'"),
    ("color in [1, 2]", "[1, 2]", "the VARCHAR field 'color' cannot be the number 1"),
    ("meta['a'] in [[1]]", "[[1]]", "cannot be the list [1]"),
    ("count + 1 in [1]", "count + 1", "'in' needs a single scalar field, not a calculation"),
    ("tags in ['a']", "tags", "'in' needs a single scalar field"),
    ("1 in [1]", "1", "'in' needs a single scalar field"),
    ("count not 5", "5", "expected 'in' after 'not'"),
    # like
    ("count like 'a%'", "count", "'like' needs a string field or a JSON path, not the INT64 field 'count'"),
    ("color like 5", "5", "the pattern of 'like' must be a string, not the number 5"),
    ("color like color", "color", "the pattern of 'like' must be a string"),
    ("'abc' like 'a%'", "'abc'", "'like' needs a string field"),
    (r"color == 'a\%'", r"'a\%'", "escapes of 'like' patterns only"),
    # null
    ("exists count", "exists count", "'exists' takes a JSON path or a dynamic key, not the INT64 field 'count'"),
    ("exists meta", "exists meta", "'exists' takes a JSON path"),
    ("exists (count == 1)", "count == 1", "'exists' takes a JSON path"),
    ("tags[0] is null", "tags[0] is null", "compare array_length instead"),
    ("count is 5", "5", "expected 'is null' or 'is not null'"),
    # functions
    ("json_contain(meta, 1)", "json_contain", "no function 'json_contain'; did you mean 'json_contains'?"),
    ("Json_Contains(meta, 1)", "Json_Contains", "did you mean 'json_contains'?"),
    ("nope(1)", "nope", "known are array_contains"),
    ("array_contains(tags)", "array_contains(tags)", "array_contains takes 2 arguments, not 1"),
    ("array_length(tags, 1) == 1", "array_length(tags, 1)", "array_length takes 1 argument, not 2"),
    ("array_contains(count, 1)", "count", "needs an ARRAY field or a JSON path, not the INT64 field 'count'"),
    ("array_contains(tags, 1)", "1", "the ARRAY of VARCHAR field 'tags' cannot hold the number 1"),
    ("array_contains(tags, ['a'])", "['a']", "cannot hold the list ['a']"),
    ("array_contains_any(tags, 'a')", "'a'", "array_contains_any needs a list, not the string 'a'"),
    ("array_contains(tags, color)", "color", "array_contains needs a constant"),
    ("array_length(color) == 1", "color", "array_length needs an ARRAY field"),
    ("text_match(color, 'a')", "color", "enable_match=True, and the VARCHAR field 'color' has not"),
    ("phrase_match(meta['a'], 'b')", "meta['a']", "phrase_match needs a VARCHAR field, not the JSON path"),
    ("text_match(tags, 'a')", "tags", "text_match needs a VARCHAR field, not the ARRAY of VARCHAR field 'tags'"),
    ("text_match(note, 5)", "5", "text_match searches for a string, not the number 5"),
    ("text_match(note, color)", "color", "text_match searches for a string, not the VARCHAR field 'color'"),
    (
        "text_match(note)",
        "text_match(note)",
        "takes 2 arguments, and minimum_should_match=..., prefix=..., fuzziness=..., not 1",
    ),
    (
        "text_match(note, 'a', 2)",
        "text_match(note, 'a', 2)",
        "takes 2 arguments, and minimum_should_match=..., prefix=..., fuzziness=..., not 3",
    ),
    ("text_match(note, 'a', minimum_should_match=0)", "0", "an integer from 1 to 1000, not the number 0"),
    ("text_match(note, 'a', minimum_should_match=1001)", "1001", "an integer from 1 to 1000"),
    ("text_match(note, 'a', minimum_should_match=1.5)", "1.5", "an integer from 1 to 1000"),
    ("text_match(note, 'a', slop=1)", "slop", "text_match has no option 'slop'; it takes minimum_should_match=..."),
    ("phrase_match(note, 'a', slop=1)", "slop", "phrase_match has no option 'slop'"),
    ("phrase_match(note, 'a', -1)", "-1", "slop must be an integer from 0 to 4294967295, not the number -1"),
    ("phrase_match(note, 'a', true)", "true", "slop must be an integer"),
    ("phrase_match(note, 'a', 1, 2)", "phrase_match(note, 'a', 1, 2)", "takes 2 or 3 arguments, not 4"),
    ("text_match(note, 'a', prefix=1)", "1", "prefix must be true or false, not the number 1"),
    ("text_match(note, 'a', fuzziness=3)", "3", "fuzziness must be an integer from 0 to 2, not the number 3"),
    ("text_match(note, 'a', fuzziness=true)", "true", "fuzziness must be an integer from 0 to 2"),
    ("text_match(note, 'a', fuzzines=1)", "fuzzines", "text_match has no option 'fuzzines'"),
    ("text_match(note, 'a', prefix=true, prefix=true)", "prefix", "prefix is given twice"),
    ("text_match(note, 'a', prefix=true, 2)", "2", "expected name=value"),
    ("phrase_match(note, 'a', prefix=true)", "prefix", "phrase_match has no option 'prefix'"),
    ("text_match(note,", "", "expected a field, a value or '(', found the end of the filter"),
    ("text_match(note, 'a', minimum_should_match=", "", "found the end of the filter"),
    ("text_match(note, 'a') == true", "text_match(note, 'a')", "this is a condition, not a value"),
    ("random_sample(0.1) and count > 1", "random_sample(0.1)", "random_sample stands last in a filter, alone or after"),
    ("count > 1 or random_sample(0.1)", "random_sample(0.1)", "random_sample stands last"),
    ("not (random_sample(0.1))", "random_sample(0.1)", "random_sample stands last"),
    ("count > 1 and (count < 9 and random_sample(0.1))", "random_sample(0.1)", "... and random_sample(0.1)"),
    ("random_sample(0.1) and random_sample(0.1)", "random_sample(0.1)", "random_sample stands last"),
    ("random_sample(1)", "1", "takes a share between 0 and 1, as in random_sample(0.1), not the number 1"),
    ("random_sample(1.5)", "1.5", "a share between 0 and 1"),
    ("random_sample(0.0)", "0.0", "a share between 0 and 1"),
    ("random_sample(count)", "count", "not the INT64 field 'count'"),
    # timestamps
    (
        "seen > 5",
        "seen > 5",
        "field 'seen' with the number 5; a timestamp is written ISO",
    ),
    ("seen > ISO 'today'", "'today'", "'today' is no timestamp: must be an ISO 8601 time such as"),
    ("seen > 'today'", "'today'", "'today' is no timestamp"),
    ("seen > ISO '2025-02-29T00:00:00Z'", "'2025-02-29T00:00:00Z'", "is no timestamp: no time: day is out of range"),
    ("seen > ISO '2025-01-01T00:00:00+25:00'", "'2025-01-01T00:00:00+25:00'", "is no timestamp"),
    ("seen > ISO 5", "5", "expected an operator or the end of the filter, found '5'"),
    (
        "count > ISO '2025-01-01 00:00:00'",
        "count > ISO '2025-01-01 00:00:00'",
        "the INT64 field 'count' with the timestamp",
    ),
    (
        "meta['a'] > ISO '2025-01-01 00:00:00'",
        "meta['a'] > ISO '2025-01-01 00:00:00'",
        "JSON holds texts, compare with such a text",
    ),
    (
        "color == ISO '2025-01-01 00:00:00'",
        "color == ISO '2025-01-01 00:00:00'",
        "compare with a text of the form that the rows hold",
    ),
    ("seen in [5]", "[5]", "the TIMESTAMPTZ field 'seen' cannot be the number 5"),
    ("seen in ['x']", "['x']", "'x' is no timestamp"),
    (
        "meta['a'] in [ISO '2025-01-01 00:00:00']",
        "[ISO '2025-01-01 00:00:00']",
        "cannot be the timestamp ISO '2025-01-01T00",
    ),
    (
        "json_contains(meta, ISO '2025-01-01 00:00:00')",
        "ISO '2025-01-01 00:00:00'",
        "holds no timestamps, only texts of them",
    ),
    ("array_contains(tags, ISO '2025-01-01 00:00:00')", "ISO '2025-01-01 00:00:00'", "cannot hold the timestamp"),
    ("seen like 'a%'", "seen", "'like' needs a string field"),
    ("seen + INTERVAL 'x' > ISO '2025-01-01 00:00:00'", "'x'", "'x' is no interval; write one as P1Y2M3DT4H5M6S"),
    ("seen + INTERVAL 'P' > ISO '2025-01-01 00:00:00'", "'P'", "is no interval"),
    ("seen + INTERVAL 'P1DT' > ISO '2025-01-01 00:00:00'", "'P1DT'", "is no interval"),
    ("seen + INTERVAL 'P10001Y' > ISO '2025-01-01 00:00:00'", "'P10001Y'", "an interval is at most 10000 years long"),
    (
        "seen * INTERVAL 'P1D' > ISO '2025-01-01 00:00:00'",
        "seen * INTERVAL 'P1D'",
        "can be added to a timestamp",
    ),
    ("count + INTERVAL 'P1D' > 5", "count + INTERVAL 'P1D'", "not joined by '+' to the INT64 field 'count'"),
    ("INTERVAL 'P1D' + seen > ISO '2025-01-01 00:00:00'", "INTERVAL 'P1D'", "an interval stands behind the + or -"),
    ("seen > INTERVAL 'P1D'", "INTERVAL 'P1D'", "an interval stands behind the + or -"),
    (
        "seen + INTERVAL 'P1D' - INTERVAL 'P1D' > ISO '2025-01-01 00:00:00'",
        "seen + INTERVAL 'P1D' - INTERVAL 'P1D'",
        "as one",
    ),
    ("seen + INTERVAL 'P1D' in [ISO '2025-01-01 00:00:00']", "seen + INTERVAL 'P1D'", "needs a single scalar field"),
    ("seen + 5 > ISO '2025-01-01 00:00:00'", "seen", "cannot calculate with the TIMESTAMPTZ field 'seen'"),
    (
        "ISO '2025-01-02 00:00:00' < seen < ISO '2025-01-01 00:00:00'",
        "ISO '2025-01-02 00:00:00' < seen < ISO '2025-01-01 00:00:00'",
        "invalid range",
    ),
    # syntax
    ("count = 5", "=", "equality is written '=='"),
    ("count <> 5", ">", "inequality is written '!='"),
    ("count ==", "", "found the end of the filter"),
    ("count == 1 and", "", "found the end of the filter"),
    ("count == 1 And price > 1", "And", "did you mean 'and'?"),
    ("count == 1 price > 1", "price", "expected an operator or the end of the filter, found 'price'"),
    ("(count == 1", "", "expected ')' to close '('"),
    ("count == 1)", ")", "expected an operator or the end of the filter"),
    ("count in [1, 2", "", "expected ']' at the end of the list"),
    ("color == 'red", "'", "this string has no closing quote"),
    ("count == 12abc", "12abc", "'12abc' is not a number"),
    ("count == 1;", ";", "unexpected character ';'"),
    ("ключ == 1", "к", '$meta["..."]'),
    (r"color == 'a\q'", r"'a\q'", "unknown escape"),
    ("meta[a] == 1", "meta[a]", "'meta' holds no structs; a key is written in quotes: [\"a\"]"),
    ("tags[a] == 1", "tags[a]", "'tags' holds no structs"),
    ("nope[a] == 1", "nope[a]", 'a key is written in quotes: nope["a"]'),
    # elements
    ("$ == 1", "$", "'$' stands inside element_filter, match_any and its like only"),
    ("$[a] == 1", "$[a]", "'$' stands inside element_filter"),
    ("$['a'] == 1", "'a'", "expected the name of a struct's field, without quotes"),
    ("match_any(color, $ == 'a')", "color", "match_any needs an ARRAY field, not the VARCHAR field 'color'"),
    ("match_any(meta['a'], $ == 'a')", "meta['a']", "match_any needs an ARRAY field, not the JSON path"),
    ("match_any(tags, $ == 5)", "$ == 5", "cannot compare the VARCHAR field '$' with the number 5"),
    ("match_any(tags, $[a] == 5)", "$[a]", "the elements of 'tags' are no structs; write $"),
    ("match_any(tags, color == 'a')", "color", "a condition on elements names nothing else; the element's is $"),
    ("match_any(tags, color is null)", "color", "names nothing else"),
    ("match_any(tags, text_match(note, 'a'))", "text_match(note, 'a')", "text_match cannot be asked of elements"),
    ("match_any(tags, $)", "$", "expected a condition"),
    ("match_any(tags)", "match_any(tags)", "takes 2 arguments, not 1"),
    ("match_least(tags, $ == 'a')", "match_least(tags, $ == 'a')", "match_least needs threshold=..., a number"),
    ("match_most(tags, $ == 'a', threshold=-1)", "-1", "threshold must be an integer, 0 or more, not the number -1"),
    ("match_exact(tags, $ == 'a', 2)", "match_exact(tags, $ == 'a', 2)", "takes 2 arguments, and threshold=..., not 3"),
    ("match_any(tags, $ == 'a', threshold=1)", "threshold", "match_any has no option 'threshold'"),
    ("meta[1.5] == 1", "1.5", "expected a key in quotes or an index"),
    ("meta['a' == 1", "==", "expected ']' after a key"),
    ("{5} == 1", "5", "expected the name of a parameter in braces"),
    ("and count == 1", "and", "expected a field, a value or '('"),
]


@pytest.mark.parametrize(("text", "marked", "message"), ERRORS, ids=[text for text, _, _ in ERRORS])
def test_an_error_marks_its_place_and_says_what_to_do(text: str, marked: str, message: str) -> None:
    with pytest.raises(FilterError) as caught:
        compile_filter(text, STRICT)
    said, shown, carets = str(caught.value).split("\n")
    assert message in said
    assert shown == "  " + text
    start = carets.index("^") - 2
    assert carets.strip("^ ") == ""
    assert text[start : start + carets.count("^")] == marked
    assert caught.value.code == 1100


def test_a_long_filter_is_shown_around_the_place_only() -> None:
    text = " and ".join(["count > 1"] * 50) + " and colr == 1 and " + " and ".join(["count > 1"] * 50)
    with pytest.raises(FilterError) as caught:
        compile_filter(text, STRICT)
    _, shown, carets = str(caught.value).split("\n")
    assert len(shown) < 130
    assert shown[carets.index("^") : carets.rindex("^") + 1] == "colr"
    assert shown.startswith("  ... ")
    assert shown.endswith(" ...")


def test_line_breaks_keep_the_caret_in_place() -> None:
    with pytest.raises(FilterError) as caught:
        compile_filter("count > 1\r\nand\tcolr == 1", STRICT)
    _, shown, carets = str(caught.value).split("\n")
    assert shown[carets.index("^") : carets.rindex("^") + 1] == "colr"


@pytest.mark.parametrize("text", [None, 5, b"count > 1", ["count > 1"]])
def test_a_filter_must_be_a_string(text: Any) -> None:
    with pytest.raises(FilterError, match="a filter must be a str"):
        compile_filter(text, SCHEMA)
