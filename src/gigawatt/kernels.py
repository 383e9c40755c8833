"""Compiles plain functions together with everything of gigawatt's that they call.

Laws and cost functions are ordinary Python that serves numbers and arrays. A kernel needs the same
arithmetic on scalars, millions of times a second: `compiled` clones a function and, through its globals,
every gigawatt function that it reaches, and hands the clones to numba. The originals stay what they are,
and no formula is written twice.

Compiled code is kept in the user's cache directory under a digest of all that it was made from: the
bytecode of every function reached and the value of every constant. A changed law therefore never meets an
old kernel.
"""

from __future__ import annotations

import dis
import hashlib
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from itertools import pairwise
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

PACKAGE = __name__.partition(".")[0]
OPTIONS: dict[str, Any] = {"error_model": "numpy", "nogil": True}
"""Division by zero gives infinity, as in numpy; never fastmath: results must not depend on the machine."""
INLINED: dict[str, Any] = {"forceinline": True}
"""Of a small kernel, all in one piece; one of a hundred functions would take minutes to compile."""

INNER: dict[str, Any] = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
"""Of a function that only kernels call: it needs no way in from Python, which takes long to compile."""
BORROWS: dict[str, Any] = {"_nrt": False}
"""Of a kernel that makes no arrays of its own: nobody counts who holds those that it was given."""


@cache
def compiled(function: Callable[..., Any], allocates: bool = True, inline: bool = True) -> Any:
    """The compiled function: same arguments, same result. Compiles at the first call with new argument types.

    What `numpy` does for arrays is done for scalars: `np.where`, `np.minimum` and the like become plain
    comparisons. Where neither the function nor what it calls makes an array, `allocates=False` spares it the
    counting of references, which costs a loop over a tuple of many arrays nine tenths of its time; an array
    that is made after all is an error of compilation. `inline=False` leaves it to the compiler which calls to
    inline: for loops of many functions.
    """
    options = OPTIONS | (INLINED if inline else {}) | ({} if allocates else BORROWS)
    return _Compiler(options).dispatcher(function, True)


class _Compiler:
    """One compilation: each function reached is cloned once."""

    def __init__(self, options: dict[str, Any]) -> None:
        self._options = options
        self._jitted: dict[FunctionType, Any] = {}
        self._trace: list[str] = []

    def dispatcher(self, function: Callable[..., Any], cached: bool = False) -> Any:
        import numba

        assert isinstance(function, FunctionType)
        if function not in self._jitted:
            clone = self._clone(function)
            directory = _cache_directory(f"{self._options}\n" + "\n".join(self._trace)) if cached else None
            options = self._options if cached else self._options | INNER
            with _caching_in(directory):
                self._jitted[function] = numba.njit(cache=directory is not None, **options)(clone)
        return self._jitted[function]

    def _clone(self, function: FunctionType) -> FunctionType:
        self._trace.append(f"{function.__module__}.{function.__qualname__} {_code_text(function.__code__)}")
        self._trace.append(repr(function.__defaults__))
        own = {
            name: self._value(name, function.__globals__[name], attributes)
            for name, attributes in _globals(function.__code__).items()
            if name in function.__globals__
        }
        space = {"__name__": function.__module__, "__builtins__": __builtins__, **own}
        return FunctionType(
            function.__code__, space, function.__name__, function.__defaults__, function.__closure__
        )

    def _value(self, name: str, value: Any, attributes: set[str]) -> Any:
        """What a global name of a function stands for in its clone; of a module, with these attributes."""
        if isinstance(value, FunctionType) and value.__module__.partition(".")[0] == PACKAGE:
            return self.dispatcher(value)
        if isinstance(value, ModuleType):
            return self._module(value, attributes)
        if callable(value):
            home, fields = getattr(value, "__module__", ""), getattr(value, "_fields", "")
            self._trace.append(f"{name} = {home}.{value.__name__} {fields}")
        else:
            self._trace.append(f"{name} = {value!r}")
        return value

    def _module(self, module: ModuleType, names: set[str]) -> ModuleType:
        """A module with what the function uses of it: laws compiled, numpy's functions for scalars."""
        import numpy as np

        special = _scalar_numpy() if module is np else {}
        twin = ModuleType(module.__name__)
        for name in sorted(names):
            known = special.get(name) or self._value(name, getattr(module, name), set())
            setattr(twin, name, known)
        return twin


@cache
def _scalar_numpy() -> dict[str, Any]:
    """What numpy offers for arrays, on scalars."""
    import numba

    def where(condition, yes, no):  # type: ignore[no-untyped-def]
        return yes if condition else no

    def minimum(a, b):  # type: ignore[no-untyped-def]
        return a if a < b else b

    def maximum(a, b):  # type: ignore[no-untyped-def]
        return a if a > b else b

    def clip(value, low, high):  # type: ignore[no-untyped-def]
        return min(max(value, low), high)

    def asarray(value):  # type: ignore[no-untyped-def]
        return value

    plain = (where, minimum, maximum, clip, asarray)
    return {one.__name__: numba.njit(**OPTIONS, **INLINED)(one) for one in plain}


def _globals(code: CodeType) -> dict[str, set[str]]:
    """Every name that a function looks up outside of itself, with the attributes it asks of each."""
    found: dict[str, set[str]] = {}
    for one, following in pairwise(dis.get_instructions(code)):
        if one.opname in ("LOAD_GLOBAL", "LOAD_NAME"):
            attributes = found.setdefault(one.argval, set())
            if following.opname in ("LOAD_ATTR", "LOAD_METHOD"):
                attributes.add(following.argval)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            for name, attributes in _globals(constant).items():
                found.setdefault(name, set()).update(attributes)
    return found


def _code_text(code: CodeType) -> str:
    constants = [_code_text(one) if isinstance(one, CodeType) else repr(one) for one in code.co_consts]
    return f"{code.co_code.hex()} {code.co_names} {code.co_varnames} {constants}"


def cache_root() -> Path:
    """Where compiled kernels are kept: `GIGAWATT_CACHE_DIR`, else the user's cache directory."""
    named = os.environ.get("GIGAWATT_CACHE_DIR")
    if named:
        return Path(named)
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / PACKAGE


def _cache_directory(trace: str) -> Path | None:
    """The directory for kernels made from what `trace` describes; None where it cannot be written."""
    import numba

    made_from = f"{sys.version} {numba.__version__}\n{trace}"
    directory = cache_root() / "kernels" / hashlib.sha256(made_from.encode()).hexdigest()[:16]
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=directory):
            return directory
    except OSError:
        return None


@contextmanager
def _caching_in(directory: Path | None) -> Iterator[None]:
    """numba reads its cache directory when a function is decorated; others' functions keep theirs."""
    from numba.core import config as numba_config

    config: Any = numba_config
    before = config.CACHE_DIR
    config.CACHE_DIR = str(directory) if directory else before
    try:
        yield
    finally:
        config.CACHE_DIR = before
