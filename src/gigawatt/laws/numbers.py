"""The type of what a law takes and returns: a float or an array, by broadcasting."""

from __future__ import annotations

from typing import Any, TypeAlias

Number: TypeAlias = Any
"""A float, an int or a numpy array. Python cannot say "the same shape as the broadcast of my arguments"."""
