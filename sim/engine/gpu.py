"""The same rules on a graphics card, a thread a person: optional, `pip install stickiness[gpu]`.

Nothing of the behavior is written anew. `on_device` hands the card the very functions of `rules`, `person`, `crowd`,
`tally` and `kernel.live`; a person's desk lies in the thread's own memory, index 0 of one. Threads meet only in the
tally, whose whole numbers are added atomically, so their order does not matter; what a person has to tell is noted in
the row of the person, so it is in order as it stands. Multiplication and addition are kept apart and no function comes
from the card's own library: the bits are those of the processor.
"""

import ast
import inspect
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from types import FunctionType, SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
from numba import config, cuda, types

from sim.engine import loop
from sim.engine.kernel import KernelData, ThreadBuffers, step_person
from sim.engine.loop import Run, Shard, initialize
from sim.engine.workspace import Workspace
from sim.measure.counting import count_window
from sim.measure.tally import FOLDS, Tally, counted
from sim.model.fields import Scenario
from sim.model.state import BOND, PER_WORD, PERSON, Bonds, People, Person, as_int32, carry
from sim.model.timeline import World
from sim.model.word_of_mouth import Outbox, deliver_messages, spread_news
from sim.study.calibrate_shares import calibrate_shares

OWN = {"me", "bonds", "bond", "room", "desk", "board"}  # names of what only the thread itself touches
THREADS = 128  # in a block
SHARDS = 4096  # threads that bring round what is told, each to its own share of the people
FULL = {"opt": 3, "fma": 0}  # a product and a sum are rounded each for itself, as on the processor


class Kernels(NamedTuple):
    """What is launched on the card."""

    step_person: Any  # a thread a person
    tell: Any  # a thread a share of the people
    close: Any  # a thread a person
    carry: Any  # a thread a person


class Note(NamedTuple):
    """All of the engine's board that one who lives alone needs."""

    message: Any  # [1, 3] int32, as in Told
    just_heard: Any  # [1, 3] int32
    used: Any  # [2] int64


# ---------------------------------------------------------------- the rules, as threads call them


class _Shared(ast.NodeTransformer):
    """Turns `counts[where] += n` into an atomic addition wherever another thread may do the same."""

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.AST:
        root: Any = node.target
        while isinstance(root, ast.Subscript | ast.Attribute):
            root = root.value
        if not isinstance(node.target, ast.Subscript) or root.id in OWN:
            return node
        assert isinstance(node.op, ast.Add), f"line {node.lineno}: a count can only be added to"
        add = ast.Call(ast.Name("count_up", ast.Load()), [node.target.value, node.target.slice, node.value], [])
        return ast.copy_location(ast.Expr(add), node)


@cuda.jit(device=True)
def count_up(counts, where, n):
    """Add to a count that other threads add to."""
    cuda.atomic.add(counts, where, np.int64(n))


@cuda.jit(device=True)
def prefetch(table, row):
    """Nothing: while one thread waits for memory others go on."""


@cache
def on_device(inlined: Any) -> Any:
    """A rule, and the rules it calls, as a thread calls them."""
    python = getattr(inlined, "py_func", inlined)
    tree = _Shared().visit(ast.parse(textwrap.dedent(inspect.getsource(python))))
    tree.body[0].decorator_list = []
    scope = {**python.__globals__, "count_up": count_up, "expect": prefetch}
    for name in python.__code__.co_names:
        if _is_rule(scope.get(name)):
            scope[name] = on_device(scope[name])
    exec(compile(ast.fix_missing_locations(tree), python.__code__.co_filename, "exec"), scope)
    return scope[python.__name__] if config.ENABLE_CUDASIM else cuda.jit(device=True)(scope[python.__name__])


def _is_rule(value: Any) -> bool:
    """A function of the model, compiled or plain, but no primitive: those become an instruction on the card too."""
    python = getattr(value, "py_func", value)
    home = getattr(python, "__module__", "")
    return (
        isinstance(python, FunctionType)
        and home.startswith("sim.")
        and home not in ("sim.compute.simd", "sim.compute.bits", "sim.compute.memory")
    )


# ---------------------------------------------------------------- what is launched


