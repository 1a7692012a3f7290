"""The gallery: every experiment with its question, its finding as computed, and its figure.

The build runs no experiment. Figures and findings are those of experiments/figures, which says when each was made, from
which code and how large: `python -m docs.pages.gallery NAME ...` makes them anew from the last run of
`python -m experiments.NAME` (in outputs/experiments), or, with `--fast`, from its fast form. The fast forms themselves
are run by tests/test_experiments.py.
"""

import ast
import re
import shutil
import subprocess
import sys
import tempfile
from datetime import date
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "experiments" / "figures"
RECORD = FOLDER / "made.yaml"
PARTS = re.compile(r"^(Question|Design|Reading|Finding):", re.MULTILINE)
HEAD = """# Every experiment

{count} experiments, each a script: `python -m experiments.NAME` runs it in full, `--fast` small. What is found is
computed from the result by the script. The build of this site runs none of them: with each figure stands when it was
made and how large. A **fast form** shows that the experiment runs, with few people and wide errors; it is no result.
"""


def scripts() -> dict[str, str]:
    """Name -> docstring of every experiment."""
    found = {}
    for path in sorted((ROOT / "experiments").glob("*.py")):
        found[path.stem] = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return found


def parts_of(text: str) -> tuple[str, dict[str, str]]:
    """The title of an experiment, and its question, design, reading and finding as far as its head says them."""
    title, *pieces = PARTS.split(text)
    words = [" ".join(piece.split()) for piece in pieces]
    first = " ".join(title.split("\n\n")[0].split()).rstrip(".")
    return first, dict(zip(words[::2], words[1::2], strict=True))


def made() -> dict[str, dict[str, Any]]:
    """What is kept of the figures: when and how each was made, and what was found."""
    return yaml.safe_load(RECORD.read_text(encoding="utf-8")) if RECORD.exists() else {}


def section(name: str, text: str, record: dict[str, Any] | None) -> str:
    """One experiment on the page."""
    title, parts = parts_of(text)
    lines = [f"## {title}", f"`python -m experiments.{name}`"]
    lines += [f"**{part}.** {parts[part]}" for part in ("Question", "Design", "Reading") if part in parts]
    figure = FOLDER / f"{name}.png"
    if record:
        lines.append("\n".join(f"- {sentence}" for sentence in record["finding"]))
        size = f"{record['form']}, made {record['date']} from {record['code']}"
        lines.append(f"*{size}.*")
    if "Finding" in parts and not (record and record["finding"]):
        lines.append(f"- {parts['Finding']}")
        lines.append("*The finding stands in the head of the script, as of its last full run.*")
    if figure.exists():
        lines.append(f"```{{image}} generated/gallery/{name}.png\n:alt: {title}\n```")
        if not record:
            lines.append("*The figure is committed with the script; nothing says when it was made.*")
    elif not record and "Finding" not in parts:
        lines.append("*Neither figure nor finding is kept; run it.*")
    return "\n\n".join(lines)


def write(folder: Path) -> None:
    """Write the page and copy its figures."""
    records, found = made(), scripts()
    target = folder / "generated" / "gallery"
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    for figure in FOLDER.glob("*.png"):
        shutil.copy2(figure, target)
    sections = [section(name, text, records.get(name)) for name, text in found.items()]
    (folder / "gallery.md").write_text("\n\n".join([HEAD.format(count=len(found)), *sections]) + "\n", encoding="utf-8")


def keep(name: str, outputs: Path, form: str) -> None:
    """Take over an experiment's figure and finding from a folder of outputs."""
    from sim.study.store import read_metadata

    finding = read_metadata(outputs / f"{name}.parquet")["finding"]
    code = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True)
    records = made()
    row = {"date": date.today().isoformat(), "code": code.stdout.strip(), "form": form, "finding": finding.splitlines()}
    shutil.copy2(outputs / f"{name}.png", FOLDER / f"{name}.png")
    text = "# When each figure of this folder was made, and what was found: by `python -m docs.pages.gallery`.\n"
    text += yaml.safe_dump(
        dict(sorted((records | {name: row}).items())), sort_keys=False, width=116, allow_unicode=True
    )
    RECORD.write_text(text, encoding="utf-8")


def main(words: list[str]) -> None:
    """Make figures anew, as the head says."""
    for name in [w for w in words if w != "--fast"] or list(scripts()):
        if "--fast" not in words:
            keep(name, ROOT / "outputs" / "experiments", "in full")
            continue
        if (FOLDER / f"{name}.png").exists() and made().get(name, {}).get("form") != "fast form":
            print(f"{name}: a figure made in full is there; it stays")
            continue
        with tempfile.TemporaryDirectory() as folder:
            script = [sys.executable, str(ROOT / "experiments" / f"{name}.py"), "--fast"]
            subprocess.run(script, cwd=folder, check=True)
            keep(name, Path(folder) / "outputs" / "experiments", "fast form")


if __name__ == "__main__":
    main(sys.argv[1:])
