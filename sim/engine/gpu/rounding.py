"""Compiles for the GPU with the rounding of the CPU; everything private that this package uses of numba-cuda.

numba-cuda is bounded to one minor release for these lines. When a new release breaks one: `as_on_cpu` must make the
compiler get the options EXACT, in whatever way the release offers; `ptx` is only used by tests and may be deleted.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

from numba import config, types

EXACT = {"opt": 3, "fma": 0}  # a product and a sum are each rounded, as on the CPU


@contextmanager
def as_on_cpu(capability: tuple[int, int] | None = None) -> Iterator[None]:
    """What is compiled inside rounds as the CPU does; for GPUs of this compute capability, installed or not."""
    if config.ENABLE_CUDASIM:
        yield
        return
    from numba.cuda import dispatcher
    from numba.cuda.cudadrv import nvvm

    device, compile_ir = dispatcher.get_current_device, nvvm.compile_ir
    if capability:
        dispatcher.get_current_device = lambda: SimpleNamespace(compute_capability=capability)
    nvvm.compile_ir = lambda code, **options: compile_ir(code, **{**options, **EXACT})
    try:
        yield
    finally:
        dispatcher.get_current_device, nvvm.compile_ir = device, compile_ir


def ptx(kernel: Any, arguments: tuple[Any, ...], capability: tuple[int, int] = (8, 0)) -> str:
    """The code of a kernel for GPUs of a compute capability; needs NVIDIA's compiler (libnvvm), but no GPU."""
    from numba.cuda.compiler import compile_cuda, kernel_fixup
    from numba.cuda.cudadrv import nvvm

    with as_on_cpu(capability):
        kinds = tuple(types.int64 if isinstance(a, int) else _type_of(a) for a in arguments)
        done = compile_cuda(kernel.py_func, types.void, kinds, cc=capability, nvvm_options=EXACT)
    name = done.fndesc.llvm_func_name
    kernel_fixup(done.library.get_function(name), False)
    unit = nvvm.CompilationUnit({**EXACT, "arch": "compute_{}{}".format(*capability)})
    for module in done.library.llvm_strs:  # but not the GPU's own library: a call of it would stay open
        unit.add_module(nvvm.llvm_replace(module).encode())
    unit.verify()
    code: str = unit.compile().decode().strip("\0 \n")
    return code.replace(name, kernel.py_func.__name__) + "\n"  # the name spells out every field of every record


def _type_of(value: Any) -> types.Type:
    """The type of a kernel's argument."""
    from numba.cuda.typing.typeof import typeof

    return typeof(value)
