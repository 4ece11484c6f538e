"""Random filters, each as a text and as a plain Python function of one row; and random rows for them.

The functions return True, False, or None for unknown. They share no code with the engine.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
from hypothesis import strategies as st

Row = dict[str, Any]
Test = Callable[[Row], "bool | None"]
MISSING = object()


@dataclass(frozen=True)
class Filter:
    text: str
    test: Test

    def __repr__(self) -> str:
        return self.text


# Values

WORDS = [
    "red",
    "blue",
    "Red",
    "",
    "a%b",
    "a_b",
    "50%",
    "naïve",
    "日本",
    "x\ny",
    'say "hi"',
    "it's",
    "back\\slash",
    "😀",
]
words = st.sampled_from(WORDS)
BIG = 2**53
integers = st.sampled_from([0, 1, -1, 2, 3, 7, -7, 127, 128, BIG - 1, BIG, BIG + 1, -BIG - 1, 2**63 - 1, -(2**63)])
small_integers = st.integers(-4, 4)
floats = st.sampled_from([0.0, -0.0, 0.1, 0.5, -2.5, 1.0, 3.0, float(BIG), 2.0**63, 1e300, -1e300, 16777217.0])
scalars = st.one_of(st.booleans(), integers, small_integers, floats, words)
json_scalars = st.one_of(st.none(), scalars, st.sampled_from([2**63, 2**70, -(2**80), "\ud800"]))
json_lists = st.one_of(
    st.lists(words, max_size=3),
    st.lists(small_integers, max_size=3),
    st.lists(floats, max_size=3),
    st.lists(json_scalars, max_size=3),
    st.lists(st.lists(small_integers, max_size=2), max_size=2),
)
json_values = st.one_of(
    json_scalars, json_lists, st.dictionaries(st.sampled_from(["a", "b", "0"]), json_scalars, max_size=2)
)
KEYS = ["year", "mix", "names", "deep", "ключ", 'q"uote']
steady = st.fixed_dictionaries({}, optional={"year": small_integers, "names": st.lists(words, max_size=3)})
documents = st.one_of(
    steady,
    st.dictionaries(st.sampled_from(KEYS), json_values, max_size=4),
    st.fixed_dictionaries({"deep": st.fixed_dictionaries({}, optional={"a": json_values, "b": json_values})}),
)


def nullable(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(st.none(), values)


terms = st.sampled_from("abcd")
notes = st.lists(terms, max_size=7).map(" ".join)
days = [
    datetime(1969, 12, 31, 23, 59, 59, 999_999),
    datetime(1970, 1, 1),
    datetime(2024, 1, 31, 12),
    datetime(2024, 2, 29),
    datetime(2024, 3, 2, 12),
    datetime(2025, 2, 28, 0, 0, 0, 1),
    datetime(1900, 12, 31),
]
EPOCH = datetime(1970, 1, 1)
moments = st.sampled_from(days).map(lambda day: (day - EPOCH) // timedelta(microseconds=1))
singles = (
    st.one_of(floats, small_integers.map(float)).filter(lambda v: abs(v) < 1e30).map(lambda v: float(np.float32(v)))
)
rows = st.fixed_dictionaries(
    {
        "id": integers,
        "flag": nullable(st.booleans()),
        "tiny": nullable(st.integers(-128, 127)),
        "count": nullable(st.one_of(integers, small_integers)),
        "price": singles,
        "weight": nullable(st.one_of(floats, small_integers.map(float))),
        "color": nullable(words),
        "note": nullable(notes),
        "seen": nullable(moments),
        "tags": nullable(st.lists(words, max_size=4)),
        "sizes": nullable(st.lists(small_integers, max_size=4)),
        "grades": nullable(st.lists(singles, max_size=3)),
        "$meta": documents,
    },
    optional={"meta": st.one_of(documents, json_values)},
)

# Literals


def literal(value: Any) -> str:
    """One of the ways to write a value; which one depends on the value only."""
    if isinstance(value, bool):
        return ("true", "True", "TRUE")[len(str(value)) % 3] if value else "false"
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(literal, value)) + "]"
    return repr(value)


def quoted(text: str) -> str:
    quote = "'" if len(text) % 2 else '"'
    for raw, escape in (("\\", "\\\\"), (quote, "\\" + quote), ("\n", "\\n")):
        text = text.replace(raw, escape)
    return quote + text + quote


# Operands: a text, what its values are, and how a row gives one


@dataclass(frozen=True)
class Operand:
    text: str
    kind: str
    value: Callable[[Row], Any]
    single: bool = False
    known: Callable[[Row], bool] = lambda row: False

    def decide(self, row: Row, result: bool | None, op: str = "") -> bool | None:
        """A JSON value that is there and of another kind decides a test: it is no match, and unequal."""
        return op == "!=" if result is None and self.known(row) else result


def column(name: str, kind: str, single: bool = False) -> Operand:
    return Operand(name, kind, lambda row: row[name], single)


def path(field: str, *keys: str | int, text: str | None = None) -> Operand:
    def value(row: Row) -> Any:
        at = row.get(field, MISSING)
        for key in keys:
            found = at.get(key, MISSING) if isinstance(at, dict) and isinstance(key, str) else MISSING
            if isinstance(at, list) and isinstance(key, int) and key < len(at):
                found = at[key]
            at = found
        return at

    written = text or field + "".join(f"[{literal(key)}]" for key in keys)
    return Operand(written, "json", value, known=lambda row: value(row) not in (None, MISSING))


def item(name: str, index: int, kind: str, single: bool = False) -> Operand:
    def value(row: Row) -> Any:
        found = row[name]
        return found[index] if found is not None and index < len(found) else None

    return Operand(f"{name}[{index}]", kind, value, single)


NUMBERS = [
    column("id", "number"),
    column("tiny", "number"),
    column("count", "number"),
    column("price", "number", single=True),
    column("weight", "number"),
    item("sizes", 1, "number"),
    item("grades", 0, "number", single=True),
]
TEXTS = [column("color", "text"), item("tags", 0, "text"), item("tags", 2, "text")]
PATHS = [
    path("$meta", "year", text="year"),
    path("$meta", "year"),
    path("$meta", "mix", text="mix"),
    path("$meta", "deep", "a", text='deep["a"]'),
    path("$meta", "ключ"),
    path("$meta", "absent", text="absent"),
    path("meta"),
    path("meta", "mix"),
    path("meta", "names", 0),
    path("meta", "deep", "b"),
    path("meta", 'q"uote'),
    path("meta", "mix", 1),
    path("meta", "mix", "0"),
]
LISTS = [column("tags", "texts"), column("sizes", "numbers"), column("grades", "numbers", single=True)]
LIST_PATHS = [
    path("$meta", "names", text="names"),
    path("meta", "names"),
    path("meta", "mix"),
    path("meta"),
    path("$meta", "mix"),
]
numbers, texts, paths = map(st.sampled_from, (NUMBERS, TEXTS, PATHS))
lists = st.sampled_from(LISTS + LIST_PATHS)
finite = st.one_of(integers, small_integers, floats)


FLOATING = ("price", "weight", "grades", ".", "e+", "**")
WHOLE = ("%", "&", "|", "^", "<<", ">>")


@st.composite
def calculations(draw: st.DrawFn) -> Operand:
    """`operand op constant`, or the other way round, once or twice."""
    operand = draw(st.one_of(numbers, paths))
    for _ in range(draw(st.integers(1, 2))):
        op = draw(st.sampled_from(["+", "-", "*", "/", "**", *WHOLE]))
        whole = op in WHOLE
        if whole and any(sign in operand.text for sign in FLOATING):
            op = "+"
        flipped = draw(st.booleans())
        constant = draw(st.integers(0, 63) if op in SHIFTS and not flipped else integers if whole else finite)
        if op in "/%" and constant == 0:
            constant = 2
        operand = calculated(operand, op, constant, flipped)
    return operand


def calculated(operand: Operand, op: str, constant: Any, flipped: bool) -> Operand:
    def value(row: Row) -> Any:
        here = operand.value(row)
        sides = (constant, here) if flipped else (here, constant)
        return calculate(op, *sides, single=operand.single)

    written = f"({literal(constant)})" if op == "**" else literal(constant)
    sides = (written, f"({operand.text})") if flipped else (f"({operand.text})", written)
    text = f"{sides[0]} {op} {sides[1]}"
    return Operand(text, "json" if operand.kind == "json" else "number", value, operand.single, operand.known)


SHIFTS = ("<<", ">>")


def calculate(op: str, a: Any, b: Any, single: bool) -> Any:
    if not (is_number(a) and is_number(b)) or (op in "/%" and b == 0):
        return None
    if op == "**":
        return raised(a, b, single)
    if op in WHOLE[1:]:
        return bitwise(op, a, b)
    if single:
        return calculate_single(op, a, b)
    if isinstance(a, int) and isinstance(b, int):
        quotient = abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1) if b else 0
        return {"+": a + b, "-": a - b, "*": a * b, "/": quotient, "%": a - b * quotient}[op]
    x, y = float_of(a), float_of(b)
    if op == "%":
        return math.nan if math.isinf(x) else math.fmod(x, y)
    return {"+": lambda: x + y, "-": lambda: x - y, "*": lambda: x * y, "/": lambda: x / y}[op]()


def bitwise(op: str, a: Any, b: Any) -> int | None:
    """Digit by digit of two's complement, in far more digits than the values have."""
    if not (isinstance(a, int) and isinstance(b, int)):
        return None
    if op in SHIFTS:
        return None if not 0 <= b < 64 else a * 2**b if op == "<<" else math.floor(Fraction(a, 2**b))
    width = 400
    left, right = (f"{value % 2**width:0{width}b}" for value in (a, b))
    rule = {"&": "11", "|": "01 10 11", "^": "01 10"}[op].split()
    result = int("".join("01"[x + y in rule] for x, y in zip(left, right, strict=True)), 2)
    return result if result < 2 ** (width - 1) else result - 2**width


