"""An energy plan through its year: days stacked by source, two weeks by the hour, durations, and the sums."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property

from gigawatt.domain.energy import EnergyPlan
from gigawatt.domain.energy_dispatch import EnergyDispatch, PowerSeries, Stretch
from gigawatt.drawings.markup import Markup, element, number
from gigawatt.drawings.sheet import INK, MUTED, RULE, box, line, sheet, text
from gigawatt.units import format_quantity, parse_quantity

_WIDE, _HIGH = 1180.0, 1010.0
_LEFT, _RIGHT = 78.0, 22.0
_GAP = 78.0
_YEAR_TOP, _YEAR_TALL = 132.0, 200.0
_WEEK_TOP, _WEEK_TALL = 462.0, 190.0
_FOOT_TOP, _FOOT_TALL = 782.0, 160.0
_CARBON_TALL = 34.0
DAY_S = parse_quantity("1 day", "_s")
TONNE_KG = parse_quantity("1 tCO2", "_kgco2")
_LAYERS: tuple[tuple[str, str, str], ...] = (
    ("purchase", "bought by contract", "#0072b2"),
    ("dispatchable", "burnt", "#c8553d"),
    ("grid", "grid", "#8a94a0"),
    ("wind", "wind", "#56b4e9"),
    ("solar", "sun", "#f2c14e"),
    ("storage", "storage", "#009e73"),
    ("shifted", "put off, caught up", "#cc79a7"),
    ("curtailed", "load dropped", "#7a5195"),
    ("unserved", "not served", "#1b1f24"),
    ("feed-in", "fed in", "#b8a14a"),
)
"""From the bottom: kind, words, and a colour near Okabe and Ito's, told apart by all kinds of sight."""
_HEADROOM = 1.0 + 1.0 / 32
_MOST_SPILLED = 1.5
"""Of what is used: what is not used is cut off above it."""
_LONG_DAYS = 32
_SPILLED = "#e3e7eb"
_TAKEN = ", taken"
_LEGEND_ROW = 19.0
_PALER = 0.38
"""How much nearer to white each further source of a kind is."""


def dispatch_svg(plan: EnergyPlan) -> str:
    """The picture as an SVG file. Raises ValueError for a plan without its hours."""
    if plan.dispatch is None:
        raise ValueError("the plan holds no hours to draw")
    found = plan.dispatch
    fills = _fills(found)
    legend = _legend(found, fills)
    down = _LEGEND_ROW * (len(legend) - 1)
    half = (_WIDE - _LEFT - _RIGHT - _GAP) / 2
    title = f"{plan.title}: where its power comes from"
    year = _Panel(found.year, _LEFT, _YEAR_TOP + down, _WIDE - _LEFT - _RIGHT, _YEAR_TALL)
    parts: list[Markup] = [
        text(20.0, 34.0, title, 17.0, bold=True),
        text(20.0, 56.0, _summary(plan), 12.0, MUTED),
        *(part for row in legend for part in row),
        *year.drawn("The year, by the mean of each day", fills),
    ]
    for place, week in enumerate(found.weeks):
        panel = _Panel(week, _LEFT + place * (half + _GAP), _WEEK_TOP + down, half, _WEEK_TALL)
        parts += panel.drawn(f"{week.words[:1].upper()}{week.words[1:]}, {_span(week)}", fills)
    parts += _durations(found.durations, plan, fills, (_LEFT, _FOOT_TOP + down, half))
    parts += _sums(plan, fills, (_LEFT + half + _GAP, _FOOT_TOP + down, half))
    return sheet(_WIDE, _HIGH + down, title, *parts)


def _summary(plan: EnergyPlan) -> str:
    cost = format_quantity(plan.usd_per_year, "_usd_per_year", 4)
    per_mwh = format_quantity(plan.average_usd_per_mwh, "_usd_per_mwh", 4)
    emitted = format_quantity(plan.kgco2_per_year, "_kgco2", 3)
    return (
        f"{cost}, {per_mwh} of load, in dollars of {plan.price_year}; {emitted} a year; "
        f"{plan.clean_frac:.0%} of the load clean in its own hour. Least cost, proven to {plan.gap_frac:.0e}."
    )


