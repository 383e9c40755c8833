"""Each formula once: numbers in, numbers out, unit in every name, its source in its docstring."""
