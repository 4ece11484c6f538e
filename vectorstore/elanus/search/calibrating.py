"""How much effort a source of rows needs for a recall: measured, and kept beside the segment's codes or graph.

A large segment is measured when its codes are written, its graph when it is built; a segment without the file, and
many small ones scanned together with the tail, when they are first searched, and again when they have doubled.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from elanus.errors import StoreFormatError
from elanus.index.graph import GraphIndex
from elanus.index.metric import MAX_SIM, Metric
from elanus.index.recall import DEPTHS, USUAL, Calibration, Piece, graph_calibration, scan_calibration
from elanus.index.registry import IndexSpec
from elanus.schema.fields import FLOAT_VECTORS
from elanus.search.vectors import OWN_CODES_ROWS, Field, Source, codes_name, graph_name, made_sources
from elanus.storage.part import Int64s, Part
from elanus.storage.view import View

OUTGROWN = 2
"""From so many times the rows that were measured on, a source is measured again."""


def scan_effort(source: Source, k: int, target: float | None, usual: int) -> int | None:
    """How many candidates of a scan have the recall wanted; None where scoring all rows is the only way.

    Without a target at least the usual number, more where the codes are known to need more.
    """
    if target is None and source.rows < OWN_CODES_ROWS:
        return usual
    known = _scan_recall(source)
    if target is not None:
        return known.effort(k, target)
    return max(usual, known.effort(k, USUAL) or known.most(k))


def graph_effort(source: Source, k: int, target: float | None) -> int | None:
    """How broad a search of the graph has the recall wanted; None where a scan must do."""
    return _graph_recall(source).effort(k, USUAL if target is None else target)


def known_recall(view: View, name: str, spec: IndexSpec) -> list[dict[str, Any]]:
    """What has been measured of a field so far, as plain data: for each way of each source the recall by effort.

    Large segments have it in files; of the small ones it is known after a search that needed it. There is nothing to
    measure of an exact index.
    """
    if spec.data_type not in FLOAT_VECTORS or spec.metric.startswith(MAX_SIM) or spec.index_type == "FLAT":
        return []
    field = Field(name, Metric(spec.metric))
    measured = {source.slices[0].part: source.codes.measured for source in made_sources(view, field)}
    found = []
    for part in (s.part for s in view.slices):
        scan = measured.get(part) or _kept(_scan_file(part, field))
        graph = _kept(_graph_file(part, field))
        found += [{"way": way, **known.told()} for way, known in (("scan", scan), ("graph", graph)) if known]
    return found


def keep(known: Calibration, path: Path) -> None:
    """Write what was measured; a crash leaves the old file or the new one, or an empty one, which is as none."""
    temporary = path.with_suffix(f".{os.getpid()}.tmp")
    temporary.write_text(json.dumps(known.to_dict()), "utf-8")
    os.replace(temporary, path)


def recall_name(of: str) -> str:
    """The name of the file of what was measured of codes or a graph, from the name of theirs."""
    return f"{of}.recall.json"


def _scan_recall(source: Source) -> Calibration:
    part, codes = source.slices[0].part, source.codes
    path = _scan_file(part, codes.field)
    with codes.measuring:
        known = codes.measured or _kept(path)
        if known is None or known.rows * OUTGROWN <= source.rows:
            pieces = [_piece(s.part, codes.field) for s in source.slices]
            known = scan_calibration(codes.index, pieces, lambda slots: _places(source, slots))
            _try_to_keep(known, path)
        codes.measured = known
    return known


def _graph_recall(source: Source) -> Calibration:
    part, field = source.slices[0].part, source.codes.field
    path = _graph_file(part, field)

    def make() -> Calibration:
        known = _kept(path)
        if known is None:
            known = _measured_graph(part, field)
            _try_to_keep(known, path)
        return known

    return part.derive(("graph recall", field), make)


def _measured_graph(part: Part, field: Field) -> Calibration:
    """Measure a copy of a graph; nothing is known of one that was merged away just now, so the scan answers."""
    path = part.file(graph_name(part.tag(field.name), field.metric))
    assert path is not None
    try:
        return graph_calibration(GraphIndex.load(path, field.metric, mapped=False), _piece(part, field))
    except StoreFormatError:
        return Calibration(part.rows, dict.fromkeys(DEPTHS, ()))


def _piece(part: Part, field: Field) -> Piece:
    return part.matrix(field.name), part.norms(field.name)


def _places(source: Source, slots: Int64s) -> Int64s:
    """The places of slots among all rows of a source; -1 for those of no part."""
    found, first = np.full(len(slots), -1, np.int64), 0
    rids = source.rids_at(slots)
    for s in source.slices:
        which, at = s.part.locate(rids)
        found[which] = first + at
        first += s.part.rows
    return found


def _scan_file(part: Part, field: Field) -> Path | None:
    """Where a large segment keeps what was measured of its codes; None for smaller ones and the tail."""
    large = part.sealed and part.rows >= OWN_CODES_ROWS
    return part.file(recall_name(codes_name(part.tag(field.name), field.metric))) if large else None


def _graph_file(part: Part, field: Field) -> Path | None:
    return part.file(recall_name(graph_name(part.tag(field.name), field.metric)))


def _kept(path: Path | None) -> Calibration | None:
    """What a file says; None if there is none, or it cannot be read."""
    if path is not None:
        with suppress(OSError, ValueError, KeyError, TypeError):
            return Calibration.from_dict(json.loads(path.read_text("utf-8")))
    return None


def _try_to_keep(known: Calibration, path: Path | None) -> None:
    """Write what was measured; where that fails the next process measures again."""
    if path is not None:
        with suppress(OSError):
            keep(known, path)
