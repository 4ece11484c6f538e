"""Typing errors, counted one cell at a time: what the engine's table is held against."""

from __future__ import annotations

from functools import cache


def errors(one: str, other: str) -> int:
    """The restricted distance of Damerau: characters too many, missing, wrong, or swapped with their neighbour."""

    @cache
    def cell(i: int, j: int) -> int:
        if not i or not j:
            return i + j
        ways = [cell(i - 1, j) + 1, cell(i, j - 1) + 1, cell(i - 1, j - 1) + (one[i - 1] != other[j - 1])]
        if i > 1 and j > 1 and one[i - 1] == other[j - 2] and one[i - 2] == other[j - 1]:
            ways.append(cell(i - 2, j - 2) + 1)
        return min(ways)

    return cell(len(one), len(other))