def raised(a: Any, b: Any, single: bool) -> float | None:
    base, exponent = (float(np.float32(v)) if single else float_of(v) for v in (a, b))
    if (base == 0 and exponent < 0) or (base < 0 and exponent % 1):
        return None
    try:
        result = base**exponent
    except OverflowError:
        result = math.inf * (-1 if base < 0 and exponent % 2 else 1)
    return rounded(result, single)


def calculate_single(op: str, a: Any, b: Any) -> Any:
    with np.errstate(all="ignore"):
        x, y = np.float32(a), np.float32(b)
        return float({"+": x + y, "-": x - y, "*": x * y, "/": x / y if y else x}[op])


def float_of(number: float) -> float:
    try:
        return float(number)
    except OverflowError:
        return math.inf if number > 0 else -math.inf


# Comparisons

COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}
MIRROR = {"==": "==", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}


def is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def kind(value: Any) -> str:
    for name, types in (("bool", bool), ("number", (int, float)), ("text", str), ("list", (list, tuple))):
        if isinstance(value, types):
            return name
    return "other"


def rounded(value: Any, single: bool) -> Any:
    with np.errstate(over="ignore"):
        return float(np.float32(value)) if single and is_number(value) else value


def compare(op: str, a: Any, b: Any) -> bool | None:
    if kind(a) == "other" or kind(a) != kind(b):
        return None
    if kind(a) == "list":
        return {"==": equal(a, b), "!=": not equal(a, b)}[op]
    return COMPARE[op](a, b)


