"""One fleet at work: its state, its policies and its figures, be its world played back, made up or real."""

from gigawatt.operate.replay import replay_jobs

__all__ = ["replay_jobs"]
