"""The one place that knows how kernels are compiled and where their machine code is kept.

Every kernel is a serial, GIL-free function. Machine code is cached in a private directory whose name hashes
all kernel sources, the versions of numba and llvmlite and the options that change code: an edited kernel, in
whatever file, never meets stale code. One file holds one specialisation and is named by its signature, so
processes that compile at once cannot swap code. Whatever goes wrong with the cache turns it off with one log
line; it never raises. Nothing here runs at import.
See docs/decisions/0002-compile-and-cache-policy.md.
"""

from __future__ import annotations

import hashlib
import logging
import os
import pickle
import stat
import sys
import tempfile
from collections.abc import Callable
from functools import cache, singledispatch, wraps
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
import numpy as np
from llvmlite import ir
from numba.core import config, types
from numba.core.caching import _Cache
from numba.core.compiler import Compiler, CompileResult
from numba.core.serialize import dumps
from numba.extending import intrinsic, overload

logger = logging.getLogger("fastreg")
Function = TypeVar("Function", bound=Callable[..., Any])

# Releases of numba that our compilers were tried with, from the first to before the second: they rest on
# names inside numba.
TRIED = (0, 59), (0, 69)

# Sums may be reordered (4 times faster), NaN and inf keep their meaning: bad input is found by its sums.
REDUCTION = frozenset({"reassoc", "contract", "nsz", "arcp"})


def _source_digest() -> str:
    """Hash everything that decides what machine code comes out of the kernels."""
    digest = hashlib.sha256()
    root = Path(__file__).parent
    own = [root / f"{name}.py" for name in ("_bundle", "_compilers", "_jit", "_lowering", "_passes")]
    for source in [*own, *sorted((root / "kernels").glob("*.py"))]:
        digest.update(source.name.encode())
        digest.update(source.read_bytes())
    switches = (
        config.BOUNDSCHECK,
        config.OPT,
        config.DEBUGINFO_DEFAULT,
        config.CPU_NAME,
        config.CPU_FEATURES,
    )
    import llvmlite

    digest.update(repr((numba.__version__, llvmlite.__version__, sys.version_info[:2], switches)).encode())
    return digest.hexdigest()[:16]


def _cache_root() -> Path:
    """Return the folder that holds all of fastreg's caches; FASTREG_CACHE_DIR comes first."""
    chosen = os.environ.get("FASTREG_CACHE_DIR")
    if chosen:
        return Path(chosen)
    base = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA")
    return (Path(base) if base else Path.home() / ".cache") / "fastreg"


@cache
def _open_directory() -> tuple[Path | None, str]:
    """Make and check the cache directory once; return it with its state in words."""
    try:
        directory = _cache_root() / f"kernels-{_source_digest()}"
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Cache files are pickles: a directory that others may write to could run their code.
        info = directory.stat()
        if hasattr(os, "getuid") and (info.st_uid != os.getuid() or stat.S_IMODE(info.st_mode) & 0o022):
            raise PermissionError(f"{directory} is owned or writable by another user")
        with tempfile.TemporaryFile(dir=directory):
            pass
    except (OSError, RuntimeError) as problem:
        logger.info("fastreg: kernels are not cached on disk (%s)", problem)
        return None, f"off: {problem}"
    return directory, "on"


def cache_directory() -> Path | None:
    """Return the directory that holds this version's machine code, or None when caching is off."""
    return _open_directory()[0]


def cache_state() -> str:
    """Say in words whether kernels are cached and how much is there."""
    directory, state = _open_directory()
    if directory is None:
        return state
    files = list(directory.glob("*.kernel"))
    return f"on: {len(files)} kernels, {sum(f.stat().st_size for f in files) / 1e6:.1f} MB"


def clear_cache() -> int:
    """Delete the cached machine code of every version of fastreg; return the number of files removed."""
    removed = 0
    root = _cache_root()
    for file in root.glob("kernels-*/*.kernel") if root.is_dir() else ():
        file.unlink(missing_ok=True)
        removed += 1
    return removed


class KernelCache(_Cache):
    """Keep one kernel's specialisations on disk, one file each; failures mean a fresh compilation."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._name = f"{function.__module__}.{function.__qualname__}"
        self._on = True

    @property
    def cache_path(self) -> str:
        return str(cache_directory() or "")

    def enable(self) -> None:
        self._on = True

    def disable(self) -> None:
        self._on = False

    def flush(self) -> None:
        """Forget nothing: the directory's name changes with the sources."""

    def _file(self, sig: Any, codegen: Any) -> Path | None:
        directory = cache_directory() if self._on else None
        if directory is None:
            return None
        key = repr((self._name, str(sig), codegen.magic_tuple()))
        return (
            directory
            / f"{self._name.rsplit('.', 1)[-1]}-{hashlib.sha256(key.encode()).hexdigest()[:24]}.kernel"
        )

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Return the compiled specialisation from disk, or None."""
        file = self._file(sig, target_context.codegen())
        if file is None or not file.exists():
            return None
        try:
            # Registers what cached code refers to; without it a fresh process cannot link.
            target_context.refresh()
            return CompileResult._rebuild(target_context, *pickle.loads(file.read_bytes()))
        except Exception as problem:  # noqa: BLE001 -- a damaged file must cost one compilation, never an answer
            logger.info("fastreg: cached kernel %s is unusable (%s): compiled again", file.name, problem)
            return None

    def save_overload(self, sig: Any, data: Any) -> None:
        """Write the specialisation under a temporary name, then rename: readers never see half a file."""
        file = self._file(sig, data.codegen if hasattr(data, "codegen") else data.library.codegen)
        if file is None:
            return
        try:
            with tempfile.NamedTemporaryFile(dir=file.parent, delete=False) as partial:
                partial.write(dumps(data._reduce()))
            os.replace(partial.name, file)
        except Exception as problem:  # noqa: BLE001 -- disk full, directory gone: the kernel itself is fine
            logger.info("fastreg: kernel %s was not cached (%s)", file.name, problem)
            self._on = False


def _compilers() -> tuple[Any, Any]:
    """Return the compilers of kernels and of parts: ours, or numba's own where ours were never tried."""
    release = tuple(int(part) for part in numba.__version__.split(".")[:2])
    if TRIED[0] <= release < TRIED[1]:
        try:
            from ._compilers import KernelCompiler, PartCompiler
        except (ImportError, AttributeError) as problem:
            logger.info("fastreg: kernels are compiled by numba alone (%s)", problem)
        else:
            return KernelCompiler, PartCompiler
    else:
        logger.info("fastreg: kernels are compiled by numba %s alone: slower, the same", numba.__version__)
    return Compiler, Compiler


