"""Named places where a test can end the process or fail the disk, to prove what a crash there leaves.

`ELANUS_FAILPOINT=flush.renamed` kills the process (SIGKILL where it exists) when it reaches that place;
`flush.renamed:3` at the third time; `flush.write=ENOSPC` raises that OSError instead. Without the variable a
failpoint costs one comparison.
"""

from __future__ import annotations

import errno
import os
import signal

_spec = os.environ.get("ELANUS_FAILPOINT", "")
_hits = 0


def arm(spec: str) -> None:
    """Arm one failpoint from now on, or none with an empty string."""
    global _spec, _hits
    _spec, _hits = spec, 0


def reach(name: str) -> None:
    """Mark a place; act if the armed failpoint names it."""
    if _spec:
        _act(name)


def _act(name: str) -> None:
    global _hits
    place, _, error = _spec.partition("=")
    place, _, count = place.partition(":")
    if place != name:
        return
    _hits += 1
    if _hits < int(count or 1):
        return
    if error:
        number = getattr(errno, error)
        raise OSError(number, os.strerror(number))
    os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))
