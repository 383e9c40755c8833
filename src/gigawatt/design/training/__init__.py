"""Training: how a model is laid out over accelerators, how long its step takes, and which layout is best."""