@cache
def kernels(firms: int, scandals: int) -> Kernels:
    """What is launched, for so many firms and scandals: they decide the size of a thread's desk."""
    person_words, step, more = PERSON.itemsize // 4, BOND.itemsize // 4, firms + 1
    bond_words, own, tales = step * firms, len(Person._fields) - 6, max(1, -(-scandals // PER_WORD))
    step_one, deliver_to, pass_to, close_one, carry_one = map(
        on_device, (step_person, deliver_messages, spread_news, count_window, carry)
    )

    @cuda.jit
    def step_week(people, rows, world, tally, key, first, week, outbox):
        row = cuda.grid(1)
        if row < people.rate.shape[0]:
            one, two = cuda.local.array((person_words, 1), np.int32), cuda.local.array((bond_words, 1), np.int32)
            real, bond = one.view(np.float32), two.view(np.float32)  # as in `make_workspace`
            number, rate = cuda.local.array(1, np.uint32), cuda.local.array(1, np.float32)
            line, scandal_flags = cuda.local.array((own, 1), np.int32), cuda.local.array((tales, 1), np.int32)
            here, starts = cuda.local.array(1, np.int32), cuda.local.array((2, 1), np.int64)
            person = Person(
                number, rate, line[0], real[0], real[1], real[2], scandal_flags, line[1], line[2], line[3], line[4], line[5],
                line[6], line[7], line[8], line[9], line[10], line[11], line[12], line[13], line[14], line[15],
                line[16], line[17], line[18], line[19], line[20], line[21], line[22], line[23],
            )  # fmt: skip
            known, count = cuda.local.array((firms, 1), np.float32), cuda.local.array((firms, 1), np.int32)
            considered, recall_strength = (
                cuda.local.array((firms, 1), np.int32),
                cuda.local.array((more, 1), np.float32),
            )
            shock, used = cuda.local.array((more, 1), np.float32), cuda.local.array(2, np.int64)
            had = bond[0::step], bond[1::step], bond[2::step], bond[3::step], bond[4::step]
            bonds = Bonds(had[0], had[1], had[2], had[3], had[4], known, count, considered, recall_strength, shock)
            used[0] = used[1] = 0
            outbox.message[row, 2] = outbox.just_heard[row, 2] = 0
            work = Note(outbox.message[row : row + 1], outbox.just_heard[row : row + 1], used)
            workspace, g = Workspace(person, bonds, one, two, here, starts), group(world, first + row)
            buffers = ThreadBuffers(workspace, work)  # type: ignore[arg-type]  # a note is what is used of a board
            step_one(KernelData(rows[0], rows[1], people, world, tally), buffers, key, first, g, row, week)

    @cuda.jit
    def tell(people, world, key, first, week, outbox):
        share, shares, many = cuda.grid(1), cuda.gridsize(1), people.rate.shape[0]
        a, b = many * share // shares, many * (share + 1) // shares
        rate, cell, news, scandal_flags = (
            people.rate[a:b],
            people.cell[a:b],
            people.news[a:b],
            people.scandal_flags[a:b],
        )
        mine = People(rate, cell, news, scandal_flags, people.one[a:b], people.bonds[a:b], people.carried)
        deliver_to(mine, world, key, first + a, outbox.message)
        pass_to(mine, world, key, first + a, week, outbox.just_heard)

    @cuda.jit
    def close(people, world, tally, first, window, opening):
        row = cuda.grid(1)
        if row < people.rate.shape[0]:
            close_one(people, row, tally, group(world, first + row), np.int64(people.cell[row]), window, opening)

    @cuda.jit
    def carry_over(people):
        row = cuda.grid(1)
        if row < people.rate.shape[0]:
            carry_one(people, row)

    return Kernels(step_week, tell, close, carry_over)


@cuda.jit(device=True)
def group(world, number):
    """The group of a person, as `engine.initialize` deals them out."""
    return ((number + 1) * FOLDS - 1) // world.market[0].people


# ---------------------------------------------------------------- a story lived on a card


def simulate_on_gpu(scenario: Scenario, first: int = 0) -> Run:
    """As `engine.simulate`: the people are born on the processor and live on the card; the same tally to the bit."""
    scenario, shares = calibrate_shares(scenario)
    with as_processor():
        tallies = [lived(initialize(scenario, r)[0]) for r in range(first, first + scenario.replications)]
    return Run(scenario, Tally(*(np.concatenate(a) for a in zip(*tallies, strict=True))), shares)


def lived(shard: Shard) -> Tally:
    """What is counted once a whole replication has lived its story on the card."""
    scenario, here = shard.scenario, kernels(len(shard.scenario.firms), len(shard.world.scandals))
    if scenario.burn_in == 0:
        loop.close_window(shard, -1, True)
    world, tally = (kind(*(upload(a) for a in arrays)) for kind, arrays in ((World, shard.world), (Tally, shard.tally)))
    people, rows = upload_people(shard.people)
    outbox = Outbox(*(upload(np.zeros((scenario.people, 3), np.int32)) for _ in Outbox._fields))
    blocks, talk = -(-scenario.people // THREADS), shard.world.market["talk"][0]
    while shard.week < scenario.weeks:
        here.step_person[blocks, THREADS](people, rows, world, tally, shard.key, 0, shard.week, outbox)
        if talk:
            news = Outbox(*(said[said[:, 2] != 0] for said in map(download, outbox)))
            if any(map(len, news)):
                shards = -(-min(SHARDS, scenario.people) // THREADS)
                here.tell[shards, THREADS](people, world, shard.key, 0, shard.week, Outbox(*map(upload, news)))
        ends = loop.ending(shard)
        if ends:
            here.close[blocks, THREADS](people, world, tally, 0, *ends)
        elif loop.carries(shard):
            here.carry[blocks, THREADS](people)
        shard.week += 1
    return counted(Tally(*map(download, tally)))


def upload(array: np.ndarray) -> Any:
    """An array in the card's memory; where a card is only simulated, the array."""
    return array if config.ENABLE_CUDASIM else cuda.to_device(np.ascontiguousarray(array))


def download(array: Any) -> np.ndarray:
    """An array from the card's memory."""
    return np.asarray(array) if config.ENABLE_CUDASIM else array.copy_to_host()


def upload_people(people: People) -> tuple[People, tuple[Any, Any]]:
    """Everybody, and the words of the rows: the same memory of the card."""
    rows = upload(as_int32(people.one)), upload(as_int32(people.bonds))
    if config.ENABLE_CUDASIM:
        return people, rows
    one, bonds = rows[0].view(PERSON), rows[1].view(BOND).reshape(people.bonds.shape)
    rate, cell, news, scandal_flags, carried = map(
        upload, (people.rate, people.cell, people.news, people.scandal_flags, people.carried)
    )
    return People(rate, cell, news, scandal_flags, one, bonds, carried), rows


# ---------------------------------------------------------------- compiled without a card


@contextmanager
def as_processor(processor: tuple[int, int] | None = None) -> Iterator[None]:
    """What is compiled herein rounds as the processor does; for a card of this compute capability, at hand or not."""
    if config.ENABLE_CUDASIM:
        yield
        return
    from numba.cuda import dispatcher
    from numba.cuda.cudadrv import nvvm

    device, compile_ir = dispatcher.get_current_device, nvvm.compile_ir
    if processor:
        dispatcher.get_current_device = lambda: SimpleNamespace(compute_capability=processor)
    nvvm.compile_ir = lambda code, **options: compile_ir(code, **{**options, **FULL})
    try:
        yield
    finally:
        dispatcher.get_current_device, nvvm.compile_ir = device, compile_ir


def ptx(kernel: Any, arguments: tuple[Any, ...], processor: tuple[int, int] = (8, 0)) -> str:
    """The code of a kernel for cards of a compute capability; needs NVIDIA's compiler (libnvvm), but no card."""
    from numba.cuda.compiler import compile_cuda, kernel_fixup
    from numba.cuda.cudadrv import nvvm

    with as_processor(processor):
        kinds = tuple(types.int64 if isinstance(a, int) else cuda_type(a) for a in arguments)
        done = compile_cuda(kernel.py_func, types.void, kinds, cc=processor, nvvm_options=FULL)
    name = done.fndesc.llvm_func_name
    kernel_fixup(done.library.get_function(name), False)
    unit = nvvm.CompilationUnit({**FULL, "arch": "compute_{}{}".format(*processor)})
    for module in done.library.llvm_strs:  # and not the card's own functions: a call of one would stay open
        unit.add_module(nvvm.llvm_replace(module).encode())
    unit.verify()
    code: str = unit.compile().decode().strip("\0 \n")
    return code.replace(name, kernel.py_func.__name__) + "\n"  # the name spells out every field of every record


def cuda_type(value: Any) -> Any:
    """The type of a kernel's argument."""
    from numba.cuda.typing.typeof import typeof

    return typeof(value)
