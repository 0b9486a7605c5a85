"""Bundles: named tuples of arrays that compiled code receives as one pointer.

numba passes a named tuple of arrays by value: every call between kernels hands over seven numbers per array,
which costs most of the compilation and microseconds at every call from Python. A bundle writes the addresses
and shapes of its arrays into one block of memory and hands over where that is. Kernels read ``W.beta[s]`` all
the same, and under NUMBA_DISABLE_JIT a bundle is the named tuple it was written as.
See docs/decisions/0002-compile-and-cache-policy.md.
"""

from __future__ import annotations

import ctypes
import math
from collections.abc import Iterator
from typing import Any, Generic, TypeVar

import numpy as np
from llvmlite import ir
from numba.core import cgutils, config, types
from numba.core.typing.templates import AttributeTemplate
from numba.extending import NativeValue, infer_getattr, lower_getattr_generic, models, register_model, unbox

Class = TypeVar("Class", bound=type)
Made = TypeVar("Made")

# Bytes in a line of the cache.
LINE = 64

# Where numba's description of an array holds what; before these stand two owners, which bundles leave empty.
NITEMS, ITEMSIZE, DATA, SHAPE, STRIDES = 2, 3, 4, 5, 6


# Bundles are frozen: their own constructor sets fields past __setattr__.
_set = object.__setattr__
# Where an array object keeps the address of its data: the first word behind the head of any Python object.
# NumPy's binary interface fixes this place; __array_interface__ takes five times as long for the same number.
_HEAD = object.__basicsize__
_word_at = ctypes.c_size_t.from_address
# NumPy's flags C_CONTIGUOUS and WRITEABLE.
TELLING_FLAGS = 0x0001 | 0x0400


def _marks(value: Any) -> tuple[int, ...]:
    """Return what decides the type of a field's value, in a form that is hashed in no time."""
    if isinstance(value, np.ndarray):
        return value.dtype.num, value.ndim, value.flags.num & TELLING_FLAGS
    return (id(value._numba_type_),)


def _words(value: Any) -> tuple[int, ...]:
    """Return what kernels are told of a field's value: its address, and the shape of an array."""
    if isinstance(value, np.ndarray):
        return _word_at(id(value) + _HEAD).value, *value.shape
    return (value._address,)


class Bundle:
    """What the compiled form of every bundle shares: it looks like the named tuple it was written as."""

    __slots__ = ("_address", "_block", "_layout", "_memory", "_numba_type_")
    _fields: tuple[str, ...]
    _tuple: Any
    _memory: Any
    _address: int
    _block: Any
    _layout: Layout[Any] | None
    _numba_type_: Any

    def __init__(self, *values: Any, **named: Any) -> None:
        together = self._tuple(*values, **named)
        words: list[int] = []
        marks: list[Any] = [type(self)]
        for name, value in zip(self._fields, together, strict=True):
            _set(self, name, value)
            words += _words(value)
            marks += _marks(value)
        key = tuple(marks)
        kind = _known_types.get(key)
        if kind is None:
            kinds = tuple(_field_type(value) for value in together)
            kind = _known_types[key] = BundleType(type(self), kinds)
        self._settle(np.array(words, dtype=np.intp), kind)

    def _settle(
        self, memory: Any, kind: BundleType, block: Any = None, layout: Layout[Any] | None = None
    ) -> None:
        """Set what a bundle is made of, but for the fields; those of a block are made when asked for."""
        _set(self, "_memory", memory)
        _set(self, "_address", _word_at(id(memory) + _HEAD).value)
        _set(self, "_numba_type_", kind)
        _set(self, "_block", block)
        _set(self, "_layout", layout)

    def __getattr__(self, name: str) -> Any:
        """Return a field that nobody asked for so far: Python sees few of those that kernels work on."""
        if name.startswith("_") or self._layout is None or name not in self._layout.places:
            raise AttributeError(f"{type(self).__name__} has no field {name!r}")
        dtype, shape, offset = self._layout.places[name]
        array: Any = np.ndarray(shape, dtype, self._block, offset)
        _set(self, name, array)
        return array

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"{type(self).__name__} cannot change: make another with _replace({name}=...)")

    def __reduce__(self) -> Any:
        return type(self), tuple(self._values)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._values)

    @property
    def _values(self) -> Any:
        """The named tuple of all fields."""
        return self._tuple(*[getattr(self, name) for name in self._fields])

    def _replace(self, **changes: Any) -> Any:
        memory, kind = self._memory.copy(), self._numba_type_
        # What stays is where it was: only changes of the same types are written.
        for name, value in changes.items():
            if name not in kind.places or _marks(value) != _marks(getattr(self, name)):
                return type(self)(*self._values._replace(**changes))
            words, (_, start) = _words(value), kind.places[name]
            memory[start : start + len(words)] = words
        changed = object.__new__(type(self))
        for name in self._fields:
            _set(changed, name, changes[name] if name in changes else getattr(self, name))
        changed._settle(memory, kind)
        return changed

    def _asdict(self) -> Any:
        return self._values._asdict()


