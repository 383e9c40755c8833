"""The catalogue as tables: sections, one entry with its sources, the bibliography."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gigawatt.catalog import Finding
from gigawatt.domain.hardware import RackPart
from gigawatt.domain.model import Block, Model
from gigawatt.domain.record import Record, Source, Sourced
from gigawatt.views.table import Column, Table, Value, text_column, without_blank_columns

_COLUMNS: Mapping[str, tuple[Column, ...]] = {
    "accelerators": (
        text_column("id", "Id"),
        text_column("name", "Name"),
        Column("peak_flop_per_s.bf16", "Dense bf16"),
        Column("peak_flop_per_s.fp8", "Dense fp8"),
        Column("hbm_bytes", "Memory"),
        Column("hbm_bytes_per_s", "Bandwidth"),
        Column("tdp_w", "Power"),
        text_column("missing", "Not known"),
    ),
    "systems": (
        text_column("id", "Id"),
        text_column("name", "Name"),
        text_column("accelerator", "Accelerator"),
        Column("num_accelerators_per_node", "Per node"),
        Column("num_accelerators_per_domain", "Per domain"),
        Column("scale_up_bytes_per_s", "Scale-up"),
        Column("scale_out_bytes_per_s", "Scale-out"),
        Column("node_power_w", "Node power"),
        text_column("missing", "Not known"),
    ),
    "models": (
        text_column("id", "Id"),
        text_column("name", "Name"),
        text_column("published_params", "Parameters"),
        text_column("source", "Source"),
    ),
    "offers": (
        text_column("id", "Id"),
        text_column("provider", "Provider"),
        text_column("gpu_kind", "Accelerator"),
        text_column("system", "System"),
        Column("accelerators_per_instance", "Per instance"),
        Column("on_demand_usd_per_gpu_h", "On demand"),
        Column("spot_usd_per_gpu_h", "Spot"),
        text_column("term", "Term"),
        text_column("date", "Quoted"),
        text_column("currency", "Currency"),
    ),
    "switches": (
        text_column("id", "Id"),
        text_column("name", "Name"),
        text_column("technology", "Technology"),
        Column("num_ports", "Ports"),
        Column("port_bytes_per_s", "Port"),
        Column("power_w", "Power"),
        Column("price_usd", "Price"),
        text_column("missing", "Not known"),
    ),
    "links": (
        text_column("id", "Id"),
        text_column("name", "Name"),
        text_column("medium", "Medium"),
        Column("bytes_per_s", "Link"),
        Column("reach_m", "Reach"),
        Column("end_power_w", "Power, one end"),
        Column("cable_usd", "Cable"),
        Column("end_usd", "One end"),
    ),
    "fabrics": (
        text_column("id", "Id"),
        text_column("name", "Name"),
        text_column("topology", "Topology"),
        text_column("leaf_switch", "Leaf"),
        Column("port_bytes_per_s", "Port"),
        Column("num_planes", "Planes"),
        Column("nodes_per_unit", "Nodes per unit"),
    ),
    "equipment": (
        text_column("id", "Id"),
        text_column("name", "Name"),
        text_column("kind", "Kind"),
        Column("rating_w", "Rating"),
        Column("price_usd", "Price"),
        text_column("missing", "Not known"),
    ),
    "climates": (
        text_column("id", "Id"),
        text_column("name", "Name"),
        Column("record_high_c", "Record high"),
        text_column("source", "Source"),
    ),
    "sites": (
        text_column("id", "Id"),
        text_column("name", "Name"),
        text_column("climate", "Climate"),
        Column("available_w", "Available"),
        text_column("redundancy", "Redundancy"),
    ),
    "hazards": (
        text_column("id", "Id"),
        text_column("name", "Name"),
        text_column("component", "Component"),
        text_column("scope", "Of each"),
        text_column("effect", "Jobs"),
        Column("events_per_s", "Events"),
        Column("detection_s", "Found after"),
        Column("repair_frac", "Repaired"),
        text_column("part", "Part"),
    ),
    "parts": (
        text_column("id", "Id"),
        text_column("name", "Name"),
        Column("price_usd", "Price"),
        Column("lead_time_s", "Lead time"),
        Column("low_lead_time_s", "At best"),
        Column("high_lead_time_s", "At worst"),
        text_column("basis", "Basis"),
    ),
    "reliability": (
        text_column("id", "Id"),
        text_column("name", "Name"),
        Column("node_failures_per_s", "Node failures"),
        Column("accelerators_per_node", "Per node"),
        Column("restart_s", "Restart"),
        Column("effective_frac", "Effective time"),
        text_column("planned_with", "Planned with"),
    ),
    "schedule": (
        text_column("id", "Id"),
        text_column("name", "Name"),
        text_column("kind", "Activity"),
        Column("p10_s", "P10"),
        Column("p50_s", "P50"),
        Column("p90_s", "P90"),
        text_column("basis", "Basis"),
    ),
    "energy": (
        text_column("id", "Id"),
        text_column("name", "Name"),
        text_column("kind", "Kind"),
        Column("capex_usd_per_w", "Capex"),
        Column("energy_capex_usd_per_mwh", "Of cells"),
        Column("life_years", "Years"),
        Column("efficiency_frac", "Efficiency"),
        Column("fuel_usd_per_mwh", "Fuel"),
        Column("price_year", "Prices of"),
    ),
    "tariffs": (
        text_column("id", "Id"),
        text_column("name", "Name"),
        text_column("wholesale", "Market price"),
        Column("fixed_usd_per_year", "Fixed"),
        text_column("basis", "Basis"),
        Column("price_year", "Prices of"),
    ),
    "deals": (
        text_column("id", "Id"),
        text_column("party", "Who"),
        text_column("item", "What"),
        Column("quantity", "Figure"),
        Column("low_quantity", "From"),
        Column("high_quantity", "To"),
        text_column("unit", "Unit"),
        text_column("date", "Date"),
        text_column("confidence", "Confidence"),
    ),
    "sources": (
        text_column("id", "Key"),
        text_column("title", "Title"),
        text_column("publisher", "Publisher"),
        text_column("date", "Date"),
        text_column("licence", "Licence"),
        text_column("url", "Address"),
    ),
}
_ABOUT = frozenset({"id", "name", "aliases", "source", "basis", "date", "note", "missing", "provenance"})


def section_table(section: str, rows: Sequence[Record]) -> Table:
    """One line for each entry of a section."""
    columns = _COLUMNS[section]
    return Table(
        title=f"{len(rows)} {section}",
        columns=tuple(_without_entry(column) for column in columns),
        rows=tuple(tuple(_value(row, column.key) for column in columns) for row in rows),
    )


def _without_entry(column: Column) -> Column:
    """`peak_flop_per_s.bf16` as a column whose key says the unit: `bf16_peak_flop_per_s`."""
    field, _, entry = column.key.partition(".")
    return Column(f"{entry}_{field}", column.label) if entry else column


def _value(row: Record, key: str) -> Value:
    field, _, entry = key.partition(".")
    value = getattr(row, field)
    if entry:
        value = value.get(entry)
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    return value if isinstance(value, float | int | str | bool) else None


def entry_table(row: Record) -> Table:
    """Every value of an entry with source, basis, date and note."""
    if not isinstance(row, Sourced):
        return _plain_table(row)
    rows = []
    for field, value in row:
        if field in _ABOUT or value in ("", None, ()):
            continue
        for name, part in value.items() if isinstance(value, Mapping) else [("", value)]:
            origin = row.provenance_of(f"{field}.{name}" if name else field)
            shown = _shown(field, part)
            key = f"{field}.{name}" if name else field
            rows.append((key, shown, origin.basis, origin.source, origin.date, origin.note, origin.rejected))
    table = Table(
        title=f"{row.id}: {row.name}",
        columns=(
            text_column("field", "Field"),
            Column("value", "Value"),
            text_column("basis", "Basis"),
            text_column("source", "Source"),
            text_column("date", "Date"),
            text_column("note", "Note"),
            text_column("rejected", "Found elsewhere"),
        ),
        rows=tuple(rows),
        notes=_remarks(row),
    )
    return without_blank_columns(table)


def _shown(field: str, value: object) -> str:
    """A value as people read it: lists without brackets, what stands in a rack by how many of what."""
    if isinstance(value, tuple):
        return ", ".join(_shown(field, part) for part in value)
    if isinstance(value, RackPart):
        return f"{value.quantity} x {value.name} from unit {value.lowest_unit}"
    return Column(field, "").text(value if isinstance(value, float | int | str) else str(value))


def _remarks(row: Sourced) -> tuple[str, ...]:
    aliases = f"Also called {', '.join(row.aliases)}." if row.aliases else ""
    missing = f"Not known: {', '.join(row.missing)}." if row.missing else ""
    return tuple(text for text in (aliases, row.note, missing) if text)


def _plain_table(row: Record) -> Table:
    title = row.title if isinstance(row, Source) else ""
    rows = tuple((field, str(value)) for field, value in row)
    return Table(
        title=title, columns=(text_column("field", "Field"), text_column("value", "Value")), rows=rows
    )


def shape_table(model: Model, num_params: int, num_active: int) -> Table:
    """The shape of a model as its config.json gives it, with the parameters counted from that."""
    rows = [("parameters, counted", f"{num_params:,}")]
    if num_active != num_params:
        rows.append(("of which a token uses", f"{num_active:,}"))
    rows += [("hidden size", f"{model.hidden:,}"), ("vocabulary", f"{model.vocab:,}")]
    if model.max_positions:
        rows.append(("positions", f"{model.max_positions:,}"))
    rows += [(f"{block.count} layers", _block_text(block)) for block in model.blocks]
    if model.num_mtp_layers:
        rows.append(("multi-token prediction", f"{model.num_mtp_layers} on top of the {model.num_layers}"))
    return Table(
        title="From its config.json",
        columns=(text_column("field", "Field"), text_column("value", "Value")),
        rows=tuple(rows),
    )


def _block_text(block: Block) -> str:
    attention = block.attention
    heads = f"{attention.num_heads} heads of {attention.head_dim}"
    if attention.kind == "mla":
        heads += f", latent attention of rank {attention.kv_lora_rank}"
    elif attention.num_kv_heads != attention.num_heads:
        heads += f", {attention.num_kv_heads} for keys and values"
    if attention.window_tokens:
        heads += f", window of {attention.window_tokens:,}"
    experts = block.experts
    if experts:
        shared = f" and a shared width of {experts.shared_hidden:,}" if experts.shared_hidden else ""
        chosen = f"{experts.num_experts_per_token} of {experts.num_experts} experts"
        return f"{heads}; {chosen} of width {experts.hidden:,}{shared}"
    assert block.feed_forward is not None
    gate = "gated " if block.feed_forward.gated else ""
    return f"{heads}; {gate}feed-forward of width {block.feed_forward.hidden:,}"


def findings_table(findings: Sequence[Finding]) -> Table:
    """What `catalog check` found."""
    return Table(
        title=f"{sum(one.kind == 'error' for one in findings)} errors, "
        f"{sum(one.kind == 'note' for one in findings)} notes",
        columns=(text_column("kind", "Kind"), text_column("row", "Entry"), text_column("message", "What")),
        rows=tuple((one.kind, one.row, one.message) for one in findings),
    )