def equal(a: Any, b: Any) -> bool:
    if kind(a) != kind(b) or kind(a) == "other":
        return a is None and b is None
    if kind(a) == "list":
        return len(a) == len(b) and all(equal(x, y) for x, y in zip(a, b, strict=True))
    return bool(a == b)


@st.composite
def comparisons(draw: st.DrawFn) -> Filter:
    operand = draw(st.one_of(numbers, texts, paths, st.just(column("flag", "bool")), calculations()))
    constant = draw(constants(operand))
    op = draw(st.sampled_from(list(COMPARE)))
    right = rounded(constant, operand.single)
    left, written = f"({operand.text})" if " " in operand.text else operand.text, literal(constant)
    text = f"{written} {MIRROR[op]} {left}" if draw(st.booleans()) else f"{left} {op} {written}"
    return Filter(text, lambda row: operand.decide(row, compare(op, operand.value(row), right), op))


def constants(operand: Operand) -> st.SearchStrategy[Any]:
    if operand.kind == "json":
        return finite if " " in operand.text else scalars
    return {"number": finite, "text": words, "bool": st.booleans()}[operand.kind]


@st.composite
def column_comparisons(draw: st.DrawFn) -> Filter:
    left, right = draw(st.one_of(st.tuples(numbers, numbers), st.tuples(texts, texts)))
    op = draw(st.sampled_from(list(COMPARE)))
    return Filter(f"{left.text} {op} {right.text}", lambda row: compare(op, left.value(row), right.value(row)))