def _fills(found: EnergyDispatch) -> dict[str, str]:
    """A colour by name; what a source takes has its own colour."""
    base = {kind: fill for kind, _, fill in _LAYERS}
    fills: dict[str, str] = {}
    for kind, fill in base.items():
        names = [one.name.removesuffix(_TAKEN) for one in found.year.series if one.kind == kind]
        for place, name in enumerate(dict.fromkeys(names)):
            shade = _paler(fill, 1.0 - (1.0 - _PALER) ** place)
            fills[name] = fills[name + _TAKEN] = shade
    return fills


def _paler(fill: str, share: float) -> str:
    parts = (int(fill[at : at + 2], 16) for at in (1, 3, 5))
    return "#" + "".join(f"{round(part + (255 - part) * share):02x}" for part in parts)


def _ordered(series: Sequence[PowerSeries]) -> list[PowerSeries]:
    order = [kind for kind, _, _ in _LAYERS]
    return sorted(series, key=lambda one: order.index(one.kind))


def _legend(found: EnergyDispatch, fills: dict[str, str]) -> list[list[Markup]]:
    """Rows of it, as many as the names need."""
    shown = [(_short(one.name), fills[one.name]) for one in _ordered(found.year.series) if not _takes(one)]
    if any(found.year.spilled_w):
        shown.append(("wind and sun not used", _SPILLED))
    rows: list[list[Markup]] = [[]]
    x = _LEFT
    for words, fill in [*shown, ("load", INK)]:
        wide = 42.0 + 6.5 * len(words)
        if x + wide > _WIDE - _RIGHT:
            rows.append([])
            x = _LEFT
        y = 74.0 + _LEGEND_ROW * (len(rows) - 1)
        tall = 13.0 if words != "load" else 2.0
        rows[-1] += [
            box(x, y + (13.0 - tall) / 2, 13.0, tall, fill, stroke=RULE if tall > 2.0 else None, radius=2.0),
            text(x + 19.0, y + 11.0, words, 12.0),
        ]
        x += wide
    return rows


def _takes(one: PowerSeries) -> bool:
    """Whether it is what a source takes, beside what it gives."""
    return one.name.endswith(_TAKEN)


