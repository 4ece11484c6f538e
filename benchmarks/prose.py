"""Real passages of about a hundred words, from whatever documentation a machine has: manuals, package notes, sources.

Every file's text is cut into passages that follow each other; where these are not enough a second round begins them in
the middle, and so on by halves. Equal files and equal passages count once.
"""

from __future__ import annotations

import gzip
import re
import sys
import sysconfig
from collections.abc import Iterator, Sequence
from pathlib import Path

WORDS = 100
FOLDERS = ("/usr/share/doc", "/usr/share/man", "/usr/share/info", "/usr/share/perl", "/usr/include")
SUFFIXES = frozenset(
    ("", ".txt", ".rst", ".md", ".html", ".py", ".pyi", ".pod", ".pm", ".h", *(f".{n}" for n in range(1, 9)))
)
ROUNDS = 4
_WORD = re.compile(r"\w+")
_MARKUP = re.compile(r"<[^<>]{1,200}>|\\f[BIPR]|\\-|^\.[A-Za-z]{1,3}\b", re.MULTILINE)


def passages(most: int, folders: Sequence[str] = ()) -> list[str]:
    """Return up to `most` passages, in an order that files and folders decide."""
    read = folders or (*FOLDERS, sysconfig.get_path("stdlib"), sysconfig.get_path("purelib"))
    texts = list(_texts([Path(folder) for folder in read]))
    found: dict[str, None] = {}
    for step in range(ROUNDS):
        shift = 0 if step == 0 else WORDS // 2**step
        for text in texts:
            for passage in _cut(text, shift):
                found[passage] = None
            if len(found) >= most:
                return list(found)[:most]
        print(f"{len(found):,} passages after round {step + 1} of {ROUNDS}", file=sys.stderr)
    return list(found)


def _texts(folders: Sequence[Path]) -> Iterator[str]:
    seen = set()
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            kind = path.with_suffix("").suffix if path.suffix == ".gz" else path.suffix
            if kind not in SUFFIXES or path.is_symlink() or not path.is_file():
                continue
            try:
                raw = path.read_bytes()
                raw = gzip.decompress(raw) if path.suffix == ".gz" else raw
            except (OSError, EOFError):
                continue
            key = hash(raw)
            if key not in seen and b"\0" not in raw[:1000]:
                seen.add(key)
                yield " ".join(_MARKUP.sub(" ", raw.decode("utf-8", "replace")).split())


def _cut(text: str, shift: int) -> Iterator[str]:
    ends = [word.end() for word in _WORD.finditer(text)]
    for first in range(shift, len(ends) - WORDS // 2, WORDS):
        begin = ends[first - 1] if first else 0
        yield text[begin : ends[min(first + WORDS, len(ends)) - 1]].strip()
