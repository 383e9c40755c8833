"""gigawatt designs, contracts and operates AI compute."""

__version__ = "0.1.0"
