"""The report: one HTML page with everything in it, so that it can be mailed, archived and printed."""

from __future__ import annotations

import base64
import hashlib
from html import escape
from importlib.resources import files
from string import Template

from gigawatt.domain.blueprint import Blueprint
from gigawatt.drawings.markup import Markup, element, join
from gigawatt.report import appendix
from gigawatt.report.clusters import cluster_section
from gigawatt.report.decision import decision_section
from gigawatt.report.elements import paragraph
from gigawatt.report.portfolio import portfolio_section
from gigawatt.report.run import run_section


def _part(name: str) -> str:
    return (files(__package__) / name).read_text(encoding="utf-8")


def _allowed(text: str) -> str:
    """The name by which a content security policy lets exactly this inline style or script in."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _header(blueprint: Blueprint, title: str) -> Markup:
    places = [
        ("#decision", "Decision"),
        *((f"#run-{index}", f"Run {run.id}") for index, run in enumerate(blueprint.runs)),
        *((f"#cluster-{index}", f"Cluster {plan.cluster}") for index, plan in enumerate(blueprint.clusters)),
        *([("#portfolio", "Portfolio")] if blueprint.portfolio else []),
        *([("#calendar", "Calendar")] if blueprint.calendar else []),
        ("#assumptions", "Assumptions and facts"),
        ("#sources", "Sources"),
        ("#conventions", "Conventions"),
        ("#digests", "Digests"),
    ]
    links = element("ul", *[element("li", element("a", text, href=target)) for target, text in places])
    num_runs, num_options = len(blueprint.runs), sum(len(run.options) for run in blueprint.runs)
    lead = (
        f"{num_runs} training run{'s' if num_runs != 1 else ''}, {num_options} options compared, "
        f"costs in {blueprint.currency}."
    )
    return element(
        "header",
        element("h1", title),
        paragraph(lead, class_="lead"),
        element("nav", links, aria_label="On this page"),
    )


def render_report(blueprint: Blueprint) -> str:
    """The blueprint as one self-contained HTML page: no network, nothing beside it, light, dark and on paper.

    The same blueprint gives the same bytes. All text is escaped, and the page's content security policy lets
    in only its own style and script (by hash) and nothing from anywhere else.
    """
    title = blueprint.title or "Training plan"
    style, script = _part("style.css"), _part("script.js")
    sections = [
        decision_section(blueprint),
        *(run_section(blueprint, index) for index in range(len(blueprint.runs))),
        *(cluster_section(blueprint, index) for index in range(len(blueprint.clusters))),
        portfolio_section(blueprint),
        appendix.calendar_section(blueprint),
        appendix.assumptions_section(blueprint),
        appendix.sources_section(blueprint),
        appendix.conventions_section(blueprint),
        appendix.digests_section(blueprint),
    ]
    return Template(_part("page.html")).substitute(
        title=escape(title),
        style=style,
        script=script,
        style_hash=_allowed(style),
        script_hash=_allowed(script),
        header=_header(blueprint, title),
        sections=join(sections, "\n"),
        tool_version=escape(blueprint.tool_version),
        digest=escape(blueprint.digest),
    )
