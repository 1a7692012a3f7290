"""Habits that a machine can hold: ruff, mypy, sizes, few `Any`, American spelling, one name for one class."""

import ast
import re
import shutil
import subprocess
import sys
from collections import defaultdict
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MOST_LINES, MOST_FUNCTION_LINES = 350, 40
TEXT = {".py", ".md", ".yaml", ".yml", ".toml", ".cff", ".css", ".vue", ".html", ".txt", ".json", ".sh"}

# Files that may write `Any`, and why: each stands at the edge of a library without types, or of what users
# write. The numbers may only fall: `python -m tests.test_style` prints those that are lower now.
ANY: dict[str, tuple[int, str]] = {
    "sim/casebook/cases.py": (1, "values of a user's file"),
    "sim/compute/bits.py": (3, "numba and llvmlite have no types"),
    "sim/compute/files.py": (1, "numba and llvmlite have no types"),
    "sim/compute/jit.py": (2, "numba and llvmlite have no types"),
    "sim/compute/kernel_args.py": (10, "numba and llvmlite have no types"),
    "sim/compute/memory.py": (4, "numba and llvmlite have no types"),
    "sim/compute/numba_private.py": (5, "numba and llvmlite have no types"),
    "sim/compute/simd.py": (24, "numba and llvmlite have no types"),
    "sim/engine/cluster/join.py": (1, "ray"),
    "sim/engine/cluster/pool.py": (8, "ray"),
    "sim/engine/cluster/tasks.py": (5, "ray"),
    "sim/engine/gpu/kernels.py": (11, "numba.cuda"),
    "sim/engine/gpu/rounding.py": (2, "numba.cuda"),
    "sim/engine/gpu/run.py": (3, "numba.cuda"),
    "sim/engine/gpu/translate.py": (3, "numba.cuda"),
    "sim/engine/shard.py": (1, "compiled functions and their arguments (numba)"),
    "sim/mesa/agents.py": (1, "attributes and reporters of Mesa, of any type"),
    "sim/mesa/arguments.py": (9, "attributes and reporters of Mesa, of any type"),
    "sim/mesa/attributes.py": (8, "attributes and reporters of Mesa, of any type"),
    "sim/mesa/events.py": (3, "attributes and reporters of Mesa, of any type"),
    "sim/mesa/model.py": (9, "attributes and reporters of Mesa, of any type"),
    "sim/model/declare.py": (11, "values of a config, of any type until they are checked"),
    "sim/model/network.py": (2, "values of a config, of any type until they are checked"),
    "sim/model/paths.py": (2, "values of a config, of any type until they are checked"),
    "sim/page/captions.py": (2, "solara and reacton have no types"),
    "sim/page/charts.py": (3, "solara and reacton have no types"),
    "sim/page/events.py": (5, "values of scandals and moves, whatever their type"),
    "sim/page/export.py": (4, "solara and reacton have no types"),
    "sim/page/figure_export.py": (4, "solara and reacton have no types"),
    "sim/page/frame.py": (5, "solara and reacton have no types"),
    "sim/page/game.py": (3, "solara and reacton have no types"),
    "sim/page/gate.py": (8, "solara and reacton have no types"),
    "sim/page/layout.py": (4, "solara and reacton have no types"),
    "sim/page/parameters.py": (3, "solara and reacton have no types"),
    "sim/page/picture.py": (4, "solara and reacton have no types"),
    "sim/page/session.py": (7, "solara and reacton have no types"),
    "sim/page/upload.py": (1, "what a browser sends"),
    "sim/panel/options.py": (1, "values of options"),
    "sim/study/bounds.py": (3, "configs of Hydra, values of overrides, tables of pyarrow"),
    "sim/study/calibrate_shares.py": (1, "configs of Hydra, values of overrides, tables of pyarrow"),
    "sim/study/cells.py": (1, "configs of Hydra, values of overrides, tables of pyarrow"),
    "sim/study/composition.py": (4, "configs and overrides of Hydra"),
    "sim/study/comparison.py": (2, "configs of Hydra, values of overrides, tables of pyarrow"),
    "sim/study/countermeasures.py": (6, "rows of conf/countermeasures.yaml"),
    "sim/study/defaults.py": (2, "configs of Hydra, values of overrides, tables of pyarrow"),
    "sim/study/pools.py": (3, "whatever executors take and give"),
    "sim/study/designs.py": (3, "configs of Hydra, values of overrides, tables of pyarrow"),
    "sim/study/journal.py": (2, "configs of Hydra, values of overrides, tables of pyarrow"),
    "sim/study/over_worlds.py": (1, "parts of an answer, whatever they are nested in"),
    "sim/study/presence_store.py": (3, "configs of Hydra, values of overrides, tables of pyarrow"),
    "sim/study/preset_files.py": (9, "configs of Hydra, values of overrides, tables of pyarrow"),
    "sim/study/presets.py": (12, "configs of Hydra, values of overrides, tables of pyarrow"),
    "sim/study/store.py": (13, "configs of Hydra, values of overrides, tables of pyarrow"),
}

# Public classes of one name in two modules, and why.
SAME_CLASS: dict[str, str] = {
    "Consumer": "what is declared of one, and the agent of Mesa",
    "Market": "what is declared of one, and the model of Mesa",
}

