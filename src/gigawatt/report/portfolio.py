"""What to own, rent and sign, as far as it is decided now."""

from __future__ import annotations

from dataclasses import replace

from gigawatt.domain.blueprint import Blueprint
from gigawatt.drawings.markup import Markup
from gigawatt.report.elements import paragraph, section, viewed
from gigawatt.views.commitments import handed_texts, portfolio_text, sign_now_table
from gigawatt.views.dates import date_texts


def portfolio_section(blueprint: Blueprint) -> Markup:
    """Cost, proof and what to sign now; nothing where the scenario names no portfolio."""
    answer, table = blueprint.portfolio, sign_now_table(blueprint)
    if answer is None or table is None:
        return Markup()
    parts = [paragraph(portfolio_text(answer), class_="lead")]
    told = (*handed_texts(answer), *(date_texts(answer.dates) if answer.dates else ()))
    parts += [paragraph(text, class_="note") for text in told]
    if table.rows:
        parts.append(viewed(replace(table, notes=())))
    return section("portfolio", "Portfolio", *parts)