@dataclass(frozen=True)
class _Panel:
    """A stretch of time: what gives above nought, what takes below, CO2 in a strip beneath."""

    stretch: Stretch
    x: float
    y: float
    wide: float
    tall: float

    def drawn(self, title: str, fills: dict[str, str]) -> Iterator[Markup]:
        """Everything."""
        yield text(self.x, self.y - 12.0, title, 13.0, bold=True)
        series = _ordered(self.stretch.series)
        given = [(one, [max(value, 0.0) for value in one.values_w]) for one in series]
        taken = [(one, [min(value, 0.0) for value in one.values_w]) for one in series]
        yield from self._ruled()
        yield from self._stacked(given, fills)
        above = [sum(column) for column in zip(*(values for _, values in given), strict=True)]
        spilled = [low + more for low, more in zip(above, self.stretch.spilled_w, strict=True)]
        yield self._area(above, [min(value, self.most_w) for value in spilled], _SPILLED, "not used")
        yield from self._stacked(taken, fills)
        yield self._edge(self.stretch.load_w)
        yield from self._carbon()
        yield from self._times()

    @cached_property
    def _columns(self) -> list[tuple[float, ...]]:
        """What each gives or takes, step by step."""
        return list(zip(*(one.values_w for one in self.stretch.series), strict=True))

    @cached_property
    def least_w(self) -> float:
        """The most that is taken, below nought."""
        return min(sum(min(value, 0.0) for value in column) for column in self._columns)

    @cached_property
    def most_w(self) -> float:
        """The top of the panel: what is given and the load; what is not used may end above it."""
        given = [sum(max(value, 0.0) for value in column) for column in self._columns]
        used = max(*given, *self.stretch.load_w)
        available = max(low + more for low, more in zip(given, self.stretch.spilled_w, strict=True))
        return _HEADROOM * min(max(used, available), _MOST_SPILLED * used)

    def _at(self, power_w: float) -> float:
        return self.y + self.tall * (self.most_w - power_w) / (self.most_w - self.least_w)

    def _place(self, step: int) -> float:
        return self.x + self.wide * step / len(self.stretch.load_w)

    def _stacked(
        self, rows: Sequence[tuple[PowerSeries, list[float]]], fills: dict[str, str]
    ) -> Iterator[Markup]:
        below = [0.0] * len(self.stretch.load_w)
        for one, values in rows:
            if any(values):
                upper = [low + value for low, value in zip(below, values, strict=True)]
                yield self._area(below, upper, fills[one.name], one.name)
                below = upper

    def _area(self, lower: Sequence[float], upper: Sequence[float], fill: str, words: str) -> Markup:
        """Between two staircases: each mean holds over its step."""
        there = self._stairs([self._at(value) for value in upper])
        back = self._stairs([self._at(value) for value in lower], backwards=True)
        return element("path", element("title", words), d=f"M{there}L{back}Z", fill=fill)

    def _edge(self, values: Sequence[float]) -> Markup:
        stairs = self._stairs([self._at(value) for value in values])
        return element("path", d=f"M{stairs}", fill="none", stroke=INK, stroke_width="1.6")

    def _stairs(self, heights: Sequence[float], backwards: bool = False) -> str:
        """A path along steps at these heights, from the left or from the right."""
        levels = [number(round(height, 1)) for height in heights]
        places = [number(round(self._place(step), 1)) for step in range(len(levels) + 1)]
        if backwards:
            levels, places = levels[::-1], places[::-1]
        path = f"{places[0]} {levels[0]}"
        for step, level in enumerate(levels):
            if step == len(levels) - 1 or levels[step + 1] != level:
                path += f"H{places[step + 1]}"
                path += f"V{levels[step + 1]}" if step < len(levels) - 1 else ""
        return path

    def _ruled(self) -> Iterator[Markup]:
        step = _round_step(self.most_w / 4)
        value = 0.0
        while value <= self.most_w:
            y = self._at(value)
            yield line(self.x, y, self.x + self.wide, y, RULE if value else MUTED, 0.8)
            yield text(
                self.x - 8.0, y + 4.0, format_quantity(value, "_w", 3) if value else "0", 11.0, MUTED, "end"
            )
            value += step

    def _carbon(self) -> Iterator[Markup]:
        """What is emitted, step by step."""
        top = self.y + self.tall + 14.0
        bottom = top + _CARBON_TALL
        emitted = self.stretch.emitted_kgco2
        most = max(emitted)
        yield line(self.x, bottom, self.x + self.wide, bottom, MUTED, 0.8)
        if most <= 0.0:
            yield text(self.x, bottom - 6.0, "no CO2", 11.0, MUTED)
            return
        stairs = self._stairs([bottom - _CARBON_TALL * max(value, 0.0) / most for value in emitted])
        outline = f"M{stairs}V{number(bottom)}H{number(self.x)}Z"
        yield element("path", element("title", "CO2"), d=outline, fill=MUTED, opacity=0.55)
        unit = "day" if self.stretch.step_s >= DAY_S else "h"
        yield text(self.x - 8.0, top + 9.0, "CO2", 11.0, MUTED, "end")
        yield text(self.x - 8.0, top + 22.0, f"{most / TONNE_KG:,.0f} t/{unit}", 10.0, MUTED, "end")

    def _times(self) -> Iterator[Markup]:
        """Months of a year, days of a week."""
        bottom = self.y + self.tall + 14.0 + _CARBON_TALL
        begin = datetime.fromisoformat(f"{self.stretch.begin}:00")
        total_s = self.stretch.step_s * len(self.stretch.load_w)
        for when, words in _marks(begin, total_s):
            x = self.x + self.wide * (when - begin).total_seconds() / total_s
            if x > self.x + 1.0:
                yield line(x, self.y, x, bottom + 4.0, RULE, 0.6)
            yield text(x + 4.0, bottom + 16.0, words, 11.0, MUTED)