KERNEL_COMPILER, PART_COMPILER = _compilers()
COMMON = {"nogil": True, "error_model": "numpy", "no_cfunc_wrapper": True}
AS_KERNEL = COMMON | {"pipeline_class": KERNEL_COMPILER}
AS_PART = COMMON | {"no_cpython_wrapper": True, "pipeline_class": PART_COMPILER}


def kernel(function: Function) -> Function:
    """Compile a kernel on its first call from Python: no GIL, IEEE division, sums in any order."""
    if config.DISABLE_JIT:
        return _interpreted(function)
    compiled: Any = numba.njit(function, fastmath=set(REDUCTION), **AS_KERNEL)
    compiled._cache = KernelCache(function)
    result: Function = compiled
    return result


def part(function: Function) -> Function:
    """Compile a part of kernels, with the first kernel that calls it; Python cannot call it."""
    return _part(function, fastmath=set(REDUCTION))


def exact_part(function: Function) -> Function:
    """Compile a part whose operations keep their written order: certificates."""
    return _part(function, fastmath=False)


def fused_part(function: Function) -> Function:
    """Compile a part whose operations keep their order, products and sums fused where they can."""
    return _part(function, fastmath={"contract"})


def _part(function: Function, fastmath: Any) -> Function:
    if config.DISABLE_JIT:
        return function
    compiled: Any = numba.njit(function, fastmath=fastmath, **AS_PART)
    result: Function = compiled
    return result


def _interpreted(function: Function) -> Function:
    """Run a kernel as plain Python, silent on overflow as its compiled form is."""

    @wraps(function)
    def run(*arguments: Any) -> Any:
        with np.errstate(all="ignore"):
            return function(*arguments)

    result: Any = run
    return cast(Function, result)


# Numbers up to 2^51 in size are rounded to integers by adding this and taking it off again: 1.5 * 2^52.
MAGIC = 6755399441055744.0


def _power_of_two(context: Any, k: Any) -> Any:
    """Write the exponent's bits of 2^k: an operation of several numbers at once, which a call never is."""

    def write(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        double, word = ir.DoubleType(), ir.IntType(64)
        # The last bits of k + MAGIC hold k.
        bits = builder.bitcast(builder.fadd(arguments[0], ir.Constant(double, MAGIC)), word)
        biased = builder.add(bits, ir.Constant(word, 1023))
        return builder.bitcast(builder.shl(biased, ir.Constant(word, 52)), double)

    return types.float64(types.float64), write


def _power_of_two_in_python(k: float) -> float:
    """Return 2^k for an integer -1022 <= k <= 1023 that is held as a float."""
    return float(2.0**k)


power_of_two: Any = _power_of_two_in_python if config.DISABLE_JIT else intrinsic(_power_of_two)


class Verb:
    """A function chosen by the class of its first argument, in Python and in compiled code alike.

    Members are bundles of arrays. Under NUMBA_DISABLE_JIT the same sources run as plain Python.
    """

    def __init__(self, stub: Callable[..., Any]) -> None:
        self.members: dict[type, Callable[..., Any]] = {}
        self.function = singledispatch(stub)

    def choose(self, first: Any) -> Callable[..., Any] | None:
        """Return the member for a numba type, None where there is none."""
        return self.members.get(getattr(first, "instance_class", type(None)))

    def register(self, cls: type) -> Callable[[Function], Function]:
        """Add the member for one class of first arguments."""

        def add(implementation: Function) -> Function:
            self.members[cls] = implementation
            self.function.register(cls)(implementation)
            return implementation

        return add


def verb(stub: Callable[..., Any]) -> Any:
    """Turn a stub into a generic function; give it members with ``stub.member(Class)``."""
    generic = Verb(stub)
    options = {"fastmath": set(REDUCTION), **AS_PART}

    def resolve(first: Any, *rest: Any) -> Any:
        return generic.choose(first)

    # strict=False: members name their first argument after their class.
    overload(generic.function, jit_options=options, strict=False)(resolve)
    generic.function.member = generic.register  # type: ignore[attr-defined]
    return generic.function
