"""Named tuples handed to a compiled kernel by reference.

numba passes a tuple as all of its members, and an array as seven numbers: a state of thirty tables would make
each of a hundred functions one of two hundred arguments, which takes minutes to compile. A `Handle` is one
pointer; in the kernel it reads like the tuple that it holds. For kernels that make no arrays of their own
(`kernels.compiled(..., allocates=False)`): nobody counts who holds the tuple's arrays while one runs.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.core.datamodel import models
from numba.core.typing.templates import AttributeTemplate
from numba.extending import (
    NativeValue,
    infer_getattr,
    lower_getattr_generic,
    register_model,
    typeof_impl,
    unbox,
)


class Handle:
    """A named tuple of arrays, numbers and further such tuples, to be passed to a compiled kernel."""

    __slots__ = ("held",)

    def __init__(self, held: Any) -> None:
        self.held = held


class HandleType(types.Type):
    """What a kernel knows of a handle: the names and types of what it holds."""

    def __init__(self, held: Any) -> None:
        self.held = held
        self.fields = tuple(held.fields)
        is_tuple = [isinstance(one, types.NamedTuple) for one in held.types]
        self.members = tuple(
            HandleType(one) if nested else one for one, nested in zip(held.types, is_tuple, strict=True)
        )
        super().__init__(name=f"Handle({held})")


@typeof_impl.register(Handle)
def _type_of(handle: Handle, context: Any) -> HandleType:
    return HandleType(typeof_impl(handle.held, context))


def _layout(manager: Any, handle: HandleType) -> Any:
    parts = [
        _layout(manager, one) if isinstance(one, HandleType) else manager.lookup(one).get_value_type()
        for one in handle.members
    ]
    return ir.LiteralStructType(parts)


@register_model(HandleType)
class _HandleModel(models.PrimitiveModel):
    def __init__(self, manager: Any, handle: HandleType) -> None:
        super().__init__(manager, handle, _layout(manager, handle).as_pointer())


@infer_getattr
class _HandleAttribute(AttributeTemplate):
    key = HandleType

    def generic_resolve(self, handle: HandleType, name: str) -> Any:
        return handle.members[handle.fields.index(name)] if name in handle.fields else None


@lower_getattr_generic(HandleType)
def _member(_context: Any, builder: Any, handle: HandleType, pointer: Any, name: str) -> Any:
    place = cgutils.gep_inbounds(builder, pointer, 0, handle.fields.index(name))
    is_handle = isinstance(handle.members[handle.fields.index(name)], HandleType)
    return place if is_handle else builder.load(place)


@unbox(HandleType)
def _unbox(handle: HandleType, value: Any, c: Any) -> NativeValue:
    place = cgutils.alloca_once(c.builder, _layout(c.context.data_model_manager, handle))
    held = c.pyapi.object_getattr_string(value, "held")
    _fill(handle, held, place, c)
    c.pyapi.decref(held)
    return NativeValue(place, is_error=cgutils.is_not_null(c.builder, c.pyapi.err_occurred()))


def _fill(handle: HandleType, held: Any, place: Any, c: Any) -> None:
    for number, member in enumerate(handle.members):
        item = c.pyapi.tuple_getitem(held, number)
        into = cgutils.gep_inbounds(c.builder, place, 0, number)
        if isinstance(member, HandleType):
            _fill(member, item, into, c)
        else:
            c.builder.store(c.unbox(member, item).value, into)
