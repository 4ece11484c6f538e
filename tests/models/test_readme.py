"""The page about models says what is true."""

from __future__ import annotations

import doctest
import os
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "models" / "README.md"


def test_the_examples_run(wheel_folder: Path, splade_folder: Path, tmp_path: Path) -> None:
    here = Path.cwd()
    os.chdir(tmp_path)
    try:
        failed, tried = doctest.testfile(str(PAGE), module_relative=False, encoding="utf-8")
    finally:
        os.chdir(here)
    assert (failed, tried > 8) == (0, True)


def test_every_public_class_is_on_the_page() -> None:
    import elanus_models

    text = PAGE.read_text(encoding="utf-8")
    kinds = (elanus_models.Embedder, elanus_models.Reranker)
    found = [getattr(elanus_models, name) for name in elanus_models.__all__]
    for kind in found:
        if isinstance(kind, type) and issubclass(kind, kinds) and kind not in kinds:
            assert f"`{kind.__name__}`" in text, kind
