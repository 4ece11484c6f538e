"""Files as text: plain, Markdown, HTML and, where pypdf is installed, PDF."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterator, Mapping
from html.parser import HTMLParser
from pathlib import Path

from elanus.errors import InvalidArgument

_SILENT = frozenset({"script", "style", "head", "title", "template", "noscript", "svg"})
_BREAKING = frozenset(
    {"p", "div", "br", "li", "tr", "h1", "h2", "h3", "h4", "h5", "h6", "section", "article", "pre", "table", "dt", "dd"}
)
_MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}


def read_path(path: Path) -> Iterator[tuple[str, str]]:
    """Yield (path, text) of a file, or of every file below a folder that can be read; hidden ones are left out.

    Raises:
        InvalidArgument: there is no such path, or a single file of an unknown kind.
    """
    if path.is_dir():
        for inner in sorted(path.rglob("*")):
            hidden = any(part.startswith(".") for part in inner.relative_to(path).parts)
            if inner.suffix.lower() in READERS and inner.is_file() and not hidden:
                yield str(inner), READERS[inner.suffix.lower()](inner)
        return
    if not path.is_file():
        raise InvalidArgument(f"there is no file or folder '{path}'; a text is given as a str, a path as pathlib.Path")
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise InvalidArgument(f"'{path}' cannot be read; known endings: {', '.join(READERS)}")
    yield str(path), reader(path)


def _plain(path: Path) -> str:
    """A file's text: by its byte order mark, as UTF-8, or as what Windows wrote before.

    Raises:
        InvalidArgument: it holds no text.
    """
    raw = path.read_bytes()
    for mark, encoding in _MARKS.items():
        if raw.startswith(mark):
            return raw.decode(encoding, "replace")
    if b"\0" in raw:
        raise InvalidArgument(f"'{path}' holds no text; give it another ending, or leave it out")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("cp1252", "replace")


def _html(path: Path) -> str:
    reader = _Visible()
    reader.feed(_plain(path))
    reader.close()
    return reader.text()


def _pdf(path: Path) -> str:
    try:
        from pypdf import PdfReader
    except ImportError as error:
        raise InvalidArgument(f"'{path}' needs the package pypdf: pip install 'elanus[pdf]'") from error
    try:
        return "\n\n".join(page.extract_text() for page in PdfReader(path).pages)
    except Exception as error:  # pypdf's errors share no base with those of what it reads by
        raise InvalidArgument(f"'{path}' cannot be read as PDF: {error}") from error


class _Visible(HTMLParser):
    """Collects what a reader of the page would see, a block a paragraph."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._blocks: list[str] = [""]
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag in _SILENT:
            self._silent += 1
        if tag in _BREAKING:
            self._blocks.append("")

    def handle_endtag(self, tag: str) -> None:
        if tag in _SILENT and self._silent:
            self._silent -= 1
        if tag in _BREAKING:
            self._blocks.append("")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self._blocks[-1] += data

    def text(self) -> str:
        """What was collected."""
        return "\n\n".join(text for block in self._blocks if (text := " ".join(block.split())))


READERS: Mapping[str, Callable[[Path], str]] = {
    ".txt": _plain,
    ".md": _plain,
    ".rst": _plain,
    ".html": _html,
    ".htm": _html,
    ".pdf": _pdf,
}
