"""From numba's form of a kernel to LLVM's in few words.

How much is written of a kernel decides how long it compiles: an LLVM instruction costs about 20 microseconds
in Python, and time again in LLVM. numba describes an array by ten numbers and puts them together wherever an
entry is read. Here an entry of a C-contiguous array is an address and an offset, and a bundle's field is a
place that is looked up when an entry of it is asked for. All else is numba's, and so is the machine code.
"""

from __future__ import annotations

import operator
from collections import Counter
from typing import Any, NamedTuple

from llvmlite import ir as llvm
from numba.core import cgutils, ir, types
from numba.core.compiler_machinery import register_pass
from numba.core.lowering import Lower
from numba.core.typed_passes import BaseNativeLowering

from ._bundle import DATA, SHAPE, BundleType, describe_array, read_field, read_word

# Operators on two numbers of one type: LLVM's name for floating point, for integers.
ARITHMETIC = {
    operator.add: ("fadd", "add"),
    operator.sub: ("fsub", "sub"),
    operator.mul: ("fmul", "mul"),
}
COMPARISONS = {
    operator.lt: "<",
    operator.le: "<=",
    operator.gt: ">",
    operator.ge: ">=",
    operator.eq: "==",
    operator.ne: "!=",
}
# The larger or smaller of two numbers, which numba compiles as a function of however many.
LARGER_OR_SMALLER = {max: ">", min: "<"}
PAIRS = ([types.float64, types.float64], [types.int64, types.int64])


def is_larger_or_smaller(function: Any) -> bool:
    """Tell whether a type is that of max or min."""
    return isinstance(function, types.Function) and function.typing_key in LARGER_OR_SMALLER


class Field(NamedTuple):
    """A bundle's array that nobody has asked for yet."""

    bundle: Any
    kind: Any
    start: int


class Shape(NamedTuple):
    """The shape of an array, whose lengths nobody has asked for yet."""

    array: Any


class Indices(NamedTuple):
    """A tuple of integers, values and types, that has not been put together."""

    items: tuple[tuple[Any, Any], ...]


