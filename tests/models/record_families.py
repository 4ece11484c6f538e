"""Records what transformers makes of the tiny checkpoints: python -m tests.models.record_families (needs torch)."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModel, AutoModelForMaskedLM, AutoModelForSequenceClassification, PreTrainedTokenizerFast

from tests.models.families import NAMES, write_family
from tests.models.test_families import PAIRS, TEXTS


def run(folder: Path, kind: Any, texts: list[Any], name: str) -> list[Any]:
    """One model over texts or pairs, each alone."""
    tokenizer = PreTrainedTokenizerFast(tokenizer_file=str(folder / "tokenizer.json"), pad_token="[PAD]")
    model = kind.from_pretrained(folder, attn_implementation="eager").eval()
    results = []
    for text in texts:
        parts = (text,) if isinstance(text, str) else text
        fed = tokenizer(*parts, return_tensors="pt", padding=False, return_token_type_ids=name == "bert")
        with torch.no_grad():
            results.append(model(**fed)[0][0])
    return results


def main() -> None:
    """Write families.json beside this file."""
    record: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as root:
        for family in NAMES:
            folder = write_family(Path(root) / f"{family}-hidden", family, "hidden")
            hidden = [out.mean(0).tolist() for out in run(folder, AutoModel, TEXTS, family)]
            folder = write_family(Path(root) / f"{family}-classifier", family, "classifier")
            logits = [out.tolist()[0] for out in run(folder, AutoModelForSequenceClassification, PAIRS, family)]
            folder = write_family(Path(root) / f"{family}-terms", family, "terms")
            scores = run(folder, AutoModelForMaskedLM, TEXTS, family)
            terms = [torch.log1p(torch.relu(out)).max(0).values.tolist() for out in scores]
            record[family] = {"hidden": hidden, "classifier": logits, "terms": terms}
    text = json.dumps(record, default=float)
    rounded = json.loads(text, parse_float=lambda x: round(float(x), 6))
    Path(__file__).with_name("families.json").write_text(json.dumps(rounded), encoding="ascii")


if __name__ == "__main__":
    main()
