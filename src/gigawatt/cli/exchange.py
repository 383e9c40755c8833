"""export, import layout, import pypsa, report, diff."""

from __future__ import annotations

from pathlib import Path

import click

from gigawatt.cli.arguments import MOST_ACCELERATORS, count, overlay_option
from gigawatt.cli.terminal import Terminal, speaking


@click.command()
@click.argument("target")
@click.argument("directory", type=click.Path(path_type=Path), metavar="DIR")
@click.option("-o", "out", required=True, type=click.Path(path_type=Path), metavar="PATH", help="Where to.")
@click.option("--run", "run_name", metavar="NAME", help="Which run of the plan, where it has several.")
@click.option("--cluster", metavar="NAME", help="Which owned cluster of the plan, where it has several.")
@overlay_option
@speaking
def export(
    terminal: Terminal,
    target: str,
    directory: Path,
    out: Path,
    run_name: str | None,
    cluster: str | None,
    overlays: tuple[Path, ...],
) -> int:
    """Write what TARGET takes in, for a layout or an owned cluster of the plan in DIR.

    Of the layout that the plan decided for: megatron-lm, torchtitan, torchtitan-toml.

    Of an owned cluster: slurm, slurm-block, slurm-yaml, netbox, nccl, astra-sim, simai, graphml, bill,
    cables, ports, pandapower, drawings.

    Of an energy site, whose file then stands for DIR: pypsa.
    """
    from gigawatt.project.handover import NOTES, export_plan, write_files

    files = export_plan(directory, target, run_name, cluster, overlays)
    notes = [line.strip() for line in files.get(NOTES, ())]
    written = write_files(files, out)
    for path in written:
        terminal.say(f"wrote {path}")
    for note in notes:
        terminal.note(note)
    found = {"target": target, "files": [str(path) for path in written]}
    terminal.result("export", found | ({"notes": notes} if notes else {}))
    return 0


@click.command("layout")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--gpus", type=count(MOST_ACCELERATORS), metavar="N", help="Accelerators, if FILE does not say."
)
@click.option("--layers", type=count(MOST_ACCELERATORS), metavar="N", help="Layers, if FILE does not say.")
@speaking
def import_layout(terminal: Terminal, file: Path, gpus: int | None, layers: int | None) -> int:
    """Read the layout in FILE: a Megatron-LM or torchtitan command line, launch script or job file."""
    from gigawatt.documents import read_text
    from gigawatt.exports import import_layout as read_layout
    from gigawatt.views.training import layout_text

    found = read_layout(read_text(file), str(file), gpus or 0, layers or 0)
    terminal.say(layout_text(found.layout))
    for noun, said in (("job", found.job), ("model", found.model)):
        if said:
            terminal.note(f"{noun}: " + ", ".join(f"{key} {value}" for key, value in said.items()))
    for note in found.notes:
        terminal.note(f"note: {note}")
    terminal.result("import-layout", found.model_dump())
    return 0


@click.command("pypsa")
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False), metavar="FOLDER")
@click.option(
    "-o", "out", required=True, type=click.Path(path_type=Path), metavar="SITE.yaml", help="Where to."
)
@speaking
def import_pypsa(terminal: Terminal, folder: Path, out: Path) -> int:
    """Read a PyPSA network of a campus, a folder of CSV files, as an energy site.

    Hours and catalogue are written beside SITE.yaml. Whatever finds no place in it is listed.
    """
    from gigawatt.project.energy import import_network

    written, notes = import_network(folder, out)
    for path in written:
        terminal.say(f"wrote {path}")
    for note in notes:
        terminal.note(note)
    terminal.result("import-pypsa", {"files": [str(path) for path in written], "notes": list(notes)})
    return 0


@click.command()
@click.argument("directory", type=click.Path(path_type=Path), metavar="DIR")
@speaking
def report(terminal: Terminal, directory: Path) -> int:
    """Draw the report of the plan in DIR again: one HTML file that needs no network."""
    from gigawatt.project.handover import draw_report

    path = draw_report(directory)
    terminal.say(f"wrote {path}")
    terminal.result("report", {"report": str(path)})
    return 0


@click.command()
@click.argument("before", type=click.Path(path_type=Path), metavar="DIR")
@click.argument("after", type=click.Path(path_type=Path), metavar="DIR")
@speaking
def diff(terminal: Terminal, before: Path, after: Path) -> int:
    """Show what changed between two plans: in what went in, and in what came out."""
    from gigawatt.project.comparison import compare_plans
    from gigawatt.views.comparison import comparison_tables

    comparison = compare_plans(before, after)
    for table in comparison_tables(comparison):
        terminal.table(table)
    terminal.result("diff", comparison.model_dump())
    return 0
