"""calibrate training, device."""

from __future__ import annotations

from pathlib import Path

import click

from gigawatt.cli.arguments import overlay_option
from gigawatt.cli.terminal import Terminal, speaking

_OUT = click.option(
    "-o", "--out", required=True, metavar="OVERLAY", help="The overlay to write; use it with --overlay."
)


@click.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@_OUT
@overlay_option
@speaking
def training(terminal: Terminal, files: tuple[Path, ...], out: str, overlays: tuple[Path, ...]) -> int:
    """Fit step times to measured training runs of your own, on top of what the catalogue knows.

    FILE is a CSV with one run a line, as `validate training` reads it. Few runs shift only what they inform.
    """
    from gigawatt.catalog import load_catalog
    from gigawatt.documents import write_atomic
    from gigawatt.validation.calibrate import calibrate_training, fit_text
    from gigawatt.views.validation import moved_table

    catalogue = load_catalog(overlays)
    before = catalogue.training_calibration().fit
    fit = calibrate_training(files, catalogue)
    write_atomic(out, fit_text(fit))
    terminal.table(moved_table(before, fit))
    terminal.say(f"{out}: {fit.note}")
    terminal.result("calibrate-training", {"overlay": out, "fit": fit.model_dump(mode="json")})
    return 0


@click.command()
@click.argument("accelerator", metavar="ID")
@_OUT
@click.option("--index", type=click.IntRange(0), default=0, show_default=True, help="Which CUDA device.")
@click.option("--date", metavar="DAY", help='The day of the measurement, such as "2026-11-20"; else today.')
@overlay_option
@speaking
def device(
    terminal: Terminal, accelerator: str, out: str, index: int, date: str | None, overlays: tuple[Path, ...]
) -> int:
    """Measure the CUDA device at hand, which the catalogue calls ID, with PyTorch (an optional extra)."""
    import datetime

    from gigawatt.catalog import load_catalog
    from gigawatt.design.device import device_overlay, measure_device
    from gigawatt.documents import write_atomic
    from gigawatt.units import format_quantity

    row = load_catalog(overlays).accelerator(accelerator)
    measured = measure_device(index)
    day = date or datetime.datetime.now(datetime.UTC).date().isoformat()
    write_atomic(out, device_overlay(measured, row, day))
    terminal.say(f"{out}: {measured.device}, {measured.software}")
    for name in sorted({one.number_format for one in measured.products}):
        rate = measured.best_flop_per_s(name)
        terminal.say(f"best matrix product in {name}: {format_quantity(rate, '_flop_per_s')}")
    terminal.say(f"memory to itself: {format_quantity(measured.copy_bytes_per_s, '_bytes_per_s')}")
    terminal.say(f"between two launches: {format_quantity(measured.launch_s, '_s')}")
    terminal.result("calibrate-device", {"overlay": out, "measured": measured.model_dump(mode="json")})
    return 0
