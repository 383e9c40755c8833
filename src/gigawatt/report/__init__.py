"""The self-contained HTML report: `render_report` turns a blueprint into one page that needs no network."""

from gigawatt.report.report import render_report

__all__ = ["render_report"]
