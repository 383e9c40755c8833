"""contract portfolio, contract import."""

from __future__ import annotations

from pathlib import Path

import click

from gigawatt.cli.terminal import Terminal, speaking, write_table

_FILE = click.Path(path_type=Path)


@click.command()
@click.argument("scenario", metavar="SCENARIO.yaml", type=_FILE)
@click.option("--plan-only", is_flag=True, help="The plan and its proof; no worth of offers, no what-ifs.")
@click.option("--save", type=_FILE, metavar="FILE.json", help="Write the portfolio, whole.")
@click.option(
    "--audit", type=_FILE, metavar="FILE.json", help="Plan nothing: add up a saved portfolio again."
)
@click.option("--out", metavar="FILE", help="Write what to sign to FILE.csv or FILE.parquet.")
@speaking
def portfolio(
    terminal: Terminal,
    scenario: Path,
    plan_only: bool,
    save: Path | None,
    audit: Path | None,
    out: str | None,
) -> int:
    """What to own, rent and sign, and when; what every offer is worth.

    Where places or offers of power name a construction project, its dates are drawn and planned with.
    """
    from gigawatt.errors import InfeasibleError
    from gigawatt.project import portfolio as project
    from gigawatt.views import portfolio as views

    if audit:
        return _audit(terminal, scenario, audit)
    try:
        with terminal.progress() as show:
            plan, clock = project.plan_roadmap(scenario, not plan_only, show)
    except InfeasibleError as error:
        return terminal.infeasible("contract-portfolio", error, {"scenario": str(scenario)})
    if save:
        project.save_portfolio(save, plan)
    for table in views.portfolio_tables(plan):
        terminal.table(table)
    if out:
        write_table(out, views.signed_table(plan))
    for line in views.portfolio_notes(plan):
        terminal.note(line)
    terminal.result("contract-portfolio", views.portfolio_json(plan, clock.build_s, clock.solve_s))
    return 0 if plan.audit.holds else 1


def _audit(terminal: Terminal, scenario: Path, saved: Path) -> int:
    from gigawatt.project.portfolio import audit_file
    from gigawatt.views.portfolio import audit_table

    audit = audit_file(scenario, saved)
    terminal.table(audit_table(audit))
    terminal.result("contract-audit", audit.model_dump(mode="json") | {"holds": audit.holds})
    return 0 if audit.holds else 1


@click.command("import")
@click.argument("file", metavar="FILE", type=_FILE)
@click.option(
    "--provider", default="", metavar="NAME", help="Whose prices they are, where the file does not say."
)
@click.option(
    "--date", default="", metavar="DATE", help="Of the prices; else the day the file was last changed."
)
@click.option(
    "--out",
    type=_FILE,
    metavar="FILE.csv",
    help="Write the offers in our own columns, as an overlay takes them.",
)
@speaking
def import_prices(terminal: Terminal, file: Path, provider: str, date: str, out: Path | None) -> int:
    """Read a price list: SkyPilot catalog, gpuhunt, FOCUS billing, or our own columns.

    Every line is used or named with the reason why not.
    """
    from gigawatt.documents import write_atomic
    from gigawatt.project import portfolio as project
    from gigawatt.views import portfolio as views

    found = project.import_offers(file, provider, date)
    terminal.table(views.shown(views.price_table(found), "more offers; --out writes all"))
    for line in views.price_notes(found, terminal.verbose):
        terminal.note(line)
    if out:
        write_atomic(out, project.offers_csv(found.offers))
    terminal.result("contract-import", found.model_dump(mode="json"))
    return 0
