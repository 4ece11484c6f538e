"""Numbers in columns against Python's exact arithmetic, on a grid of awkward values."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from elanus.filter.calculation import calculate
from elanus.filter.numeric import compare_const, compare_vectors, member
from elanus.filter.scalars import arithmetic
from elanus.filter.vectors import Vector, as_vector

BIG = 2**53
INTEGERS = [0, 1, -1, 2, -2, 3, 7, -7, 100, BIG - 1, BIG, BIG + 1, -BIG - 1, 2**62, 2**63 - 1, -(2**63)]
FLOATS = [
    0.0,
    -0.0,
    0.5,
    -0.5,
    1.0,
    2.5,
    -2.5,
    7.0,
    float(BIG),
    float(BIG + 2),
    2.0**62,
    2.0**63,
    -(2.0**63),
    1e300,
    np.inf,
    -np.inf,
]
OPS: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
COLUMNS: dict[str, np.ndarray[Any, Any]] = {
    "int64": np.array(INTEGERS, np.int64),
    "double": np.array(FLOATS, np.float64),
    "int8": np.array([0, 1, -1, 3, 127, -128], np.int8),
    "exact": np.array([*INTEGERS, 2**70, -(2**64)], object),
}


@pytest.mark.parametrize("name", COLUMNS)
@pytest.mark.parametrize("op", OPS)
def test_a_column_compares_with_a_constant_by_exact_value(name: str, op: str) -> None:
    column = COLUMNS[name]
    for const in [*INTEGERS, *FLOATS, 2**70, -(2**70), 10**400]:
        expected = [OPS[op](value, const) for value in column.tolist()]
        assert compare_const(column, op, const).tolist() == expected, const


@pytest.mark.parametrize("op", OPS)
def test_two_columns_compare_by_exact_value(op: str) -> None:
    for left, right in ((INTEGERS, FLOATS), (FLOATS, INTEGERS), (INTEGERS, INTEGERS), (FLOATS, FLOATS)):
        pairs = [(a, b) for a in left for b in right]
        columns = [np.array(side) for side in zip(*pairs, strict=True)]
        assert compare_vectors(columns[0], op, columns[1]).tolist() == [OPS[op](a, b) for a, b in pairs]


@pytest.mark.parametrize("op", OPS)
def test_a_float_column_rounds_the_constant_to_float32(op: str) -> None:
    column = np.array([0.1, 0.25, 16777216.0, 3e38, -1.0], np.float32)
    for const in (0.1, 0.25, 16777217, 1e300, -(10**400), 1):
        with np.errstate(over="ignore"):
            single = np.float32(float(const) if abs(const) < 1e308 else -np.inf)
        expected = [OPS[op](value, single) for value in column]
        assert compare_const(column, op, const).tolist() == expected


@pytest.mark.parametrize("op", ["+", "-", "*", "/", "%"])
def test_integers_never_overflow(op: str) -> None:
    for left in INTEGERS:
        for column in (COLUMNS["int64"], COLUMNS["int8"], COLUMNS["exact"]):
            for sides in ((left, column), (column, left)):
                if op in "/%" and sides[1] is left and left == 0:
                    continue
                check_calculation(op, *sides)


@pytest.mark.parametrize("op", ["+", "-", "*", "/", "%"])
def test_integers_and_floats_calculate_as_doubles(op: str) -> None:
    for const in [0.5, -2.5, 3.0, 1e300, float(BIG)]:
        for column in COLUMNS.values():
            check_calculation(op, column, const)
            check_calculation(op, const, column)
    for const in [1, -7, BIG + 1]:
        check_calculation(op, COLUMNS["double"], const)
        check_calculation(op, const, COLUMNS["double"])


def check_calculation(op: str, left: Any, right: Any) -> None:
    column = left if isinstance(left, np.ndarray) else right
    found = calculate(op, *(Vector(side) if side is column else side for side in (left, right)))
    valid = np.ones(len(column), bool) if found.valid is None else found.valid
    for place, value in enumerate(column.tolist()):
        expected = arithmetic(op, *(value if side is column else side for side in (left, right)))
        assert valid[place] == (expected is not None)
        if expected is not None:
            np.testing.assert_equal(found.data[place], expected)


@pytest.mark.parametrize("many", [False, True])
def test_membership_is_by_exact_value(many: bool) -> None:
    filler = list(range(1_000, 1_020)) if many else []
    wanted: list[Any] = [0, 2.5, BIG + 1, float(BIG), 2**63 - 1, 2.0**63, 1e300, True, "x", *filler]
    figures = [v for v in wanted if type(v) in (int, float)]
    for name in ("int64", "double", "int8"):
        column = COLUMNS[name]
        expected = [any(value == want for want in figures) for value in column.tolist()]
        assert member(column, wanted).tolist() == expected


def test_bools_are_no_numbers_in_a_list() -> None:
    assert member(np.array([0, 1], np.int64), [True]).tolist() == [False, False]
    assert member(np.array([False, True]), [1, True]).tolist() == [False, True]
    assert member(np.array([False, True]), [True] * 20).tolist() == [False, True]


@pytest.mark.parametrize("kind", [pa.int64(), pa.float32(), pa.bool_(), pa.int8()])
def test_nulls_and_slices_are_read_from_the_right_bits(kind: pa.DataType) -> None:
    values = [1, None, 0, 1, 1, None, 0, 0, 1, None, 1, 0, 0, 1, None, 1, 1, 0, 1]
    column = pa.array(values).cast(kind)
    for start in range(len(values)):
        for length in range(len(values) - start):
            vector = as_vector(column.slice(start, length))
            expected = values[start : start + length]
            valid = np.ones(length, bool) if vector.valid is None else vector.valid
            assert [int(v) if ok else None for v, ok in zip(vector.data, valid, strict=True)] == expected
