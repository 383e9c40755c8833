"""Predicted against measured: one's own runs or published ones, cross-validation, and likely causes."""
