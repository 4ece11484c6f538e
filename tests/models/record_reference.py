"""Records the reference vectors of test_reference.py with sentence-transformers.

Needs an environment with sentence-transformers and the model's folder:

    python tests/models/record_reference.py FOLDER
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

TEXTS = [
    "kite",
    "A kite hovers over the field, hanging on the wind.",
    "When did the 1973 oil crisis begin?",
    "",
    "   ",
    "Der Gleitaar rüttelt; élan vital, naïve café.",
    "黑翅鸢在空中悬停 🪁 и парит",
    "def compress(data: bytes, level: int = 9) -> bytes: ...",
    "Punctuation!!! ... ??? --- (((brackets))) 3.14159e-10 #hashtag @name",
    "supercalifragilisticexpialidocious" * 5,
    "The black-winged kite eats mice. " * 20,
    "The black-winged kite hunts by day, mostly at dawn and at dusk, over open ground. " * 40,
]
FILE = Path(__file__).with_name("all-MiniLM-L6-v2.json")


def main(folder: str) -> None:
    from sentence_transformers import SentenceTransformer

    vectors = SentenceTransformer(folder, device="cpu").encode(TEXTS, batch_size=1)
    rows = [
        {"text": text, "vector": [float(f"{x:.7g}") for x in vector.tolist()]}
        for text, vector in zip(TEXTS, vectors, strict=True)
    ]
    lines = ",\n".join(json.dumps(row) for row in rows)
    FILE.write_text(f"[\n{lines}\n]\n", encoding="ascii")


if __name__ == "__main__":
    main(sys.argv[1])
