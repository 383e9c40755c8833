"""The vocabulary: frozen records with their invariants."""
