"""GEOMETRY: well-known text (OGC 06-103r4), checked and brought to one spelling; shapely's objects give theirs.

Shapes have two coordinates a point, or three ("Z"). Rings are closed and have at least four points, lines at least two.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pyarrow as pa

from elanus.schema.unfit import Unfit

NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
TOKEN = re.compile(rf"\s*(?:({NUMBER})(?![A-Za-z_.\d])|([A-Za-z]+)|([(),]))\s*", re.ASCII)
POINT = re.compile(rf"\s*POINT\s*\(\s*({NUMBER})\s+({NUMBER})\s*\)\s*", re.ASCII | re.IGNORECASE)
MAX_DEPTH = 16
END = ""


def geometry_column(values: Sequence[Any]) -> pa.Array:
    """Return geometries, as text or shapely objects, as a column of text.

    Raises:
        Unfit: a value is neither, or no well-formed geometry.
    """
    return pa.array([canonical(value) for value in values], pa.string())


def canonical(value: Any) -> str:
    """Return one geometry as text in the one spelling; raises as `geometry_column`."""
    if hasattr(value, "geom_type"):
        value = value.wkt
    if not isinstance(value, str):
        raise Unfit(f"must be well-known text such as 'POINT (13.4 52.5)', not {type(value).__name__}")
    point = POINT.fullmatch(value)
    if point is not None:
        return f"POINT ({_number(point[1])} {_number(point[2])})"
    return _Reader(value).whole()


def _number(text: str) -> str:
    number = float(text)
    if not math.isfinite(number):
        raise Unfit(f"the coordinate {text} is out of range")
    return repr(number).removesuffix(".0")


class _Reader:
    """Reads one text, token by token, and writes what it has read."""

    def __init__(self, text: str) -> None:
        self._text, self._at, self._start = text, 0, 0
        self._kind, self._token = "", END
        self._width: int | None = None
        self._advance()

    def whole(self) -> str:
        shape = self._shape(0)
        if self._token != END:
            raise self._wrong("the end")
        return shape

    def _advance(self) -> str:
        """Step to the next token; return the one left behind."""
        left, self._start = self._token, self._at
        if self._at == len(self._text):
            self._kind, self._token = "end", END
            return left
        found = TOKEN.match(self._text, self._at)
        if found is None:
            raise Unfit(f"no well-known text: '{self._text[self._at : self._at + 10]}' at {self._at} cannot be read")
        self._kind, self._token = ("number", "word", "sign")[(found.lastindex or 1) - 1], found[found.lastindex or 1]
        self._at = found.end()
        return left

    def _wrong(self, wanted: str) -> Unfit:
        return Unfit(f"no well-known text: {wanted} expected at {self._start}, not {self._token or 'the end'!r}")

    def _sign(self, sign: str) -> None:
        if self._token != sign:
            raise self._wrong(f"'{sign}'")
        self._advance()

    def _shape(self, depth: int) -> str:
        name = self._token.upper()
        if self._kind != "word" or name not in SHAPES or depth > MAX_DEPTH:
            raise self._wrong(" or ".join(SHAPES) if depth <= MAX_DEPTH else f"at most {MAX_DEPTH} collections")
        self._advance()
        if self._token.upper() in ("M", "ZM"):
            raise Unfit("measures (M) are not supported; give two or three coordinates")
        self._width = 3 if self._token.upper() == "Z" else None
        if self._width:
            self._advance()
        if self._token.upper() == "EMPTY":
            self._advance()
            return f"{name}{' Z' if self._width else ''} EMPTY"
        body = SHAPES[name](self, depth)
        third = self._width == 3 and name != "GEOMETRYCOLLECTION"
        return f"{name}{' Z' if third else ''} {body}"

    def _listed(self, item: Callable[[], str]) -> list[str]:
        self._sign("(")
        items = [item()]
        while self._token == ",":
            self._advance()
            items.append(item())
        self._sign(")")
        return items

    def _coordinates(self) -> str:
        numbers = []
        while self._kind == "number":
            numbers.append(_number(self._advance()))
        self._width = self._width or len(numbers)
        if len(numbers) != self._width or self._width not in (2, 3):
            raise self._wrong(f"{self._width if self._width in (2, 3) else '2 or 3'} coordinates for each point")
        return " ".join(numbers)

    def point(self, depth: int) -> str:
        self._sign("(")
        inside = self._coordinates()
        self._sign(")")
        return f"({inside})"

    def points(self, depth: int) -> str:
        def one() -> str:
            return self.point(depth) if self._token == "(" else f"({self._coordinates()})"

        return f"({', '.join(self._listed(one))})"

    def line(self, depth: int = 0) -> str:
        points = self._listed(self._coordinates)
        if len(points) < 2:
            raise Unfit("a line has two points at least")
        return f"({', '.join(points)})"

    def _ring(self) -> str:
        points = self._listed(self._coordinates)
        if len(points) < 4 or points[0] != points[-1]:
            raise Unfit("a ring has four points at least, and ends where it begins")
        return f"({', '.join(points)})"

    def lines(self, depth: int) -> str:
        return f"({', '.join(self._listed(self.line))})"

    def polygon(self, depth: int = 0) -> str:
        return f"({', '.join(self._listed(self._ring))})"

    def polygons(self, depth: int) -> str:
        return f"({', '.join(self._listed(self.polygon))})"

    def collection(self, depth: int) -> str:
        return f"({', '.join(self._listed(lambda: self._shape(depth + 1)))})"


SHAPES: Mapping[str, Callable[[_Reader, int], str]] = {
    "POINT": _Reader.point,
    "LINESTRING": _Reader.line,
    "POLYGON": _Reader.polygon,
    "MULTIPOINT": _Reader.points,
    "MULTILINESTRING": _Reader.lines,
    "MULTIPOLYGON": _Reader.polygons,
    "GEOMETRYCOLLECTION": _Reader.collection,
}
