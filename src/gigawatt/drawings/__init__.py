"""Pictures of designs as SVG: one file per drawing, no plotting library. Surfaces embed or save them as they are."""
