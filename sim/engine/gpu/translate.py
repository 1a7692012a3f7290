"""Rewrites functions of the model for many threads: additions to an array that threads share become atomic."""

import ast
import inspect
import textwrap
from collections.abc import Callable, Mapping
from types import FunctionType
from typing import Any

OWN = {"person", "bonds", "bond", "workspace", "buffers", "work"}  # names of what belongs to one thread
PRIMITIVES = ("sim.compute.simd", "sim.compute.bits", "sim.compute.memory")  # these become an instruction, here too


class _Atomic(ast.NodeTransformer):
    """Turns `counts[where] += n` into an atomic addition, unless the array belongs to the thread."""

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.AST:
        root: Any = node.target
        while isinstance(root, ast.Subscript | ast.Attribute):
            root = root.value
        if not isinstance(node.target, ast.Subscript) or root.id in OWN:
            return node
        assert isinstance(node.op, ast.Add), f"line {node.lineno}: a count can only be added to"
        add = ast.Call(ast.Name("atomic_add", ast.Load()), [node.target.value, node.target.slice, node.value], [])
        return ast.copy_location(ast.Expr(add), node)


def translate(function: Any, replaced: Mapping[str, Any], on_device: Callable[[Any], Any]) -> Callable[..., Any]:
    """A plain function with the source of `function` and atomic additions.

    In it, names in `replaced` mean what is given there, and each function of the model is what `on_device` makes of it.
    """
    python = getattr(function, "py_func", function)
    tree = _Atomic().visit(ast.parse(textwrap.dedent(inspect.getsource(python))))
    tree.body[0].decorator_list = []
    scope = {**python.__globals__, **replaced}
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}  # and not of fields
    for name in names - set(replaced):
        if _is_model(scope.get(name)):
            scope[name] = on_device(scope[name])
    exec(compile(ast.fix_missing_locations(tree), python.__code__.co_filename, "exec"), scope)
    made: Callable[..., Any] = scope[python.__name__]
    return made


def _is_model(value: object) -> bool:
    """Is it a function of this package, compiled or plain, other than a primitive?"""
    python = getattr(value, "py_func", value)
    home = getattr(python, "__module__", "")
    return isinstance(python, FunctionType) and home.startswith("sim.") and home not in PRIMITIVES
