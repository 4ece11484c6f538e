"""The compressed codes that a scan reads: one protocol, and the kernels behind it.

`FourBitCodes` (turbovec) takes 4 bits a dimension and 3 ns a row at 384 dimensions. `HalfCodes` (faiss,
bfloat16) takes four times the memory and ten times as long; it serves machines without a turbovec wheel and
the data that four bits cannot tell apart (L2 over lengths of many decades). bfloat16 was the fastest of
faiss's scalar kernels here (100,000 x 384: 3.1 ms; 8 bits 4.0, float16 3.6) and needs no training that later
rows could outgrow.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from typing import Any, Protocol

import numpy as np

from elanus.errors import StoreFormatError
from elanus.index import exact
from elanus.index.faiss_kernel import one_thread
from elanus.index.metric import Floats, Mask, Metric, Rows, unit, unit_query
from elanus.index.space import Space
from elanus.index.stored import widen

Array = np.ndarray[Any, Any]
Arrays = dict[str, Array]

_CHUNK_ROWS = 8192
_STAGED_ROWS, _STAGED_SHARE, _WHOLE_SHARE = 32_768, 32, 16
_TRIAL_QUERIES, _TRIAL_ROWS, _TRIAL_BEST, _TRIAL_FOUND, _TRIAL_RECALL = 64, 1024, 10, 20, 0.9


class Codes(Protocol):
    """Compressed vectors in slots 0..n-1, in order of adding; adding and searching may overlap safely."""

    kind: str

    def __len__(self) -> int: ...

    def add(self, vectors: Floats, norms: Floats) -> None:
        """Append rows to the next slots."""

    def truncate(self, rows: int) -> None:
        """Take back the slots from `rows` on, after an addition that broke off."""

    def search(self, query: Floats, k: int, mask: Mask | None) -> tuple[Rows, Floats]:
        """Return up to k slots and approximate scores, best first.

        Raises:
            ValueError: the mask is not as long as the codes are at that moment.
        """

    def to_arrays(self) -> Arrays:
        """Return the codes as named one-dimensional arrays, which `load_codes` reads."""

    @property
    def nbytes(self) -> int:
        """Private memory taken, in bytes."""


def has_four_bit() -> bool:
    """Tell whether the 4-bit kernel is installed here."""
    try:
        _turbovec()
    except ImportError:
        return False
    return True


class FourBitCodes:
    """turbovec's 4-bit codes of mapped vectors; only the last slot is ever removed, so none moves."""

    kind = "turbovec4"

    def __init__(self, space: Space, index: Any) -> None:
        self._space = space
        self._index = index

    @classmethod
    def fit(cls, space: Space, sample: Floats, norms: Floats) -> FourBitCodes:
        """Return empty codes calibrated on a random sample of what they will hold.

        Where all rows of the sample are alike turbovec refuses to calibrate, and its own default serves.
        """
        index = _turbovec().TurboQuantIndex(space.width, 4)
        with suppress(ValueError):
            index.calibrate(space.map_vectors(sample, norms))
        return cls(space, index)

    @classmethod
    def load(cls, metric: Metric, dim: int, arrays: Mapping[str, Array]) -> FourBitCodes:
        """Return the codes that `to_arrays` wrote."""
        index = _turbovec().TurboQuantIndex.from_bytes(arrays["codes"].tobytes())
        centre, scale = np.array(arrays["centre"], np.float32), float(arrays["scale"][0])
        return cls(Space(metric, dim, centre, scale, index.dim), index)

    def __len__(self) -> int:
        return len(self._index)

    def add(self, vectors: Floats, norms: Floats) -> None:
        for start in range(0, len(vectors), _CHUNK_ROWS):
            part = slice(start, start + _CHUNK_ROWS)
            self._index.add(self._space.map_vectors(widen(vectors[part]), norms[part]), chunk_size=0)

    def truncate(self, rows: int) -> None:
        for last in range(len(self) - 1, rows - 1, -1):
            self._index.swap_remove(last)

    def search(self, query: Floats, k: int, mask: Mask | None) -> tuple[Rows, Floats]:
        matches = len(self) if mask is None else int(np.count_nonzero(mask))
        products, slots = self._index.search(
            self._space.map_query(query)[None, :], _asked(k, matches, len(self)), mask=mask
        )
        return slots[0][:k], self._space.scores(query, products[0][:k])

    def to_arrays(self) -> Arrays:
        return {
            "codes": np.frombuffer(self._index.to_bytes(), np.uint8),
            "centre": self._space.centre,
            "scale": np.array([self._space.scale], np.float64),
        }

    @property
    def nbytes(self) -> int:
        return len(self) * (self._space.width // 2 + 4)


def _asked(k: int, matches: int, rows: int) -> int:
    """How many candidates turbovec is asked for, so that it gives k in good time.

    From 32,768 rows on it scans in stages, but for a 16th of the matching rows or more at once. Between a 32nd and
    a 16th its stages take a hundred times as long: 1,950 of 60,000 rows x 384 took 750 ms, 3,751 of them 7.6 ms.
    """
    slow = rows >= _STAGED_ROWS and k * _WHOLE_SHARE <= matches <= k * _STAGED_SHARE
    return matches // _WHOLE_SHARE + 1 if slow else k


class HalfCodes:
    """bfloat16 copies of the vectors in faiss, each coordinate within 0.4 % of its own size."""

    kind = "faiss-bf16"

    def __init__(self, metric: Metric, index: Any) -> None:
        self._metric = metric
        self._index = index
        self._adding = threading.Lock()

    @classmethod
    def empty(cls, metric: Metric, dim: int) -> HalfCodes:
        """Return codes without rows."""
        with one_thread() as faiss:
            measure = faiss.METRIC_L2 if metric is Metric.L2 else faiss.METRIC_INNER_PRODUCT
            return cls(metric, faiss.IndexScalarQuantizer(dim, faiss.ScalarQuantizer.QT_bf16, measure))

    @classmethod
    def load(cls, metric: Metric, dim: int, arrays: Mapping[str, Array]) -> HalfCodes:
        """Return the codes that `to_arrays` wrote."""
        with one_thread() as faiss:
            return cls(metric, faiss.deserialize_index(np.array(arrays["codes"], np.uint8)))

    def __len__(self) -> int:
        return int(self._index.ntotal)

    def add(self, vectors: Floats, norms: Floats) -> None:
        with self._adding, one_thread():
            for start in range(0, len(vectors), _CHUNK_ROWS):
                part = slice(start, start + _CHUNK_ROWS)
                block = widen(vectors[part])
                self._index.add(unit(block, norms[part]) if self._metric is Metric.COSINE else block)

    def truncate(self, rows: int) -> None:
        with self._adding, one_thread() as faiss:
            self._index.remove_ids(faiss.IDSelectorRange(rows, len(self)))

    def search(self, query: Floats, k: int, mask: Mask | None) -> tuple[Rows, Floats]:
        asked = unit_query(query) if self._metric is Metric.COSINE else query
        with self._adding, one_thread() as faiss:
            parameters = None
            if mask is not None:
                if len(mask) != len(self):
                    raise ValueError(f"the mask has {len(mask)} entries for {len(self)} rows")
                bits = np.packbits(mask, bitorder="little")
                selector = faiss.IDSelectorBitmap(len(mask), faiss.swig_ptr(bits))
                parameters = faiss.SearchParameters(sel=selector)
            found, slots = self._index.search(asked[None, :], k, params=parameters)
        there = slots[0] >= 0
        scores = -found[0][there] if self._metric is Metric.L2 else found[0][there]
        return slots[0][there], scores

    def to_arrays(self) -> Arrays:
        with self._adding, one_thread() as faiss:
            return {"codes": faiss.serialize_index(self._index)}

    @property
    def nbytes(self) -> int:
        return len(self) * int(self._index.d) * 2


def fit_codes(metric: Metric, sample: Floats, norms: Floats) -> Codes:
    """Return empty codes for rows of which these are a random sample: four bits wherever four bits will do."""
    if not has_four_bit():
        return HalfCodes.empty(metric, sample.shape[1])
    space = Space.fit(metric, sample)
    trial = slice(0, _TRIAL_ROWS)
    if metric is Metric.L2 and not _tells_apart(space, sample[trial], norms[trial]):
        return HalfCodes.empty(metric, sample.shape[1])
    return FourBitCodes.fit(space, sample, norms)


def load_codes(kind: str, metric: Metric, dim: int, arrays: Mapping[str, Array]) -> Codes:
    """Return the codes of that kind that `to_arrays` wrote.

    Raises:
        StoreFormatError: this machine lacks the kernel, or the kind is unknown.
    """
    if kind == FourBitCodes.kind and has_four_bit():
        return FourBitCodes.load(metric, dim, arrays)
    if kind == HalfCodes.kind:
        return HalfCodes.load(metric, dim, arrays)
    raise StoreFormatError(f"a scan index holds codes of kind '{kind}', which cannot be read here")


def _tells_apart(space: Space, sample: Floats, norms: Floats) -> bool:
    """Measure whether four bits find the sample's own neighbours.

    They do not where lengths span many decades: an L2 distance between two short vectors drowns in the
    rounding of the long ones (0.39 of the ten best within 100 candidates at 10^-3 to 10^3).
    """
    codes = FourBitCodes.fit(space, sample, norms)
    codes.add(sample, norms)
    ids = np.arange(len(sample), dtype=np.int64)
    hits = total = 0
    for query in sample[:: max(1, len(sample) // _TRIAL_QUERIES)]:
        best, _ = exact.top(exact.scores(query, sample, norms, None, space.metric), ids, _TRIAL_BEST)
        found, _ = codes.search(query, _TRIAL_FOUND, None)
        hits += len(np.intersect1d(best, found))
        total += len(best)
    return hits >= _TRIAL_RECALL * total


_first_use = threading.Lock()


@cache
def _turbovec() -> Any:
    """Return turbovec, its thread pool set to one thread unless RAYON_NUM_THREADS says otherwise.

    A scan of 100,000 rows is too small to share: two threads took 10 % more CPU time without a mask and 45 %
    more with one. The pool reads the variable once, when the first batch is checked, so a batch that is
    refused creates it here, and the variable is gone again before another library's pool can read it.
    """
    with _first_use:
        ours = "RAYON_NUM_THREADS" not in os.environ
        if ours:
            os.environ["RAYON_NUM_THREADS"] = "1"
        try:
            import turbovec

            with suppress(ValueError):
                turbovec.TurboQuantIndex(8, 4).add(np.full((1, 8), np.nan, dtype=np.float32))
        finally:
            if ours:
                os.environ.pop("RAYON_NUM_THREADS", None)
    return turbovec
