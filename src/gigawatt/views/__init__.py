"""Domain artefacts as labelled tables and text. Surfaces print what stands here."""