# Files that hold other people's spelling as data: names of columns, of brands, and titles of articles.
OTHER_SPELLING = {
    "sim/panel/vocabulary.py": "columns of users' files",
    "sim/panel/statuses.py": "words in users' files",
    "tests/test_style.py": "this list",
    "tests/panel/test_exports.py": "columns of users' files",
    "tests/panel/test_files.py": "columns of users' files",
    "sim/model/renamed.py": "old names",
    "tests/model/test_change.py": "old names",
    "CHANGELOG.md": "old names",
}
BRITISH = re.compile(
    r"\b(?:behaviour|colour|favour|flavour|honour|labour|neighbour|rumour|"
    r"(?:un)?(?:normal|initial|real|organ|summar|minim|maxim|optim|polar|recogn|general|special|standard|serial|"
    r"random|stabil|util|visual|custom|emphas|material|symbol|penal|prior|styl|random|synchron)is(?:e|ed|es|er|ing|ation)|"
    r"analys(?:e|ed|es|ing)|catalys(?:e|ed)|centre|metre|litre|theatre|fibre|programme|catalogue|dialogue|"
    r"modell(?:ed|ing|er)|travell(?:ed|ing|er)|labell(?:ed|ing)|cancell(?:ed|ing)|signall(?:ed|ing)|levell(?:ed|ing)|"
    r"fulfil|skilful|enrol|instal|sceptic\w*|defence|offence|licence|practise|judgement|ageing|grey|whilst|amongst|"
    r"learnt|spelt|burnt|dreamt|leant|misspelt|artefact|cheque|tyre|plough|mould|storey|kerb|pyjamas|aluminium)s?\b",
    re.IGNORECASE,
)


@cache
def tracked() -> tuple[Path, ...]:
    """The files of the project that git knows, or may come to know; all files where there is no git."""
    git = shutil.which("git")
    if git and (ROOT / ".git").exists():
        listed = subprocess.run([git, "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT, capture_output=True)
        return tuple(ROOT / name for name in listed.stdout.decode().split("\0") if name and (ROOT / name).is_file())
    folders = ("sim", "tests", "conf", "experiments")
    return tuple(p for folder in folders for p in (ROOT / folder).rglob("*") if p.is_file())


@cache
def parsed() -> dict[str, ast.Module]:
    """Every Python file of the package, by its path from the root."""
    files = sorted(p for p in tracked() if p.suffix == ".py" and p.is_relative_to(ROOT / "sim"))
    return {p.relative_to(ROOT).as_posix(): ast.parse(p.read_text(encoding="utf-8")) for p in files}


def run_tool(name: str, *arguments: str) -> None:
    if shutil.which(name, path=f"{Path(sys.executable).parent}:/usr/bin:/usr/local/bin") is None:
        pytest.skip(f"{name} is not installed (pip install -e '.[test]')")
    done = subprocess.run([sys.executable, "-m", name, *arguments], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]


def test_ruff_finds_nothing():
    run_tool("ruff", "check", "--output-format", "concise", ".")


def test_the_code_is_formatted():
    run_tool("ruff", "format", "--check", ".")


@pytest.mark.slow
def test_the_types_hold():
    run_tool("mypy")


def test_files_are_short():
    sizes = {name: len((ROOT / name).read_text(encoding="utf-8").splitlines()) for name in parsed()}
    assert not {name: n for name, n in sizes.items() if n > MOST_LINES}


def test_functions_are_short():
    long = [
        f"{name}:{node.lineno} {node.name}, {node.end_lineno - node.lineno + 1} lines"
        for name, tree in parsed().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or 0) - node.lineno + 1 > MOST_FUNCTION_LINES
    ]
    assert not long, "\n".join(long)


def any_lines(tree: ast.Module) -> int:
    """Lines that use `Any`, imports aside."""
    return len({node.lineno for node in ast.walk(tree) if isinstance(node, ast.Name) and node.id == "Any"})


def test_any_stays_at_the_edges_of_untyped_libraries():
    counts = {name: n for name, tree in parsed().items() if (n := any_lines(tree))}
    too_many = {name: (n, ANY.get(name, (0, ""))[0]) for name, n in counts.items() if n > ANY.get(name, (0, ""))[0]}
    assert not too_many, f"(lines with Any, allowed): {too_many}"


def test_english_is_spelled_one_way():
    found = []
    for path in tracked():
        name = path.relative_to(ROOT).as_posix()
        if path.suffix in TEXT and name not in OTHER_SPELLING:
            for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
                words = " ".join(word for word in line.split() if "/" not in word)  # without addresses
                found += [f"{name}:{number}: {match[0]}" for match in BRITISH.finditer(words)]
    assert not found, "\n".join(found[:200])


def test_no_two_public_classes_have_one_name():
    places = defaultdict(list)
    for name, tree in parsed().items():
        for node in tree.body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append(name)
    twice = {c: files for c, files in places.items() if len(files) > 1 and c not in SAME_CLASS}
    assert not twice
    assert not [c for c in SAME_CLASS if len(places[c]) < 2], "no longer twice: take it out of SAME_CLASS"


if __name__ == "__main__":
    for file, (most, _) in ANY.items():
        lines = any_lines(parsed()[file]) if file in parsed() else 0
        if lines < most:
            print(f"{file}: {lines} instead of {most}")
