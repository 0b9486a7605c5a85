"""The passes of numba's compiler that kernels need: a short list, without counting of references.

Kernels hold loops, scalars, indexing and calls. They own no memory, so nothing has to be counted or given
back; they have no closures, comprehensions, generators or contexts for numba to take apart, and what is known
of a branch ahead of time LLVM finds out as well. numba's own list looks for all of that in every function,
for most of it several times.
See docs/decisions/0002-compile-and-cache-policy.md.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numba.core import ir, ir_utils, transforms, types
from numba.core.compiler import DefaultPassBuilder
from numba.core.compiler_machinery import FunctionPass, PassManager, register_pass
from numba.core.ssa import reconstruct_ssa
from numba.core.typed_passes import AnnotateTypes, BaseTypeInference, NoPythonBackend, PreLowerStripPhis
from numba.core.typing import signature
from numba.core.untyped_passes import FixupArgs, TranslateByteCode

from ._bundle import BundleType
from ._lowering import PAIRS, KernelLowering, is_larger_or_smaller


@register_pass(mutates_CFG=True, analysis_only=False)
class NameValues(FunctionPass):
    """Give each value a name of its own, so that a name has one type."""

    _name = "fastreg_name_values"

    def __init__(self) -> None:
        super().__init__()

    def run_pass(self, state: Any) -> bool:
        """Rewrite a function."""
        function = state.func_ir
        function.generator_info = None
        # One way back for each loop: naming relies on it.
        function.blocks = transforms.canonicalize_cfg(function.blocks)
        for block in function.blocks.values():
            for inst in block.find_insts(ir.Assign):
                inst.value = _with_number(function, inst.value)
        state.func_ir = reconstruct_ssa(function)
        state.func_ir._definitions = ir_utils.build_definitions(state.func_ir.blocks)
        return True


def _with_number(function: Any, value: Any) -> Any:
    """Return a value with the number in it that it is indexed by, where that is written out."""
    if not (isinstance(value, ir.Expr) and value.op == "getitem"):
        return value
    known = function._definitions[value.index.name]
    is_known = len(known) == 1 and isinstance(known[0], ir.Const | ir.Global | ir.FreeVar)
    number = known[0].value if is_known else None
    if type(number) is not int:
        return value
    # Entries of a tuple differ in type: which one it is has to be known before types are.
    return ir.Expr.static_getitem(value=value.value, index=number, index_var=value.index, loc=value.loc)


@register_pass(mutates_CFG=True, analysis_only=False)
class InferTypes(BaseTypeInference):
    """numba's type inference, which asks less."""

    _name = "fastreg_infer_types"

    def run_pass(self, state: Any) -> bool:
        """Type a function and what it calls."""
        context = state.typingctx
        state.typingctx = _Typing(context)
        try:
            return bool(super().run_pass(state))
        finally:
            state.typingctx = context


class _Typing:
    """numba's typing context, asked only once what operators and numba's own functions return.

    Parts are typed by the kinds of their arguments alone: numba would type and translate them once more for
    each number that a call has written out.
    """

    def __init__(self, context: Any) -> None:
        self._context = context

    def __getattr__(self, name: str) -> Any:
        return getattr(self._context, name)

    def resolve_function_type(self, function: Any, arguments: Any, named: Any) -> Any:
        """Return the signature of a call."""
        ask = self._context.resolve_function_type
        if named or not arguments:
            return ask(function, arguments, named)
        if isinstance(function, types.Dispatcher) or isinstance(arguments[0], BundleType):
            return ask(function, tuple(types.unliteral(each) for each in arguments), named)
        kind = types.unliteral(arguments[0])
        if is_larger_or_smaller(function) and [types.unliteral(each) for each in arguments] in PAIRS:
            return signature(kind, kind, kind)
        return _remembered((function, *arguments), lambda: ask(function, arguments, named))

    def resolve_setitem(self, target: Any, index: Any, value: Any) -> Any:
        """Return the signature of an assignment to an entry."""
        ask = self._context.resolve_setitem
        return _remembered(("setitem", target, index, value), lambda: ask(target, index, value))


_signatures: dict[Any, Any] = {}


def _remembered(key: Any, find: Callable[[], Any]) -> Any:
    """Return the signature that belongs to a function and types; none is asked for again."""
    found = _signatures.get(key)
    if found is None:
        found = _signatures[key] = find()
    return found


@register_pass(mutates_CFG=True, analysis_only=False)
class JoinValues(PreLowerStripPhis):
    """Turn values that depend on the way here back into variables."""

    _name = "fastreg_join_values"

    def run_pass(self, state: Any) -> bool:
        """Rewrite a function."""
        state.func_ir = self._strip_phi_nodes(state.func_ir)
        state.func_ir._definitions = ir_utils.build_definitions(state.func_ir.blocks)
        return True


def passes(state: Any) -> PassManager:
    """Return the list of passes for one function."""
    if state.flags.debuginfo:
        # Lines and names for a debugger are written by numba's passes only.
        return DefaultPassBuilder.define_nopython_pipeline(state)
    short = PassManager("fastreg")
    for each in (
        TranslateByteCode,
        FixupArgs,
        NameValues,
        InferTypes,
        JoinValues,
        AnnotateTypes,
        KernelLowering,
        NoPythonBackend,
    ):
        short.add_pass(each, each.__name__)
    short.finalize()
    return short
