"""Where in a filter something is wrong: the expression, and a caret below the place."""

from __future__ import annotations

from elanus.errors import FilterError, NotSupported

Span = tuple[int, int]
BEFORE, AFTER = 60, 40


def wrong(text: str, span: Span, message: str) -> FilterError:
    """Make the error of a filter that cannot be; `span` is the place, as offsets into `text`."""
    return FilterError(point(text, span, message))


def unsupported(text: str, span: Span, message: str) -> NotSupported:
    """Make the error of a construct that Milvus has and this version does not."""
    return NotSupported(point(text, span, message))


def point(text: str, span: Span, message: str) -> str:
    """Return the message, the stretch of the filter around `span`, and a line of carets under it."""
    start, end = span
    first, last = max(0, start - BEFORE), min(len(text), max(end, start + 1) + AFTER)
    lead = "... " if first else ""
    tail = " ..." if last < len(text) else ""
    shown = "".join(" " if c in "\r\n\t" else c for c in text[first:last])
    carets = "^" * max(1, min(end, last) - start)
    return f"{message}\n  {lead}{shown}{tail}\n  {' ' * (len(lead) + start - first)}{carets}"
