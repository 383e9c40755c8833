"""Pictures of designs as SVG, one file per drawing. Surfaces embed or save them as they are."""
