"""How a dense search finds its candidates, and how many: the constants, and the measurements they come from.

Measured on 100,000 clustered 384-d unit vectors, AVX-512, one thread, on a busy machine (a quiet one takes four
fifths), CPU ms per query; scans for 20 candidates (k = 10), exact for the 10 best, every query with other rows:

| rows that match            | 100 % | 50 % | 30 % | 10 % | 5 %  | 3 %  | 1 %  | 0.1 % |
|----------------------------|-------|------|------|------|------|------|------|-------|
| scan without mask, dropped | 0.37  | 0.46 | 0.51 | 0.77 | 1.13 | -    | -    | -     |
| masked scan                | 0.52  | 0.55 | 0.55 | 0.54 | 0.52 | 0.49 | 0.37 | 0.27  |
| exact scores               | 13.2  | 6.2  | 3.6  | 1.29 | 0.69 | 0.47 | 0.23 | 0.05  |

For 200 candidates at 50 % the scans take 0.69 without the mask and 1.05 with it.
"""

from __future__ import annotations

from enum import Enum

from elanus.index.metric import AnyMetric, Metric

OVERSAMPLE_SHARE = 0.3
"""From this share of matching rows on, scan without the mask for more candidates and drop the others."""

EXACT_SHARE = 0.03
"""Up to this share of matching rows exact dot products cost less than any scan; no graph gets here."""

EXACT_ROWS = 256
"""Up to this many matching rows exact dot products win at any share."""

MOST_CANDIDATES_SHARE = 1 / 16
"""Up to this share of the matching rows a scan looks for candidates; exact scores of all cost what more would.

CPU ms for a 16th and for all exactly: 8,000 x 384 1.0 and 1.0, 60,000 x 384 7.6 and 8.3, 33,000 x 64 3.4 and 1.0."""

_SAFETY = 1.2
_SPARE = 8


class Strategy(Enum):
    """Where a filtered search gets its candidates from."""

    EXACT = "exact scores of the matching rows"
    MASKED = "a scan under the mask"
    OVERSAMPLED = "a scan without the mask for more candidates, of which the matching ones stay"


def candidates(k: int, metric: AnyMetric) -> int:
    """Return how many candidates an approximate index is asked for, so that exact scores can pick the best k.

    It is the least number of a search that names no recall; `index.recall` measures whether some rows need more.

    Among 4-bit codes the true ten best were within the first 20 for embeddings of text (recall 0.994 to 1.000), but
    not in tight clusters: 20,000 rows around 50 centres, noise 0.4 of their spread, gave 0.94 within 20 and 0.997
    within 40, at any dimension. L2 carries the vectors' lengths in one more coded dimension and needs 100.
    """
    return max(100, 4 * k) if metric is Metric.L2 else 3 * k + 10


def plan_filtered(n: int, matches: int, k: int) -> Strategy:
    """Return the cheapest way to the k best of `matches` rows among n, by the measured crossovers.

    `matches` counts the rows that are alive and pass the filter, so deleted rows plan themselves. When every
    row matches the answer is OVERSAMPLED, which then asks for no more than k.
    """
    if matches <= max(k, EXACT_ROWS) or matches <= EXACT_SHARE * n:
        return Strategy.EXACT
    return Strategy.OVERSAMPLED if matches >= OVERSAMPLE_SHARE * n else Strategy.MASKED


def oversampled(n: int, matches: int, k: int) -> int:
    """Return how many unmasked candidates leave about k when only `matches` of n rows stay."""
    if matches >= n:
        return min(k, n)
    return min(n, int(_SAFETY * k * n / matches) + min(n - matches, _SPARE))
