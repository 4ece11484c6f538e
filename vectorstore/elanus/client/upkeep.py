"""Upkeep: flushing and merging on request, what segments there are, and what serves the calls."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from elanus.client.base import Base
from elanus.client.options import check_timeout, refuse
from elanus.storage.segment import Segment

COMPLETED = "Completed"


@dataclass(frozen=True)
class SegmentInfo:
    """A segment: its number, whose rows it holds and how many, its bytes on disk, and whether it is searchable."""

    segment_id: int
    collection_id: int
    collection_name: str
    num_rows: int
    living_rows: int
    bytes: int
    state: str = "Flushed"
    level: str = "L1"
    is_sorted: bool = True


class Upkeep(Base):
    """The client's methods about how rows are kept; none of them is needed for correct answers."""

    def compact(
        self,
        collection_name: str,
        is_clustering: bool | None = False,
        is_l0: bool | None = False,
        target_size: int | None = None,
        target_size_unit: str = "mb",
        timeout: float | None = None,
        **kwargs: Any,
    ) -> int:
        """Flush, and merge the segments that pay to be merged, as happens by itself; return a job number.

        The work is done when the call returns.

        Raises:
            NotSupported: a kind of compaction or a target size, which are a server's.
        """
        asked = {"is_clustering": is_clustering, "is_l0": is_l0, "target_size": target_size}
        refuse("compact", {**asked, **kwargs})
        self._store.flush(self._name(collection_name), check_timeout("compact", timeout))
        return self._collection(collection_name).id

    def get_compaction_state(self, job_id: int, timeout: float | None = None, **kwargs: Any) -> str:
        """The state of a compaction: "Completed", since `compact` returns when it is."""
        refuse("get_compaction_state", kwargs)
        check_timeout("get_compaction_state", timeout)
        return COMPLETED

    def optimize(
        self,
        collection_name: str,
        target_size: str | None = None,
        wait: bool = True,
        timeout: float | None = None,
        **kwargs: Any,
    ) -> dict[str, Any]:
        """Flush and merge, as `compact` does; return what was done as a dict."""
        refuse("optimize", {"target_size": target_size, **kwargs})
        job = self.compact(collection_name, timeout=timeout)
        return {"status": "success", "collection_name": collection_name, "compaction_id": job, "target_size": None}

    def flush_all(self, timeout: float | None = None, **kwargs: Any) -> None:
        """Flush every collection of every database."""
        refuse("flush_all", kwargs)
        seconds = check_timeout("flush_all", timeout)
        for name in self._store.names():
            self._store.flush(name, seconds)

    def get_flush_all_state(self, timeout: float | None = None, **kwargs: Any) -> bool:
        """Whether `flush_all` is done: True, since it returns when it is."""
        refuse("get_flush_all_state", kwargs)
        check_timeout("get_flush_all_state", timeout)
        return True

    def refresh_load(self, collection_name: str, timeout: float | None = None, **kwargs: Any) -> None:
        """Check that a collection is loaded; every read sees every commit without it.

        Raises:
            CollectionNotLoaded: it was released.
        """
        refuse("refresh_load", kwargs)
        check_timeout("refresh_load", timeout)
        self._loaded(collection_name)

    def list_persistent_segments(
        self, collection_name: str, timeout: float | None = None, states: Any = None, **kwargs: Any
    ) -> list[SegmentInfo]:
        """The segments of a collection, in the order of their rows; what was written since is in the log."""
        refuse("list_persistent_segments", {"states": states, **kwargs})
        check_timeout("list_persistent_segments", timeout)
        collection = self._collection(collection_name)
        sealed = [(s, s.part.row) for s in collection.view().slices if isinstance(s.part, Segment)]
        return [SegmentInfo(row.id, collection.id, collection_name, row.rows, s.living, row.bytes) for s, row in sealed]

    def list_segments(
        self, collection_name: str, states: Any = None, timeout: float | None = None, **kwargs: Any
    ) -> list[SegmentInfo]:
        """The same as `list_persistent_segments`."""
        return self.list_persistent_segments(collection_name, timeout, states, **kwargs)

    def list_loaded_segments(
        self, collection_name: str, timeout: float | None = None, **kwargs: Any
    ) -> list[SegmentInfo]:
        """The same as `list_persistent_segments`: every segment is mapped when it is listed."""
        return self.list_persistent_segments(collection_name, timeout, **kwargs)

    def get_server_type(self) -> str:
        """What serves the calls: "elanus"."""
        return "elanus"

    def get_server_version(
        self, timeout: float | None = None, detail: bool = False, **kwargs: Any
    ) -> str | dict[str, str]:
        """The version of this package, or with `detail` a dict with it."""
        refuse("get_server_version", kwargs)
        check_timeout("get_server_version", timeout)
        try:
            own = version("elanus")
        except PackageNotFoundError:  # used from its source
            own = "0"
        return {"version": own, "server_type": "elanus"} if detail else own
