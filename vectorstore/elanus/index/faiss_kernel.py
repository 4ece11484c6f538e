"""The one door to faiss: imported when first needed (0.33 s of CPU) and held to one thread."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def one_thread() -> Iterator[Any]:
    """Yield faiss with OpenMP held to one thread, and give the caller's thread count back afterwards.

    A forked child that lets faiss start OpenMP threads hangs, and a team of threads on work this small costs
    more CPU time than it saves.
    """
    import faiss

    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        yield faiss
    finally:
        faiss.omp_set_num_threads(before)
