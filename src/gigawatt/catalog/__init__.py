"""The catalogue: what the world is like, as data with sources. The only reader of `data/` and of overlays.

`roots` knows where rows stand, `reading` parses and resolves them: an immutable `Catalog`, read as far as it
is asked. `offers` reads price lists. `checking` proves units, ranges, ids and sources of everything in it.
"""

from gigawatt.catalog.checking import Finding, require_plausible
from gigawatt.catalog.reading import Catalog, ModelCard, load_catalog
from gigawatt.catalog.roots import SECTIONS

__all__ = ["SECTIONS", "Catalog", "Finding", "ModelCard", "load_catalog", "require_plausible"]
