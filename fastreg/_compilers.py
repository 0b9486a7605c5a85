"""What numba does differently for kernels: one compiler for what Python calls, one for the parts below.

numba optimises every function and turns it into machine code at every level of calls, counts references to
arrays, and looks for what was registered lately before each function. A part is typed and written once, and
kernels take it in.
See docs/decisions/0002-compile-and-cache-policy.md.
"""

from __future__ import annotations

import ctypes
import gc
from typing import Any

from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import CompilerBase

from ._passes import passes


class _PartLibrary(JITCodeLibrary):
    """The code of a part: kept as it was written, for kernels to take in, and never run by itself."""

    def _optimize_functions(self, ll_module: Any) -> None:
        """Leave it to the kernel that the part ends up in."""
        ll_module.data_layout = self._codegen._data_layout

    def finalize(self) -> None:
        """Let several kernels have the code; what it calls they find by themselves."""
        for function in self._final_module.functions:
            if not function.is_declaration:
                function.linkage = "linkonce_odr"
        self._shared_module = self._final_module
        self._finalized = True

    @property
    def codegen(self) -> Any:
        return _Silent(self._codegen)

    def get_pointer_to_function(self, name: str) -> int:
        self._ensure_finalized()
        # Who calls a part from Python gets a TypeError.
        return ctypes.cast(ctypes.pythonapi.PyErr_BadArgument, ctypes.c_void_p).value or 0


class _Silent:
    """A code generator without a place for a part's environment: that serves Python objects only."""

    def __init__(self, codegen: Any) -> None:
        self._codegen = codegen

    def __getattr__(self, name: str) -> Any:
        return getattr(self._codegen, name)

    def set_env(self, name: str, env: Any) -> None:
        """Do nothing."""


class _KernelLibrary(JITCodeLibrary):
    """The code of a kernel with all parts below it."""

    def finalize(self) -> None:
        """Take in what the kernel calls, and what that calls; then optimise and emit all of it at once."""
        libraries = self._linking_libraries
        for library in libraries:
            # The list grows while it is read.
            libraries += [each for each in library._linking_libraries if each not in libraries]
        super().finalize()

    def _optimize_final_module(self) -> None:
        # numba's first round gathers counts of references to cancel them: kernels have none.
        manager = self._codegen._module_pass_manager()
        # Older releases of numba have LLVM's earlier pass manager, which needs no builder.
        manager, *builder = manager if isinstance(manager, tuple) else (manager,)
        manager.run(self._final_module, *builder)


class _Refreshed:
    """A context of numba's that need not look again for what was registered."""

    def __init__(self, context: Any) -> None:
        self._context = context

    def __getattr__(self, name: str) -> Any:
        return getattr(self._context, name)

    def refresh(self) -> None:
        """Do nothing."""


class _Compiler(CompilerBase):
    """A compiler with the passes of kernels."""

    _library: Any

    def define_pipelines(self) -> list[Any]:
        """Return the passes; prepare where the code is put."""
        state = self.state
        # Nothing is allocated and no argument outlives a call: there are no references to count.
        state.flags.nrt = False
        state.targetctx = state.targetctx.subtarget(enable_nrt=False)
        state.library = self._library(state.targetctx.codegen(), state.func_id.func_qualname)
        return [passes(state)]


class PartCompiler(_Compiler):
    """Compiles what only kernels call."""

    _library = _PartLibrary

    def __init__(self, typing_context: Any, target_context: Any, *rest: Any) -> None:
        # The kernel that a part is compiled for has looked.
        super().__init__(_Refreshed(typing_context), _Refreshed(target_context), *rest)
        self.state.typingctx = typing_context


class KernelCompiler(_Compiler):
    """Compiles what Python calls."""

    _library = _KernelLibrary

    def compile_extra(self, function: Any) -> Any:
        """Compile a kernel and its parts without collecting garbage: next to nothing of it is any."""
        is_on = gc.isenabled()
        gc.disable()
        try:
            return super().compile_extra(function)
        finally:
            if is_on:
                gc.enable()

    def define_pipelines(self) -> list[Any]:
        """Return the passes; the cache wants the machine code."""
        passes_of_kernels = super().define_pipelines()
        self.state.library.enable_object_caching()
        return passes_of_kernels
