"""Numbers and strings as Milvus's grammar writes them."""

from __future__ import annotations

import re

INT64_MIN, INT64_MAX = -(2**63), 2**63 - 1

DECIMAL = re.compile(r"0|[1-9][0-9]*")
OCTAL = re.compile(r"0[0-7]+")
PREFIXED = re.compile(r"0[xX][0-9a-fA-F]+|0[bB][01]+")
FLOATING = re.compile(r"(?:[0-9]+\.[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|[0-9]+[eE][+-]?[0-9]+")
HEX_FLOATING = re.compile(r"0[xX](?:[0-9a-fA-F]*\.[0-9a-fA-F]+|[0-9a-fA-F]+\.?)[pP][+-]?[0-9]+")
MAX_DIGITS = 100

ESCAPE = re.compile(r"\\(?:([0-7]{3})|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))", re.DOTALL)
SIMPLE = {"a": 7, "b": 8, "f": 12, "n": 10, "r": 13, "t": 9, "v": 11, "\\": 92, "'": 39, '"': 34}
WILDCARDS = "%_"


def number(word: str) -> int | float:
    """Return the value of a decimal, octal (`017`), hexadecimal, binary or floating constant.

    Integers come back exact, whatever their size; who uses one checks its range.

    Raises:
        ValueError: not a number, or a float beyond the range of a double.
    """
    if len(word) <= MAX_DIGITS:
        if DECIMAL.fullmatch(word):
            return int(word)
        if OCTAL.fullmatch(word):
            return int(word, 8)
        if PREFIXED.fullmatch(word):
            return int(word, 0)
    if FLOATING.fullmatch(word) or HEX_FLOATING.fullmatch(word):
        return _floating(word)
    if word.isdigit() and len(word) > MAX_DIGITS:
        raise ValueError("an integer must fit 64 bits")
    raise ValueError(f"'{word[:40]}' is not a number")


def _floating(word: str) -> float:
    try:
        value = float.fromhex(word) if word[:2] in ("0x", "0X") else float(word)
    except OverflowError:
        value = float("inf")
    if value == float("inf"):
        raise ValueError("a number must fit a 64-bit float")
    return value


def unquote(word: str) -> tuple[str, bool]:
    r"""Return a quoted string's text, and whether any place may use it.

    The escapes are `\a \b \f \n \r \t \v \\ \' \"`, `\ooo` and `\xhh` (bytes of UTF-8), `\uhhhh`, `\Uhhhhhhhh`.
    `\%` and `\_` keep their backslash and make the string a LIKE pattern only. `r"..."` has no escapes.

    Raises:
        ValueError: an unknown escape, or text that is not Unicode.
    """
    if word[0] in "rR":
        return valid_text(word[2:-1]), True
    body = word[1:-1]
    if "\\" not in body:
        return valid_text(body), True
    pieces: list[bytes] = []
    at, exact = 0, True
    for escape in ESCAPE.finditer(body):
        pieces.append(valid_text(body[at : escape.start()]).encode())
        pieces.append(_unescaped(escape))
        exact = exact and escape.group(5) not in ("%", "_")
        at = escape.end()
    pieces.append(valid_text(body[at:]).encode())
    try:
        return b"".join(pieces).decode(), exact
    except UnicodeDecodeError:
        raise ValueError("the bytes this string escapes are not UTF-8") from None


def _unescaped(escape: re.Match[str]) -> bytes:
    octal, byte, short, long, simple = escape.groups()
    if simple in SIMPLE:
        return bytes([SIMPLE[simple]])
    if simple is not None:
        if simple in WILDCARDS:
            return b"\\" + simple.encode()
        raise ValueError(f"unknown escape '\\{simple}'; write '\\\\' for a backslash")
    if octal or byte:
        code = int(octal, 8) if octal else int(byte, 16)
        if code > 255:
            raise ValueError(f"'\\{octal}' is more than a byte")
        return bytes([code])
    code = int(short or long, 16)
    if code > 0x10FFFF or 0xD800 <= code <= 0xDFFF:
        raise ValueError(f"'{escape.group()}' is no Unicode character")
    return chr(code).encode()


def valid_text(text: str) -> str:
    """Return the text, or raise ValueError if UTF-8 cannot hold it."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("this string is not valid Unicode: it has half of a surrogate pair") from None
    return text
