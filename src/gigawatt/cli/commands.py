"""The tree of commands: every name that exists, what it does in a line, and where it is implemented."""

from __future__ import annotations

import click

import gigawatt
from gigawatt.cli.lazy import Later, LazyGroup

_SUMMARY = (
    "Design, contract and operate AI compute, from a model's architecture to the megawatts that run it."
)

_DESIGN = LazyGroup(
    "design",
    "how to lay work out on machines",
    {
        "collective": Later("how long a collective takes, and what sets it", "collective", "collective"),
        "facility": Later("halls, power and cooling of a cluster", "facility", "facility"),
        "fabric": Later("a cluster's networks: switches, cables, bill and failures", "fabric", "design"),
        "training": Later("the best layout of a training run, and the proof", "design", "training"),
    },
)
_CONTRACT = LazyGroup(
    "contract",
    "what to own, rent and sign, and when capacity is there",
    {
        "energy": Later("the hourly energy of a campus at least cost", "contract_energy", "energy"),
        "import": Later(
            "a price list: SkyPilot, gpuhunt, FOCUS, our own", "contract_portfolio", "import_prices"
        ),
        "portfolio": Later(
            "what to own, rent and when; what every offer is worth", "contract_portfolio", "portfolio"
        ),
        "schedule": Later(
            "construction risk: P10, P50 and P90 of every date", "contract_schedule", "schedule"
        ),
    },
)
_OPERATE = LazyGroup(
    "operate",
    "what a fleet does with its jobs",
    {
        "replay": Later("a trace of jobs under a policy: who waits how long", "operate", "replay"),
        "simulate": Later("a fleet rehearsed: failures, repairs, queues and goodput", "operate", "simulate"),
    },
)
_CATALOG = LazyGroup(
    "catalog",
    "what the catalogue knows, and from where",
    {
        "list": Later("ids and key figures of a section", "catalog", "list_rows"),
        "show": Later("one entry, with source and basis of every value", "catalog", "show"),
        "sources": Later("the bibliography", "catalog", "sources"),
        "check": Later("prove units, ranges, ids and sources", "catalog", "check"),
    },
)

_VALIDATE = LazyGroup(
    "validate",
    "predicted against measured, yours or published",
    {
        "collectives": Later("times of collectives, from logs or tables", "collective", "validate"),
        "energy": Later("reference cases of another optimiser", "contract_energy", "validate"),
        "fabric": Later("switches and cables of printed designs", "fabric", "validate"),
        "reliability": Later("published figures of failures and goodput", "reliability", "validate"),
        "training": Later("step times and peak memory of training runs", "validate", "training"),
    },
)
_CALIBRATE = LazyGroup(
    "calibrate",
    "fit to one's own measurements",
    {
        "collectives": Later("times of collectives, from logs or tables", "collective", "calibrate"),
        "reliability": Later("how often nodes fail, from one's own figures", "reliability", "calibrate"),
        "training": Later("step times, from measured training runs", "calibrate", "training"),
        "device": Later("an accelerator, measured where it stands", "calibrate", "device"),
    },
)
_IMPORT = LazyGroup(
    "import",
    "what real systems say, read in",
    {
        "layout": Later("a Megatron-LM or torchtitan command line as a layout", "exchange", "import_layout"),
        "pypsa": Later("a PyPSA network of a campus as an energy site", "exchange", "import_pypsa"),
    },
)

ROOT = LazyGroup(
    "gigawatt",
    _SUMMARY,
    {
        "init": Later("a commented scenario to start from", "plan", "init"),
        "plan": Later("the main job: a scenario in, a plan directory out", "plan", "plan"),
        "design": _DESIGN,
        "contract": _CONTRACT,
        "operate": _OPERATE,
        "validate": _VALIDATE,
        "calibrate": _CALIBRATE,
        "catalog": _CATALOG,
        "explain": Later("inputs, laws and sources behind one figure", "plan", "explain"),
        "diff": Later("what changed between two plans, and why", "exchange", "diff"),
        "export": Later("what real systems take in, for the chosen layout", "exchange", "export"),
        "import": _IMPORT,
        "report": Later("the report of a plan, drawn again", "exchange", "report"),
        "schema": Later("JSON Schema of a scenario or a catalogue row, for editors", "schema", "schema"),
    },
)
ROOT = click.version_option(gigawatt.__version__, prog_name="gigawatt")(ROOT)