@st.composite
def list_comparisons(draw: st.DrawFn) -> Filter:
    operand = draw(lists)
    wanted = draw(st.lists(element_of(operand), max_size=3))
    op = draw(st.sampled_from(["==", "!="]))
    right = [rounded(value, operand.single) for value in wanted]
    text = f"{operand.text} {op} {literal(wanted)}"
    return Filter(text, lambda row: operand.decide(row, compare(op, operand.value(row), right), op))


def element_of(operand: Operand) -> st.SearchStrategy[Any]:
    by_kind = {"texts": words, "numbers": st.one_of(small_integers, floats)}
    return by_kind.get(operand.kind, scalars)


@st.composite
def ranges(draw: st.DrawFn) -> Filter:
    operand = draw(st.one_of(numbers, texts, paths))
    pool = words if operand.kind == "text" else finite
    low, high = sorted(draw(st.tuples(pool, pool).filter(lambda ends: ends[0] != ends[1])))
    ops = draw(st.tuples(st.sampled_from(["<", "<="]), st.sampled_from(["<", "<="])))
    if draw(st.booleans()):
        text = f"{literal(low)} {ops[0]} {operand.text} {ops[1]} {literal(high)}"
    else:
        text = f"{literal(high)} {MIRROR[ops[1]]} {operand.text} {MIRROR[ops[0]]} {literal(low)}"
    ends = [rounded(end, operand.single) for end in (low, high)]

    def test(row: Row) -> bool | None:
        value = operand.value(row)
        return both(
            [operand.decide(row, c) for c in (compare(ops[0], ends[0], value), compare(ops[1], value, ends[1]))]
        )

    return Filter(text, test)


@st.composite
def members(draw: st.DrawFn) -> Filter:
    operand = draw(st.one_of(numbers, texts, paths, st.just(column("flag", "bool"))))
    values = draw(st.lists(constants(operand), max_size=draw(st.sampled_from([2, 5, 20]))))
    wanted = [rounded(value, operand.single) for value in values]

    def test(row: Row) -> bool | None:
        value = operand.value(row)
        if kind(value) in ("other", "list") or (wanted and kind(value) not in map(kind, wanted)):
            return operand.decide(row, None)
        return any(equal(value, want) for want in wanted)

    negated = draw(st.booleans())
    text = f"{operand.text} {'not in' if negated else 'in'} {literal(values)}"
    return Filter(text, (lambda row: opposite(test(row))) if negated else test)


PATTERNS = [
    "%",
    "red",
    "r%",
    "%d",
    "%e%",
    "_ed",
    "__",
    "%\\%%",
    "a\\_b",
    "a_b",
    "%_",
    "",
    "%\n%",
    "日%",
    "_",
    "b%e",
    "%ï_e",
    "[%",
    "back\\\\%",
]


@st.composite
def likes(draw: st.DrawFn) -> Filter:
    operand, pattern = draw(st.one_of(texts, paths)), draw(st.sampled_from(PATTERNS))

    def test(row: Row) -> bool | None:
        value = operand.value(row)
        return operand.decide(row, fits(value, pattern) if isinstance(value, str) else None)

    return Filter(f"{operand.text} like {quoted(pattern)}", test)


