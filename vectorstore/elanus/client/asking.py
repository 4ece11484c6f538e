"""What search and hybrid_search take alike: the page of hits, how they are grouped and ordered, how they are told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from elanus.analysis.highlighter import LexicalHighlighter, as_highlighter
from elanus.client.options import check_timeout, check_whole, given_consistency, refuse
from elanus.errors import InvalidArgument
from elanus.schema.collection import CollectionSchema
from elanus.search.explaining import Ways
from elanus.search.found import Found
from elanus.search.grouping import OPTIONS as GROUPING
from elanus.search.grouping import Grouping, as_grouping, windows
from elanus.search.highlighting import Highlighting, highlighting
from elanus.search.ordering import OPTIONS as ORDERING
from elanus.search.ordering import Order, given_orders, order_hits, orderable
from elanus.search.request import Route, check_window
from elanus.search.tracing import Trace
from elanus.types import ConsistencyLevel

OPTIONS = (
    *("filter_params", "offset", "consistency_level", "round_decimal", "explain", "highlighter"),
    *GROUPING,
    *ORDERING,
)


@dataclass(frozen=True, eq=False)
class Asked:
    """The options of one call, checked; `grouped` has those of a grouping, which only a schema can check."""

    call: str
    limit: int
    offset: int
    level: ConsistencyLevel | None = None
    digits: int = -1
    grouped: dict[str, Any] | None = None
    orders: tuple[Order, ...] = ()
    trace: Trace | None = None
    highlighter: LexicalHighlighter | None = None

    @property
    def wanted(self) -> int:
        """How many hits, or groups of them, must be found."""
        return self.limit + self.offset

    def grouping(self, schema: CollectionSchema) -> Grouping | None:
        """How hits are grouped; None if they are not."""
        return None if self.grouped is None else as_grouping(self.call, schema, self.grouped)

    def highlighting(self, schema: CollectionSchema, routes: Sequence[Route]) -> Highlighting | None:
        """What is marked in the texts of hits; None for nothing."""
        return None if self.highlighter is None else highlighting(schema, self.highlighter, routes)

    def pages(self, ways: Ways, grouping: Grouping | None) -> Sequence[Found]:
        """Each query's hits that leave, in the order in which they do."""
        pages = windows(ways.view, ways.final, grouping, self.offset, self.limit)
        if not self.orders:
            return pages
        names = orderable(ways.schema, "order_by_fields", self.orders)
        return [order_hits(ways.view, hits, names, self.orders, grouping) for hits in pages]


def asked_for(
    call: str, options: dict[str, Any], limit: object, offset: object, timeout: object, highlighter: object = None
) -> Asked:
    """Check the options of a call, all that are left of its keywords.

    Raises:
        InvalidArgument, NotSupported: one that does not fit, is unknown, or is a server's; names it.
    """
    check_timeout(call, timeout)
    limit, offset = check_window(limit, offset)
    marker = None if highlighter is None else as_highlighter(highlighter)
    if not options:
        return Asked(call, limit, offset, highlighter=marker)
    level = given_consistency(call, options.pop("consistency_level", None))
    digits = check_whole(call, "round_decimal", options.pop("round_decimal", -1), -1, 6)
    grouped = {name: options.pop(name, None) for name in GROUPING}
    orders = given_orders(call, options)
    explain = options.pop("explain", False)
    if not isinstance(explain, bool):
        raise InvalidArgument(f"{call}: explain must be True or False, not {explain!r}")
    refuse(call, options, OPTIONS)
    return Asked(call, limit, offset, level, digits, grouped, orders, Trace() if explain else None, marker)