class KernelLower(Lower):
    """numba's translation, with short ways for what kernels consist of."""

    def init(self) -> None:
        """Begin with nothing put off: ``later`` has what is known of names whose values nobody needed."""
        super().init()
        self.later: dict[str, Any] = {}

    def _find_singly_assigned_variable(self) -> None:
        """Find the names that are given one value, and used after that in the same block only."""
        blocks, given = self.func_ir.blocks.values(), Counter[str]()
        for block in blocks:
            given.update(inst.target.name for inst in block.body if isinstance(inst, ir.Assign))
        single = {name for name, times in given.items() if times == 1}
        for block in blocks:
            here = set()
            for inst in block.body:
                single.difference_update(name for name in _used(inst) if name not in here)
                if isinstance(inst, ir.Assign):
                    here.add(inst.target.name)
        self._singly_assigned_vars = single
        self._blk_local_varmap: dict[str, Any] = {}

    def pre_block(self, block: Any) -> None:
        """Begin a block: nothing is ever deleted or caught."""
        self._cur_ir_block = block

    def lower_block(self, block: Any) -> None:
        """Translate a block."""
        self.pre_block(block)
        for inst in block.body:
            self.loc = inst.loc
            self.lower_inst(inst)
        self.post_block(block)

    def lower_inst(self, inst: Any) -> None:
        """Translate one instruction."""
        if isinstance(inst, ir.Assign):
            name = inst.target.name
            put_off = self._put_off(inst.value) if name in self._singly_assigned_vars else None
            if put_off is not None:
                self.later[name] = put_off
            else:
                self.storevar(self.lower_assign(self.typeof(name), inst), name)
        elif not (isinstance(inst, ir.SetItem | ir.StaticSetItem) and self._set_entry(inst)):
            super().lower_inst(inst)

    def lower_expr(self, resty: Any, expr: Any) -> Any:
        """Return the value of an expression."""
        if expr.op not in ("getitem", "static_getitem"):
            return super().lower_expr(resty, expr)
        found = self.later.get(expr.value.name)
        if isinstance(found, Shape) and expr.op == "static_getitem" and isinstance(expr.index, int):
            return self._length(found.array, expr.index)
        place = self._place(expr.value, expr.index if expr.op == "getitem" else expr.index_var)
        if place is None:
            return super().lower_expr(resty, expr)
        address, dtype, lengths = place
        if lengths:
            return describe_array(self.context, self.builder, resty, address, lengths)
        return self._cast(self.context.unpack_value(self.builder, dtype, address), dtype, resty)

    def lower_binop(self, resty: Any, expr: Any, op: Any) -> Any:
        """Return what an operator makes of two values."""
        signature = self.fndesc.calltypes[expr]
        kind, is_float = signature.args[0], signature.args[0] == types.float64
        if kind != signature.args[1] or not (is_float or kind == types.int64):
            return super().lower_binop(resty, expr, op)
        if op in ARITHMETIC and signature.return_type == kind:
            write = getattr(self.builder, ARITHMETIC[op][0 if is_float else 1])
            return self._cast(write(*self._operands(expr, kind)), kind, resty)
        if op in COMPARISONS:
            sign, write = COMPARISONS[op], self.builder.icmp_signed
            if is_float:
                write = self.builder.fcmp_unordered if sign == "!=" else self.builder.fcmp_ordered
            return self._cast(write(sign, *self._operands(expr, kind)), signature.return_type, resty)
        return super().lower_binop(resty, expr, op)

    def lower_call(self, resty: Any, expr: Any) -> Any:
        """Return what a function returns."""
        function, wanted = self.typeof(expr.func.name), self.fndesc.calltypes[expr]
        if not (is_larger_or_smaller(function) and list(wanted.args) in PAIRS):
            return super().lower_call(resty, expr)
        kind = wanted.return_type
        one, other = (self._cast(self.loadvar(v.name), self.typeof(v.name), kind) for v in expr.args)
        compare = self.builder.fcmp_ordered if kind == types.float64 else self.builder.icmp_signed
        # The first where they are equal or one is not a number, as in Python.
        is_other = compare(LARGER_OR_SMALLER[function.typing_key], other, one)
        return self._cast(self.builder.select(is_other, other, one), kind, resty)

    def loadvar(self, name: str) -> Any:
        """Return the value of a name, made now if it was put off."""
        if name in self.later:
            self._blk_local_varmap[name] = self._make(name, self.later.pop(name))
        return super().loadvar(name)

    def storevar(self, value: Any, name: str, argidx: Any = None) -> None:
        """Let a name stand for a value: nobody owned what it stood for."""
        if name in self._singly_assigned_vars:
            self._blk_local_varmap[name] = value
            return
        if name not in self.varmap:
            kind = self.context.get_value_type(self.typeof(name))
            self.varmap[name] = cgutils.alloca_once(self.builder, kind, name=name)
        self.builder.store(value, self.varmap[name])

    def _cast(self, value: Any, kind: Any, wanted: Any) -> Any:
        return self.context.cast(self.builder, value, kind, wanted)

    def _operands(self, expr: Any, kind: Any) -> list[Any]:
        return [self._cast(self.loadvar(v.name), self.typeof(v.name), kind) for v in (expr.lhs, expr.rhs)]

    def _put_off(self, value: Any) -> Any:
        """Return what is known of a value where making it can wait, else None."""
        if not isinstance(value, ir.Expr):
            return None
        if value.op == "getattr":
            owner = self.typeof(value.value.name)
            if isinstance(owner, BundleType):
                kind, start = owner.places[value.attr]
                return Field(self.loadvar(value.value.name), kind, start) if is_plain(kind) else None
            if value.attr == "shape" and is_plain(owner):
                return Shape(self._array(value.value.name))
        elif value.op == "build_tuple":
            kinds = [self.typeof(item.name) for item in value.items]
            if all(isinstance(kind, types.Integer) for kind in kinds):
                return Indices(
                    tuple((self.loadvar(v.name), k) for v, k in zip(value.items, kinds, strict=True))
                )
        return None

    def _make(self, name: str, put_off: Any) -> Any:
        """Return the value of what was put off."""
        if isinstance(put_off, Field):
            return read_field(self.context, self.builder, *put_off)
        kind = self.typeof(name)
        if isinstance(put_off, Shape):
            items = [self._length(put_off.array, axis) for axis in range(len(kind))]
        else:
            items = [self._cast(v, k, wanted) for (v, k), wanted in zip(put_off.items, kind, strict=True)]
        return self.context.make_tuple(self.builder, kind, items)

    def _array(self, name: str) -> Any:
        """Return what is known of an array: the field that it is, or numba's description."""
        found = self.later.get(name)
        return found if isinstance(found, Field) else self.loadvar(name)

    def _length(self, array: Any, axis: int) -> Any:
        if isinstance(array, Field):
            return read_word(self.builder, array.bundle, array.start + 1 + axis, cgutils.intp_t)
        return self.builder.extract_value(array, [SHAPE, axis])

    def _data(self, array: Any) -> Any:
        if isinstance(array, Field):
            address = self.context.get_data_type(array.kind.dtype).as_pointer()
            return read_word(self.builder, array.bundle, array.start, address)
        return self.builder.extract_value(array, DATA)

    def _set_entry(self, inst: Any) -> bool:
        """Translate the assignment to an entry of an array; return False for any other."""
        place = self._place(inst.target, inst.index if isinstance(inst, ir.SetItem) else inst.index_var)
        if place is None or place[2]:
            return False
        address, dtype, _ = place
        value = self._cast(self.loadvar(inst.value.name), self.typeof(inst.value.name), dtype)
        self.context.pack_value(self.builder, dtype, value, address)
        return True

    def _place(self, target: Any, index: Any) -> Any:
        """Return (address, type of entries, lengths of the axes left) of what indices lead to, or None."""
        kind = self.typeof(target.name)
        indices = self._indices(index) if index is not None and is_plain(kind) else ()
        if not 0 < len(indices) <= kind.ndim:
            return None
        array, builder, offset = self._array(target.name), self.builder, None
        for axis, (value, number) in enumerate(indices):
            at = self._index(value, number, array, axis)
            offset = at if offset is None else builder.add(builder.mul(offset, self._length(array, axis)), at)
        lengths = [self._length(array, axis) for axis in range(len(indices), kind.ndim)]
        for length in lengths:
            offset = builder.mul(offset, length)
        return builder.gep(self._data(array), [offset]), kind.dtype, lengths

    def _indices(self, index: Any) -> tuple[tuple[Any, Any], ...]:
        """Return the integers of an index with their types, none where it is anything else."""
        found, kind = self.later.get(index.name), self.typeof(index.name)
        if isinstance(found, Indices):
            return found.items
        if isinstance(kind, types.Integer):
            return ((self.loadvar(index.name), kind),)
        if isinstance(kind, types.BaseTuple) and all(isinstance(each, types.Integer) for each in kind):
            value = self.loadvar(index.name)
            return tuple((self.builder.extract_value(value, i), each) for i, each in enumerate(kind))
        return ()

    def _index(self, value: Any, kind: Any, array: Any, axis: int) -> Any:
        """Return an index as a word; one below zero counts from the end, as in Python."""
        builder = self.builder
        value = self._cast(value, kind, types.intp if kind.signed else types.uintp)
        is_constant = isinstance(value, llvm.Constant) and isinstance(value.constant, int)
        if kind.signed and not (is_constant and value.constant >= 0):
            is_below = builder.icmp_signed("<", value, value.type(0))
            value = builder.select(is_below, builder.add(self._length(array, axis), value), value)
        if self.context.enable_boundscheck:
            cgutils.do_boundscheck(self.context, builder, value, self._length(array, axis), axis)
        return value


def _used(inst: Any) -> list[str]:
    """Return the names that an instruction uses."""
    if not isinstance(inst, ir.Assign):
        return [each.name for each in inst.list_vars()]
    value = inst.value
    if isinstance(value, ir.Var):
        return [value.name]
    if not isinstance(value, ir.Expr):
        return []
    if value.op in ("getattr", "getitem", "static_getitem", "binop", "inplace_binop"):
        # Most of all: numba's way to list them takes ten times as long.
        return [each.name for each in value._kws.values() if isinstance(each, ir.Var)]
    return [each.name for each in value.list_vars()]


def is_plain(kind: Any) -> bool:
    """Tell whether a type is that of arrays whose entries lie one behind the other."""
    return type(kind) is types.Array and kind.layout == "C" and kind.aligned and kind.ndim > 0


@register_pass(mutates_CFG=True, analysis_only=False)
class KernelLowering(BaseNativeLowering):
    """Translate with KernelLower."""

    _name = "fastreg_lowering"

    @property
    def lowering_class(self) -> Any:
        """Return the translator."""
        return KernelLower
