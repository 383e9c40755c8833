"""Composes the acts: a scenario file becomes a plan directory, and every figure in it can be traced back."""

from gigawatt.project.directory import PlanDirectory
from gigawatt.project.explanation import explain_figure
from gigawatt.project.plan import Plan, plan_scenario

__all__ = ["Plan", "PlanDirectory", "explain_figure", "plan_scenario"]
