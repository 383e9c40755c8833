"""The catalogue: what the world is like, as data with sources. The only reader of `data/` and of overlays.

`reading` finds, parses and resolves: an immutable `Catalog`, read as far as it is asked. `offers` reads price
lists. `checking` proves units, ranges, ids and sources of everything in it.
"""

from gigawatt.catalog.checking import Finding
from gigawatt.catalog.reading import SECTIONS, Catalog, ModelCard, load_catalog

__all__ = ["SECTIONS", "Catalog", "Finding", "ModelCard", "load_catalog"]