def bundle(cls: Class) -> Class:
    """Let kernels receive a named tuple of C-contiguous arrays and of bundles as one pointer."""
    if config.DISABLE_JIT:
        return cls
    written: Any = cls
    body = {
        "__slots__": written._fields,
        "__doc__": cls.__doc__,
        "__module__": cls.__module__,
        "__qualname__": cls.__qualname__,
        "_fields": written._fields,
        "_tuple": cls,
    }
    compiled: Any = type(cls.__name__, (Bundle,), body)
    result: Class = compiled
    return result


class Layout(Generic[Made]):
    """Where the arrays of a bundle lie in one block of memory: laid out once, made as often as needed.

    The arrays of a solver are many and short: one by one they take longer to make than some alphas to solve.

    Parameters
    ----------
    cls : type
        The bundle.
    **fields : tuple
        For each field the type of its array and its lengths.

    Attributes
    ----------
    places : dict
        Type, shape and first byte of every field's array.
    entries : int
        Length of the block, in numbers of eight bytes.
    kind : BundleType
        Type of the bundle; this and what follows only where there is a compiler.
    words : (m,) array
        What kernels are told, with addresses counted from the block's beginning.
    is_address : (m,) array
        1 where a word is an address.
    """

    def __init__(self, cls: type[Made], **fields: tuple[Any, ...]) -> None:
        made: Any = cls
        self.made = made
        if fields.keys() != set(made._fields):
            raise TypeError(f"{cls.__name__} has the fields {made._fields}, got {tuple(fields)}")
        words: list[int] = []
        self.places: dict[str, tuple[Any, tuple[int, ...], int]] = {}
        end = 0
        for name in made._fields:
            dtype, *lengths = fields[name]
            self.places[name] = np.dtype(dtype), tuple(lengths), end
            words += [end, *lengths]
            bytes_used = math.prod(lengths) * np.dtype(dtype).itemsize
            # In whole lines of the cache, so that no two arrays share one.
            end += -(-bytes_used // LINE) * LINE
        self.entries = end // 8
        if config.DISABLE_JIT:
            return
        samples = (np.zeros((1,) * len(shape), dtype) for dtype, shape, _ in self.places.values())
        self.kind = made(*samples)._numba_type_
        self.words = np.array(words, np.intp)
        self.is_address = np.zeros(len(words), np.intp)
        self.is_address[[start for _, start in self.kind.places.values()]] = 1

    def zeros(self) -> Made:
        """Return a bundle of zeros."""
        if config.DISABLE_JIT:
            return self.made(*(np.zeros(shape, dtype) for dtype, shape, _ in self.places.values()))  # type: ignore[no-any-return]
        # From the beginning of a line on: wide reads that cross two lines take two.
        memory = np.zeros(self.entries + LINE // 8)
        begin = -_word_at(id(memory) + _HEAD).value % LINE // 8
        block = memory[begin : begin + self.entries]
        bundled: Any = object.__new__(self.made)
        words = self.words + _word_at(id(block) + _HEAD).value * self.is_address
        bundled._settle(words, self.kind, block, self)
        return bundled  # type: ignore[no-any-return]


class BundleType(types.Type):
    """The type of a bundle: its class and the types of its fields, with the same name in every process."""

    def __init__(self, cls: type, kinds: tuple[Any, ...]) -> None:
        self.instance_class = cls
        self.places = {}
        start = 0
        for name, kind in zip(cls._fields, kinds, strict=True):  # type: ignore[attr-defined]
            self.places[name] = (kind, start)
            # A bundle is an address; an array is an address and its shape.
            start += 1 if isinstance(kind, BundleType) else 1 + kind.ndim
        super().__init__(name=f"{cls.__module__}.{cls.__name__}({' '.join(map(_short_name, kinds))})")


def _short_name(kind: Any) -> str:
    """Name a field's type: the names of all types are in every symbol of the machine code."""
    if isinstance(kind, BundleType):
        return str(kind.name)
    return f"{'' if kind.mutable else 'r'}{kind.dtype}_{kind.ndim}"


# Types by what decides them; they live as long as the process, so that an id in a key stays theirs.
_known_types: dict[tuple[Any, ...], BundleType] = {}


def _field_type(value: Any) -> Any:
    """Return the type of a field's value."""
    from numba.np.numpy_support import from_dtype

    if isinstance(value, Bundle):
        return value._numba_type_
    if not value.flags.c_contiguous:
        raise TypeError("the arrays of a bundle must be C-contiguous")
    return types.Array(from_dtype(value.dtype), value.ndim, "C", readonly=not value.flags.writeable)


register_model(BundleType)(models.OpaqueModel)


@unbox(BundleType)
def _take_address(kind: BundleType, value: Any, c: Any) -> NativeValue:
    address = c.pyapi.object_getattr_string(value, "_address")
    pointer = c.pyapi.long_as_voidptr(address)
    c.pyapi.decref(address)
    return NativeValue(pointer, is_error=c.pyapi.c_api_error())


@infer_getattr
class _Fields(AttributeTemplate):
    key = BundleType

    def generic_resolve(self, kind: BundleType, name: str) -> Any:
        return kind.places[name][0] if name in kind.places else None


def read_word(builder: Any, pointer: Any, place: int, kind: Any) -> Any:
    """Emit code that reads one word of a bundle."""
    words = builder.bitcast(pointer, kind.as_pointer())
    loaded = builder.load(builder.gep(words, [ir.IntType(32)(place)]))
    # Nothing writes to a bundle while a kernel runs: it may be read once, ahead of a loop.
    loaded.set_metadata("invariant.load", builder.module.add_metadata([]))
    return loaded


def describe_array(context: Any, builder: Any, kind: Any, data: Any, lengths: list[Any]) -> Any:
    """Emit numba's description of a C-contiguous array that nobody owns."""
    itemsize = cgutils.intp_t(kind.dtype.bitwidth // 8)
    # No owner: the caller holds the bundle and the bundle its arrays, so that kernels count no references.
    array = ir.Constant(context.get_value_type(kind), None)
    stride, nitems = itemsize, cgutils.intp_t(1)
    for axis in reversed(range(kind.ndim)):
        length = lengths[axis]
        array = builder.insert_value(array, length, [SHAPE, axis])
        array = builder.insert_value(array, stride, [STRIDES, axis])
        is_last = axis == kind.ndim - 1
        nitems = length if is_last else builder.mul(nitems, length)
        if axis > 0:
            stride = builder.mul(stride, length)
    array = builder.insert_value(array, nitems, NITEMS)
    array = builder.insert_value(array, itemsize, ITEMSIZE)
    return builder.insert_value(array, data, DATA)


def read_field(context: Any, builder: Any, pointer: Any, kind: Any, start: int) -> Any:
    """Emit code that puts numba's description of a field's array together."""
    # Addresses are read as what they are: LLVM compares those made from integers less exactly.
    data = read_word(builder, pointer, start, context.get_data_type(kind.dtype).as_pointer())
    lengths = [read_word(builder, pointer, start + 1 + axis, cgutils.intp_t) for axis in range(kind.ndim)]
    return describe_array(context, builder, kind, data, lengths)


@lower_getattr_generic(BundleType)
def _read_attribute(context: Any, builder: Any, kind: BundleType, pointer: Any, name: str) -> Any:
    """Emit code that reads a bundle within a bundle or an array."""
    field, start = kind.places[name]
    if isinstance(field, BundleType):
        return read_word(builder, pointer, start, cgutils.voidptr_t)
    return read_field(context, builder, pointer, field, start)
