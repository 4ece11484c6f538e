"""Spatial conditions on geometries kept as well-known text; shapely, an optional package, computes them."""

from __future__ import annotations

import importlib
import importlib.util
from typing import Any

import numpy as np
import pyarrow as pa

from elanus.filter.columns import Bools, Columns
from elanus.filter.conditions import Spatial
from elanus.filter.functions import SPATIAL
from elanus.filter.vectors import Array, validity

EARTH_RADIUS = 6_371_000.0
METRES_PER_DEGREE = 111_320.0
POINT = 0


def has_shapely() -> bool:
    """Whether the package is installed."""
    return importlib.util.find_spec("shapely") is not None


def where_spatial(condition: Spatial, rows: Columns, truth: bool) -> Bools:
    """Return where a spatial condition is definitely `truth`; for a null it is unknown."""
    column = rows.column(condition.field)
    known = validity(column)
    mask = _relates(condition, rows.derive(("shapes", condition.field), lambda: _shapes(column)))
    if not truth:
        mask = ~mask
    return mask if known is None else mask & known


def _shapes(column: pa.Array) -> Array:
    """The geometries of a column of text, None where it is null; each distinct text is read once."""
    shapely = importlib.import_module("shapely")
    encoded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    distinct = np.full(len(encoded.dictionary) + 1, None, object)
    distinct[:-1] = shapely.from_wkt(np.array(encoded.dictionary.to_pylist(), object))
    return np.asarray(distinct[encoded.indices.fill_null(len(encoded.dictionary)).to_numpy(zero_copy_only=False)])


def _relates(condition: Spatial, shapes: Array) -> Bools:
    shapely = importlib.import_module("shapely")
    relation = getattr(shapely, SPATIAL[condition.function])
    if condition.shape is None:
        return np.asarray(relation(shapes), np.bool_)
    other = shapely.from_wkt(condition.shape)
    if condition.distance is not None:
        return _metres(shapely, shapes, other) <= condition.distance
    shapely.prepare(other)
    try:
        return np.asarray(relation(other, shapes), np.bool_)
    except shapely.errors.GEOSException:
        return np.array([_related(shapely, relation, other, shape) for shape in shapes], np.bool_)


def _related(shapely: Any, relation: Any, other: Any, shape: Any) -> bool:
    """One by one, since an invalid shape (say a polygon that crosses itself) may have no answer, and no match then."""
    try:
        return bool(relation(other, shape))
    except shapely.errors.GEOSException:
        return False


def _metres(shapely: Any, shapes: Array, point: Any) -> Array:
    """The distances from a point, both in degrees of longitude and latitude, as Milvus measures them; NaN for a null.

    Between points along the great circle; from another shape the distance in degrees, times the mean of a degree's
    length at the point's latitude.
    """
    lat = np.radians(shapely.get_y(point))
    degrees = shapely.distance(shapes, point)
    metres = degrees * METRES_PER_DEGREE * np.sqrt((1 + np.cos(lat) ** 2) / 2)
    at = np.flatnonzero((shapely.get_type_id(shapes) == POINT) & ~shapely.is_empty(shapes))
    lats = np.radians(shapely.get_y(shapes[at]))
    lons = np.radians(shapely.get_x(shapes[at]))
    half = np.sin((lats - lat) / 2) ** 2
    half += np.cos(lats) * np.cos(lat) * np.sin((lons - np.radians(shapely.get_x(point))) / 2) ** 2
    metres[at] = 2 * EARTH_RADIUS * np.arctan2(np.sqrt(half), np.sqrt(1 - half))
    return np.asarray(metres)
