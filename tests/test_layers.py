"""The order of the rooms: imports point down only, and few rooms know a heavy package."""

import ast
import re
import subprocess
import sys
from collections import defaultdict
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SIM = ROOT / "sim"

# A floor imports from strictly lower floors, and from itself in no circle.
FLOORS = [
    ["compute"],
    ["model"],
    ["measure"],
    ["engine"],
    ["study"],
    ["report"],
    ["panel", "facts", "mesa", "casebook"],  # casebook: what real scandals did, and what to expect of a new one
    ["calibration"],  # from a purchase panel to a market of the simulator
    ["page"],
    ["app", "__main__"],
]
FLOOR = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}
COMPUTE = {"compute", "model", "measure", "engine"}

# Which folders, or files, may import a package at all, inside functions too.
KNOWN_BY = {
    "numba": {"compute", "model/state", "engine", "model/word_of_mouth", "panel/record", "calibration/compiled"},
    "llvmlite": {"compute"},
    "hydra": {
        "study/composition",
        "study/defaults",
        "study/presets",
        "study/preset_files",
        "report",
        "page",
        "__main__",
    },
    "omegaconf": {"study/presets", "study/preset_files", "report"},
    "mesa": {"mesa", "page"},
    "solara": {"page"},
    "ray": {"engine/cluster"},
    "submitit": {"study/pools"},
    "SALib": {"study/indices"},
    "optuna": {"study/optimum"},
    "pyarrow": {
        "study/store",
        "panel",
        "calibration/posterior",
        "calibration/preset",
        "calibration/provider_forecast",
        "model/tables",
    },
    "matplotlib": {
        "report/figures",
        "report/experiment",
        "panel/main",
        "calibration/figure",
        "calibration/providers",
        "calibration/twin",
        "calibration/market",
        "page",
    },
}


def room_of(path):
    """The floor of a file: sim/model/rules/learn.py is in the room `model`."""
    return path.relative_to(SIM).parts[0].removesuffix(".py")


def knows(path, allowed):
    """Whether one of the folders or files named in `allowed` holds the file."""
    own = path.relative_to(SIM).with_suffix("").as_posix()
    return any(own == name or own.startswith(f"{name}/") for name in allowed)


def imports(path):
    """(imported module, whether at the top) of a file; `from sim import x` counts as sim.x."""
    for top in ast.parse(path.read_text(encoding="utf-8")).body:
        for node in ast.walk(top):
            inside = isinstance(top, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
            typing = isinstance(top, ast.If) and ast.unparse(top.test) == "TYPE_CHECKING"
            here = node is top or not (inside or typing)
            if isinstance(node, ast.Import):
                yield from ((alias.name, here) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{path.name}: write `from sim.{node.module}`, not a relative import"
                whole = node.module == "sim"
                yield from ((f"sim.{a.name}" if whole else node.module, here) for a in node.names)


FILES = sorted(p for p in SIM.rglob("*.py") if "__pycache__" not in p.parts)
IMPORTS = {path: list(imports(path)) for path in FILES}
ROOMS = sorted({room_of(path) for path in FILES} - {"__init__"})
EDGES = defaultdict(set)
for path, found in IMPORTS.items():
    EDGES[room_of(path)] |= {name.split(".")[1] for name, _ in found if name.startswith("sim.")} - {room_of(path)}


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_stands_on_a_floor(room):
    assert room in FLOOR, f"sim/{room} is on no floor; put it into FLOORS of tests/test_layers.py"


def test_there_are_at_most_ten_floors():
    assert len(FLOORS) <= 10


@pytest.mark.parametrize("room", ROOMS)
def test_imports_point_down(room):
    floor = FLOOR.get(room, len(FLOORS))
    upward = sorted(other for other in EDGES[room] if FLOOR.get(other, len(FLOORS)) >= floor)
    assert not upward, f"sim/{room} (floor {floor}) imports from its own floor or above: {', '.join(upward)}"


def loaded(path, modules):
    """What a file imports when the program runs; `from sim.panel import rows` counts as sim.panel.rows."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    typing = [top for top in tree.body if isinstance(top, ast.If) and ast.unparse(top.test) == "TYPE_CHECKING"]
    skipped = {id(node) for top in typing for node in ast.walk(top)}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and id(node) not in skipped:
            inner = (f"{node.module}.{alias.name}" for alias in node.names)
            yield from (name if name in modules else node.module for name in inner)


def test_files_import_in_no_circle():
    modules = {".".join(p.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): p for p in FILES}
    list(TopologicalSorter({name: {*loaded(path, modules)} for name, path in modules.items()}).static_order())


def test_the_package_itself_imports_only_for_type_checkers():
    body = ast.parse((SIM / "__init__.py").read_text(encoding="utf-8")).body
    assert {n.module for n in body if isinstance(n, ast.ImportFrom)} <= {"typing", "importlib"}
    assert not [n for n in body if isinstance(n, ast.Import)]


@pytest.mark.parametrize("package", KNOWN_BY)
def test_few_rooms_know_a_heavy_package(package):
    knowing = {p for p, found in IMPORTS.items() for name, _ in found if name.split(".")[0] == package}
    assert not [str(p.relative_to(SIM)) for p in knowing if not knows(p, KNOWN_BY[package])]


def test_rooms_that_compute_do_not_open_with_pandas():
    early = {room_of(p) for p, found in IMPORTS.items() for name, top in found if top and name.startswith("pandas")}
    assert not early & COMPUTE


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_has_a_name_that_says_what_it_is_for(room):
    assert not re.search(r"util|helper|common|misc|^(base|manager|core)$", room)


@pytest.mark.parametrize("module", ["sim.model.scenario", "sim.measure.dirichlet"])
def test_writing_a_scenario_loads_no_compiler(module):
    script = f"import sys, {module}; print([m for m in ('numba', 'llvmlite', 'pandas') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_no_file_speaks_of_the_machine_it_was_written_on():
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True
    )
    if listed.returncode:
        pytest.skip("not a git checkout")
    homes, neighbor = re.compile(r"(?<![\w.])/(work|root)/"), re.compile(r"\.\./shared")
    said = []
    for name in listed.stdout.splitlines():
        path = ROOT / name
        if path == Path(__file__) or not path.is_file():
            continue
        text = path.read_bytes().decode("utf-8", "ignore")
        if homes.search(text) or (neighbor.search(text) and not name.startswith("tests/")):
            said.append(name)
    assert not said