def fits(text: str, pattern: str) -> bool:
    if not pattern:
        return not text
    if pattern[0] == "%":
        return any(fits(text[start:], pattern[1:]) for start in range(len(text) + 1))
    if pattern[0] == "\\" and len(pattern) > 1:
        return text[:1] == pattern[1] and fits(text[1:], pattern[2:])
    return bool(text) and pattern[0] in ("_", text[0]) and fits(text[1:], pattern[1:])


@st.composite
def null_tests(draw: st.DrawFn) -> Filter:
    operand = draw(st.one_of(st.sampled_from([column("count", ""), column("color", ""), column("tags", "")]), paths))
    how = draw(st.sampled_from(["is null", "is not null", "IS NULL", "exists"]))
    wants_null = how.lower() == "is null"
    if how == "exists" and operand.kind == "json" and operand.text != "meta":
        text = f"exists {operand.text}"
    else:
        how = "is not null" if how == "exists" else how
        text = f"{operand.text} {how}"

    def test(row: Row) -> bool:
        value = operand.value(row)
        return (value is None or value is MISSING) is wants_null

    return Filter(text, test)


@st.composite
def contained(draw: st.DrawFn) -> Filter:
    operand = draw(lists)
    how = draw(st.sampled_from(["", "_any", "_all"]))
    function = draw(st.sampled_from(["json_contains", "array_contains"])) + how
    wanted = draw(st.lists(element_of(operand), max_size=3)) if how else [draw(element_of(operand))]
    values = [rounded(value, operand.single) for value in wanted]

    def test(row: Row) -> bool | None:
        found = operand.value(row)
        if not isinstance(found, list):
            return operand.decide(row, None)
        hits = [any(equal(entry, want) for entry in found) for want in values]
        return any(hits) if how == "_any" else all(hits)

    argument = literal(wanted) if how else literal(wanted[0])
    return Filter(f"{function.upper() if draw(st.booleans()) else function}({operand.text}, {argument})", test)


@st.composite
def lengths(draw: st.DrawFn) -> Filter:
    operand, op = draw(lists), draw(st.sampled_from(list(COMPARE)))
    than = draw(st.integers(0, 3))

    def test(row: Row) -> bool | None:
        found = operand.value(row)
        return operand.decide(row, COMPARE[op](len(found), than) if isinstance(found, list) else None, op)

    return Filter(f"array_length({operand.text}) {op} {than}", test)


@st.composite
def quantified(draw: st.DrawFn) -> Filter:
    operand, op = draw(st.sampled_from(LISTS)), draw(st.sampled_from(list(COMPARE)))
    wanted, threshold = draw(element_of(operand)), draw(st.integers(0, 3))
    than = rounded(wanted, operand.single)
    name, rule = draw(st.sampled_from(list(QUANTIFIERS.items())))
    option = f", threshold={threshold}" if name in ("match_least", "match_most", "match_exact") else ""
    negated = draw(st.booleans())
    condition = f"not ($ {op} {literal(wanted)})" if negated else f"$ {op} {literal(wanted)}"

    def test(row: Row) -> bool | None:
        found = operand.value(row)
        if found is None:
            return None
        hits = sum(COMPARE[op](entry, than) is not negated for entry in found)
        return rule(hits, len(found), threshold)

    return Filter(f"{draw(st.sampled_from([name, name.upper()]))}({operand.text}, {condition}{option})", test)


QUANTIFIERS: dict[str, Callable[[int, int, int], bool]] = {
    "element_filter": lambda hits, size, threshold: hits > 0,
    "match_any": lambda hits, size, threshold: hits > 0,
    "match_all": lambda hits, size, threshold: hits == size,
    "match_least": lambda hits, size, threshold: hits >= threshold,
    "match_most": lambda hits, size, threshold: hits <= threshold,
    "match_exact": lambda hits, size, threshold: hits == threshold,
}


