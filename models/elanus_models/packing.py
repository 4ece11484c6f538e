"""Token vectors as text, so that any store can keep them in a VARCHAR field.

The text is `MARK`, then base64 of one float16 step per token followed by each token's numbers, 4 bits each: numbers
run from -7 to 7 steps, stored plus 8, the first of two in the lower half of a byte.
"""

from __future__ import annotations

import binascii

import numpy as np
import numpy.typing as npt

from elanus_models.errors import InvalidInput
from elanus_models.model import Floats

MARK = "\x1ftok4:"
MAX_BYTES = 65_535


def is_packed(text: str) -> bool:
    """Whether a text is what `pack` returned."""
    return text.startswith(MARK)


def pack(vectors: Floats) -> str:
    """Return token vectors (tokens, dim) as text of at most `MAX_BYTES`; tokens that do not fit are left out."""
    size = _token_bytes(vectors.shape[1])
    room = (MAX_BYTES - len(MARK)) // 4 * 3
    vectors = vectors[: room // size]
    steps = (np.abs(vectors).max(axis=1, initial=0) / 7).astype(np.float16)
    whole = np.rint(vectors / np.maximum(steps, np.float16(1e-4)).astype(np.float32)[:, None])
    digits = (np.clip(whole, -7, 7) + 8).astype(np.uint8)
    if digits.shape[1] % 2:
        digits = np.pad(digits, ((0, 0), (0, 1)), constant_values=8)
    halves = digits[:, 0::2] | (digits[:, 1::2] << 4)
    raw = steps.astype("<f2").tobytes() + halves.tobytes()
    return MARK + binascii.b2a_base64(raw, newline=False).decode("ascii")


def unpack(text: str, dim: int) -> Floats:
    """Return the token vectors (tokens, dim) that `pack` made into text; raises InvalidInput."""
    try:
        raw = np.frombuffer(binascii.a2b_base64(text[len(MARK) :]), np.uint8)
    except binascii.Error as error:
        raise InvalidInput(f"packed token vectors are damaged: {error}") from error
    tokens, rest = divmod(len(raw), _token_bytes(dim))
    if rest:
        raise InvalidInput(f"packed token vectors have another length than vectors of {dim} numbers; pack them anew")
    steps = raw[: 2 * tokens].view("<f2").astype(np.float32)
    numbers = _PAIRS.take(raw[2 * tokens :]).view(np.float32)
    vectors: Floats = numbers.reshape(tokens, dim + dim % 2)[:, :dim]
    return vectors * steps[:, None]


def _token_bytes(dim: int) -> int:
    return 2 + (dim + 1) // 2


def _pairs() -> npt.NDArray[np.uint64]:
    """Return the two numbers in each of the 256 bytes, as the eight bytes of two float32."""
    every = np.arange(256)
    pairs = np.stack([every & 15, every >> 4], axis=1) - 8
    return pairs.astype(np.float32).view(np.uint64).ravel()


_PAIRS = _pairs()