def _marks(begin: datetime, total_s: float) -> Iterator[tuple[datetime, str]]:
    """When months begin in a long stretch, days in a short one."""
    end, when = begin + timedelta(seconds=total_s), begin.replace(hour=0)
    long = total_s > _LONG_DAYS * DAY_S
    while when < end - timedelta(seconds=total_s / _LONG_DAYS):
        if when >= begin:
            yield when, f"{when:%b}" if long else f"{when:%a} {when.day}"
        when = (when.replace(day=1) + timedelta(days=32)).replace(day=1) if long else when + timedelta(days=1)


def _span(week: Stretch) -> str:
    first = date.fromisoformat(week.begin[:10])
    last = first + timedelta(days=max(0, round(week.step_s * len(week.load_w) / DAY_S) - 1))
    return f"{first.day} {first:%b} to {last.day} {last:%b} {last.year} (UTC)"


def _durations(
    series: Sequence[PowerSeries], plan: EnergyPlan, fills: dict[str, str], place: tuple[float, float, float]
) -> Iterator[Markup]:
    """How much each source gives, for how many hours."""
    x, top, wide = place
    yield text(x, top - 12.0, "For how many hours a year how much is given", 13.0, bold=True)
    bottom = top + _FOOT_TALL
    most = max((max(one.values_w) for one in series), default=1.0) * _HEADROOM or 1.0
    step = _round_step(most / 4)
    for count in range(int(most / step) + 1):
        y = bottom - _FOOT_TALL * count * step / most
        yield line(x, y, x + wide, y, RULE if count else MUTED, 0.8)
        yield text(
            x - 8.0, y + 4.0, format_quantity(count * step, "_w", 3) if count else "0", 11.0, MUTED, "end"
        )
    hours = plan.num_hours / plan.num_years
    for quarter in range(5):
        yield text(
            x + wide * quarter / 4, bottom + 16.0, f"{hours * quarter / 4:,.0f} h", 11.0, MUTED, "middle"
        )
    for one in series:
        points = (
            f"{number(x + wide * at / (len(one.values_w) - 1))} {number(bottom - _FOOT_TALL * value / most)}"
            for at, value in enumerate(one.values_w)
        )
        path = "M" + "L".join(points)
        yield element(
            "path",
            element("title", one.name),
            d=path,
            fill="none",
            stroke=fills[one.name],
            stroke_width="2.4",
        )


def _sums(plan: EnergyPlan, fills: dict[str, str], place: tuple[float, float, float]) -> Iterator[Markup]:
    """Energy of the year, as bars, with what is built beside it."""
    assert plan.dispatch is not None
    x, top, wide = place
    yield text(x, top - 12.0, "Energy of the year, and what gives it", 13.0, bold=True)
    given = [
        (one, sum(max(value, 0.0) for value in one.values_w) * plan.dispatch.year.step_s)
        for one in _ordered(plan.dispatch.year.series)
    ]
    given = [(one, energy) for one, energy in given if energy > 0.0]
    most = max((energy for _, energy in given), default=1.0)
    row = min(22.0, (_FOOT_TALL + 20.0) / max(1, len(given)))
    for count, (one, energy_j) in enumerate(given):
        y = top + row * count
        yield text(x - 8.0 + 128.0, y + row * 0.62, _short(one.name), 11.0, INK, "end")
        length = (wide - 330.0) * energy_j / most
        yield box(x + 128.0, y + 2.0, max(1.0, length), row - 6.0, fills[one.name], radius=2.0)
        words = f"{format_quantity(energy_j, '_j', 3)} · {energy_j / plan.load_j_per_year:.0%} of the load"
        built = plan.capacities.get(one.name)
        if built is not None:
            words += f" · {format_quantity(built.power_w, '_w', 3)}"
        yield text(x + 136.0 + length, y + row * 0.62, words, 11.0, MUTED)


def _short(words: str) -> str:
    return words if len(words) < 22 else words[:21] + "…"


def _round_step(rough: float) -> float:
    power = 10.0 ** (len(f"{max(rough, 1.0):.0f}") - 1)
    return next(power * lead for lead in (1.0, 2.0, 2.5, 5.0, 10.0) if power * lead >= rough)