@st.composite
def text_matches(draw: st.DrawFn) -> Filter:
    wanted = draw(st.lists(terms, max_size=4))
    least = draw(st.integers(1, 3))
    option = f", minimum_should_match={least}" if least > 1 else ""

    def test(row: Row) -> bool | None:
        if row["note"] is None:
            return None
        return bool(wanted) and sum(term in row["note"].split() for term in wanted) >= least

    return Filter(f"text_match(note, {quoted(' '.join(wanted).upper())}{option})", test)


@st.composite
def phrase_matches(draw: st.DrawFn) -> Filter:
    phrase, slop = draw(st.lists(terms, max_size=4)), draw(st.sampled_from([0, 0, 1, 2, 3, 5]))
    option = f", {slop}" if slop else ""

    def test(row: Row) -> bool | None:
        return None if row["note"] is None else has_phrase(row["note"].split(), phrase, slop)

    return Filter(f"phrase_match(note, {quoted(' '.join(phrase))}{option})", test)


@st.composite
def moment_tests(draw: st.DrawFn) -> Filter:
    op, than = draw(st.sampled_from(list(COMPARE))), draw(st.sampled_from(days))
    months, left = draw(st.sampled_from([0, 0, 1, 13, 120])), draw(st.sampled_from([0, 0, 1, 86_400, 90_061]))
    sign = draw(st.sampled_from("+-"))
    shift = draw(st.sampled_from(["", f" {sign} INTERVAL 'P{months // 12}Y{months % 12}MT{left}S'"]))
    written = f"ISO '{than.isoformat(draw(st.sampled_from('T ')))}{draw(st.sampled_from(['Z', '', '+00:00']))}'"
    forwards = f"seen{shift} {op} {written}"
    text = draw(st.sampled_from([forwards, f"{written} {MIRROR[op]} seen{shift}"]))

    def test(row: Row) -> bool | None:
        if row["seen"] is None:
            return None
        at = EPOCH + timedelta(microseconds=row["seen"])
        return COMPARE[op](later(at, sign, months, left) if shift else at, than)

    return Filter(text, test)


def later(at: datetime, sign: str, months: int, seconds: int) -> datetime:
    """Count months on the calendar, a day too many in the next month; then the seconds."""
    forwards = 1 if sign == "+" else -1
    year, month = divmod(at.year * 12 + at.month - 1 + forwards * months, 12)
    first = at.replace(year=year, month=month + 1, day=1)
    return first + timedelta(days=at.day - 1, seconds=forwards * seconds)


def has_phrase(text: list[str], phrase: list[str], slop: int) -> bool:
    """Try every choice of one occurrence for each term."""
    shifts = [[at - place for at, term in enumerate(text) if term == want] for place, want in enumerate(phrase)]
    return bool(phrase) and any(max(chosen) - min(chosen) <= slop for chosen in product(*shifts))


# Logic


def opposite(value: bool | None) -> bool | None:
    return None if value is None else not value


def both(values: list[bool | None]) -> bool | None:
    return False if False in values else None if None in values else True


def either(values: list[bool | None]) -> bool | None:
    return opposite(both([opposite(value) for value in values]))


def join(parts: list[Filter], word: str, rule: Callable[[list[bool | None]], bool | None]) -> Filter:
    text = f" {word} ".join(f"({part.text})" for part in parts)
    return Filter(text, lambda row: rule([part.test(row) for part in parts]))


def negate(part: Filter, word: str) -> Filter:
    return Filter(f"{word}({part.text})", lambda row: opposite(part.test(row)))


leaves = st.one_of(
    comparisons(),
    comparisons(),
    comparisons(),
    column_comparisons(),
    list_comparisons(),
    ranges(),
    members(),
    likes(),
    null_tests(),
    contained(),
    lengths(),
    quantified(),
    text_matches(),
    phrase_matches(),
    moment_tests(),
)
filters = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.builds(join, st.lists(inner, min_size=2, max_size=3), st.sampled_from(["and", "AND", "&&"]), st.just(both)),
        st.builds(join, st.lists(inner, min_size=2, max_size=3), st.sampled_from(["or", "OR", "||"]), st.just(either)),
        st.builds(negate, inner, st.sampled_from(["not ", "!", "NOT "])),
    ),
    max_leaves=5,
)
