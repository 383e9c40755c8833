"""Predicted against measured: one's own runs or published ones, cross-validation, and what the gap is likely due to."""
