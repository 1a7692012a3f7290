"""The model's description: no parameter, rule, metric or step is missing from it, nor what each means."""

import ast
import re
from pathlib import Path

import pytest
import yaml

from sim import __main__
from sim.measure import metrics
from sim.model.declare import ScenarioError
from sim.report import odd

TEXT = odd.odd()
MODEL = Path(__file__).parents[2] / "sim" / "model"
FACTS = yaml.safe_load((Path(__file__).parents[2] / "conf" / "facts.yaml").read_text(encoding="utf-8"))


def test_nothing_is_left_to_fill_in():
    assert "{{" not in TEXT
    for number, name in enumerate(("Purpose and patterns", "Entities", "Process", "Design", "Init", "Input", "Sub"), 1):
        assert f"\n## {number}. {name}" in TEXT


@pytest.mark.parametrize(("path", "d"), odd.vocabulary(), ids=lambda v: v if isinstance(v, str) else "")
def test_every_parameter_is_described(path, d):
    part, _, name = path.rpartition(".")
    table = TEXT.split(f"| `{part or 'scenario'}` | default |")[1].split("\n\n")[0]
    row = next(line for line in table.splitlines() if line.startswith(f"| `{name}` |"))
    cells = [cell.strip() for cell in row.strip("|").split(" | ")]
    assert len(cells) == 6 and all(cells), "name, default, range, unit, meaning and source, none of them empty"
    assert cells[4] == d.about and cells[5] == odd.source_of(path, d)


def test_who_says_so():
    said = {path: odd.source_of(path, d) for path, d in odd.vocabulary()}
    assert said["consumer.attention"] == "#16-22" and said["firms.NAME.quality"] == "assumption"
    assert said["seed"] == said["mechanisms.habit"] == "set by the user"


def test_sources_that_are_cited_exist():
    cited = {int(n) for n in re.findall(r"#(\d+)", TEXT)}
    assert cited and all(int(n) in FACTS for n in cited)


def test_every_rule_is_described():
    others = (MODEL / f"{name}.py" for name in ("initial", "scandals", "word_of_mouth"))
    files = [*(MODEL / "rules").glob("*.py"), *others]
    written = [node for f in files for node in ast.parse(f.read_text()).body if isinstance(node, ast.FunctionDef)]
    assert {"salience", "attribution", "news_exposure", "repair", "spread_news"} < {node.name for node in written}
    for node in written:
        law = (ast.get_docstring(node) or "").partition(">>>")[0].rstrip()
        assert len(law.split()) > 2, f"{node.name} says nothing of what it does"
        assert f"**`{node.name}`**: {law}" in TEXT and f"def {node.name}(" in TEXT


def test_no_law_is_outside_the_files_of_laws():
    """Compiled functions of the model that are no law only read and write state, or find a week's row."""
    others = [f for f in MODEL.glob("*.py") if f.stem not in odd.LAWS]
    found = {node.name for f in others for node in ast.parse(f.read_text()).body if _is_compiled(node)}
    assert found == {"week_row", "publish", "carry", "in_window", "pick", "has_flag", "set_flag"}


def _is_compiled(node):
    return isinstance(node, ast.FunctionDef) and any(getattr(d, "id", "") == "inlined" for d in node.decorator_list)


def test_every_step_of_the_week_is_in_order():
    order = [TEXT.index(f"{n}. **{step}.** ") for n, step in enumerate(odd.STEPS, 1)]
    assert order == sorted(order)


def test_every_metric_is_described():
    for name in {info.name for of in ("firm", "market") for info in metrics.listed(of)}:
        assert re.search(rf"\| {name} \| [^|]+ \| [^|]* \| (week|window) \| \w.{{10,}} \|\n", TEXT), name


def test_the_command_prints_it_or_writes_it(tmp_path, capsys):
    assert __main__.command(["odd"]) == 0
    assert capsys.readouterr().out == TEXT
    assert __main__.command(["odd", str(tmp_path / "model.md")]) == 0
    assert (tmp_path / "model.md").read_text(encoding="utf-8") == TEXT
    with pytest.raises(ScenarioError, match="more than the name of one file"):
        __main__.command(["odd", "a", "b"])
