"""Groups texts of like length, so that little of a batch is padding."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]


def plan_batches(lengths: Ints, batch_tokens: int) -> list[Ints]:
    """Return batches of text numbers, longest texts first, each at most `batch_tokens` with its padding.

    A text longer than the budget is a batch of its own. The same lengths always give the same batches.
    """
    order = np.argsort(-lengths, kind="stable")
    return [order[start:stop] for start, stop in _cuts(lengths[order].tolist(), batch_tokens)]


def _cuts(lengths: Sequence[int], batch_tokens: int) -> Iterator[tuple[int, int]]:
    start = 0
    while start < len(lengths):
        count = max(1, batch_tokens // max(1, lengths[start]))
        stop = min(start + count, len(lengths))
        yield start, stop
        start = stop


def pad(rows: Sequence[Sequence[int]], pad_id: int) -> tuple[Ints, Ints]:
    """Return token ids (or types) and attention mask, both (rows, longest row), padded on the right."""
    width = max(1, max(map(len, rows)))
    ids = np.full((len(rows), width), pad_id, dtype=np.int64)
    mask = np.zeros((len(rows), width), dtype=np.int64)
    for number, row in enumerate(rows):
        ids[number, : len(row)] = row
        mask[number, : len(row)] = 1
    return ids, mask
