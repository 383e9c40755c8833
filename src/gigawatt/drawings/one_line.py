"""The one-line diagram of a power chain: the site's stages, one block in full, what flows through each."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

from gigawatt.domain.facility import PowerChain, PowerNode
from gigawatt.drawings.markup import Markup, element, number
from gigawatt.drawings.sheet import INK, MUTED, PANEL, PAPER, RULE, SERIES, box, line, sheet, text
from gigawatt.units import format_quantity

_LEFT, _COLUMN, _RIGHT = 372.0, 212.0, 40.0
_TOP = 142.0
_STEP = 92.0
_RACKS_H = 64.0
_SIDE = "AB"
_STANDBY = "#8b939c"
_TITLES = {
    ("utility", "site"): "Utility",
    ("transformer", "site"): "Substation transformers",
    ("switchgear", "site"): "Medium-voltage switchgear",
    ("transformer", "lineup"): "Transformers",
    ("generator", "lineup"): "Generators",
    ("generator", "block"): "Generators, shared in the block",
    ("switchgear", "lineup"): "Low-voltage switchgear",
    ("ups", "lineup"): "UPS",
    ("busway", "lineup"): "Busways",
    ("pdu", "lineup"): "Power distribution units",
    ("breaker", "rack"): "Tap-offs",
    ("shelf", "rack"): "Power shelves in the racks",
    ("rack", "rack"): "Racks",
}
_REDUNDANCY = {
    "n": "no redundancy",
    "n+1": "N+1",
    "2n": "2N",
    "distributed": "distributed redundant",
    "block": "block redundant",
}


def one_line_svg(chain: PowerChain) -> str:
    """The chain as one SVG file.

    Symbols stand for all pieces alike at their place, with how many there are; one block is drawn, the others
    are like it. Dashed ways with hollow breakers stand by. Each stage tells what is installed and needed, its
    load nothing having failed, and what it loses.
    """
    return _OneLine(chain).draw()


class _OneLine:
    """Places of everything, found once."""

    def __init__(self, chain: PowerChain) -> None:
        self.chain = chain
        self.lineups = chain.lineups_per_block
        columns = max(self.lineups, 2)
        self.width = _LEFT + columns * _COLUMN + _RIGHT
        offset = (columns - self.lineups) * _COLUMN / 2
        self.x = [_LEFT + offset + (lineup + 0.5) * _COLUMN for lineup in range(self.lineups)]
        self.rows = [node for node in chain.nodes if node.kind not in ("generator", "cooling", "rack")]
        self.y = {id(node): _TOP + place * _STEP for place, node in enumerate(self.rows)}
        self.racks_y = _TOP + len(self.rows) * _STEP - _STEP / 3
        self.height = self.racks_y + _RACKS_H + 96.0
        self.site = [node for node in self.rows if node.level == "site"]
        self.parts: list[Markup] = []

    def draw(self) -> str:
        self._head()
        self._block_frame()
        self._site()
        for lineup in range(self.lineups):
            self._lineup(lineup)
        self._reserve_bus()
        self._racks()
        for node in self.rows:
            self._labels(node, self.y[id(node)])
        self._foot()
        title = f"One-line diagram, {format_quantity(self.chain.it_w, '_w')} of racks"
        return sheet(self.width, self.height, title, *self.parts)

    def _head(self) -> None:
        chain = self.chain
        watts = [format_quantity(value, "_w") for value in (chain.it_w, chain.utility_w, chain.loss_w)]
        self._text(28.0, 40.0, f"Power chain, {_REDUNDANCY[chain.redundancy]}", 20.0, bold=True)
        lost = f"{100 * chain.loss_w / chain.utility_w:.2f} %"
        cooling = f", {format_quantity(chain.cooling_w, '_w')} of cooling" if chain.cooling_w else ""
        told = (
            f"{watts[0]} of racks{cooling}; {watts[1]} from the utility, of which {watts[2]} ({lost}) is lost"
        )
        self._text(28.0, 62.0, told, 13.0, MUTED)
        down = format_quantity(chain.down_s_per_year, "_s", 2)
        kept = (
            "concurrently maintainable"
            if chain.concurrently_maintainable
            else "not concurrently maintainable"
        )
        self._text(
            28.0, 80.0, f"{kept}; a rack is without power {down} a year, by its block diagram", 13.0, MUTED
        )

    def _block_frame(self) -> None:
        first = next(node for node in self.rows if node.level == "lineup")
        top = self.y[id(first)] - _STEP / 2 + 4
        height = self.racks_y + _RACKS_H + 14 - top
        left, width = _LEFT - 8, self.width - _LEFT - _RIGHT + 16
        self.parts.append(box(left, top, width, height, PANEL, RULE, 8.0))
        blocks = self.chain.num_blocks
        told = "the only block" if blocks == 1 else f"one of {blocks} blocks"
        self._text(left + width - 12, top + height + 18, told, 12.0, MUTED, "end", bold=True)

    def _site(self) -> None:
        """Utility to medium voltage, each side in its colour."""
        sides = self.chain.num_sides
        left, right = self.x[0], self.x[-1]
        middle = (left + right) / 2
        places = [middle] if sides == 1 else [middle - _COLUMN / 2, middle + _COLUMN / 2]
        for at, node in enumerate(self.site):
            y = self.y[id(node)]
            for side, x in enumerate(places):
                colour = self._side_colour(side)
                count = node.num_installed // sides
                if node.kind == "transformer" and not self._apart():
                    count = node.num_installed if side == 0 else 0
                if at:
                    self._wire(
                        x,
                        self.y[id(self.site[at - 1])] + 16,
                        x,
                        y - (18 if node.kind == "transformer" else 0),
                        colour,
                    )
                if node.kind == "utility":
                    self._utility(x, y, colour, count, sides, side)
                elif node.kind == "transformer":
                    self._transformer(x, y, colour, self._counted(count))
                else:
                    self._mv_bus(y + 9 * side if not self._apart() else y, side, colour, count)
            if node.kind == "transformer" and sides == 2 and not self._apart():
                self._wire(places[0], y + 22, places[1], y + 22, MUTED)

    def _counted(self, count: int) -> str:
        shared = self.chain.num_sides > 1 and not self._apart()
        return "" if count < 2 else (f"{count} in all" if shared else f"{count} ×")

    def _mv_bus(self, y: float, side: int, colour: str, count: int) -> None:
        left, right = self.x[0] - 60, self.x[-1] + 60
        if self._apart():
            middle = (left + right) / 2
            left, right = (left, middle - 14) if side == 0 else (middle + 14, right)
        self._bar(left, right, y, colour)
        if count > 1:
            self._text(
                right + 6 if side else left - 6, y + 4, f"{count} ×", 11.0, MUTED, "start" if side else "end"
            )

    def _lineup(self, lineup: int) -> None:
        chain, x = self.chain, self.x[lineup]
        idle = self._is_reserve(lineup)
        colour = _STANDBY if idle else self._colour(lineup)
        nodes = [node for node in self.rows if node.level == "lineup"]
        above_y = self.y[id(self.site[-1])]
        self._feeds_of_transformer(lineup, x, above_y, self.y[id(nodes[0])])
        for at, node in enumerate(nodes):
            y = self.y[id(node)]
            if idle and node.kind in ("busway", "pdu"):
                break
            count = self._per_lineup(node)
            if at:
                start = self.y[id(nodes[at - 1])] + (
                    22 if nodes[at - 1].kind in ("transformer", "ups") else 0
                )
                self._wire(x, start, x, y - (18 if node.kind == "ups" else 0), colour, breaker=True)
            if node.kind == "transformer":
                self._transformer(x, y, colour, "")
            elif node.kind == "switchgear":
                self._bar(x - 70, x + 70, y, colour)
                self._generator(lineup, x, y, colour)
                self._cooling(x, y, colour)
            elif node.kind == "ups":
                self._ups(x, y, colour, count)
            else:
                self._busway(x, y, colour, count)
        name = f"reserve {lineup + 1}" if idle else f"lineup {lineup + 1}"
        if chain.lineups_per_block > 1:
            self._text(x + 20, self.y[id(nodes[0])] + 5, name, 12.0, colour, bold=True)

    def _feeds_of_transformer(self, lineup: int, x: float, above_y: float, y: float) -> None:
        sides = self.chain.num_sides
        first = lineup % sides
        if sides == 1 or self._apart():
            self._wire(x, above_y, x, y - 18, self._side_colour(first), breaker=True)
            return
        for side in range(sides):
            at = x + (0 if side == first else 26)
            standby = side != first
            colour = _STANDBY if standby else self._side_colour(side)
            self._wire(
                at, above_y + 9 * side, at, y - (26 if standby else 18), colour, breaker=True, standby=standby
            )
        self._wire(x + 26, y - 26, x, y - 26, _STANDBY, standby=True, breaker=False)

    def _generator(self, lineup: int, x: float, y: float, colour: str) -> None:
        node = next((node for node in self.chain.nodes if node.kind == "generator"), None)
        if node is None:
            return
        common = node.level == "block"
        gx, gy = x - 62, y - 40
        if common and lineup:
            self._wire(gx, y - 14, gx, y, _STANDBY, standby=True, breaker=True)
            self._wire(self.x[lineup - 1] - 62, y - 14, gx, y - 14, _STANDBY, standby=True, breaker=False)
            return
        groups = self.chain.num_blocks * (1 if common else self.lineups)
        count = node.num_installed // groups
        self.parts.append(
            element("circle", cx=gx, cy=gy, r=13.0, fill=PAPER, stroke=colour, stroke_width="1.6")
        )
        self._text(gx, gy + 4.5, "G", 13.0, colour, "middle", bold=True)
        self._wire(gx, gy + 13, gx, y, _STANDBY, standby=True, breaker=True)
        shown = (
            f"{count} × {format_quantity(node.rating_w, '_w')}"
            if count > 1
            else format_quantity(node.rating_w, "_w")
        )
        self._text(gx - 4, gy - 18, shown, 11.0, MUTED, "middle")

    def _cooling(self, x: float, y: float, colour: str) -> None:
        if self.chain.cooling_w:
            self._wire(x + 56, y, x + 56, y + 24, colour)
            self.parts.append(box(x + 34, y + 24, 44, 18, PAPER, colour, 3.0))
            self._text(x + 56, y + 36.5, "cooling", 10.5, INK, "middle")

    def _reserve_bus(self) -> None:
        """What the reserve lineup can feed, through static switches."""
        ups = self.chain.node("ups")
        ways = next((node for node in self.rows if node.kind in ("busway", "pdu")), None)
        if self.chain.redundancy != "block" or ups is None or ways is None:
            return
        y = self.y[id(ups)] + 42
        last = self.x[self.chain.lineups_needed - 1 + (self.lineups - self.chain.lineups_needed)]
        self._wire(last, self.y[id(ups)] + 22, last, y, _STANDBY, standby=True)
        self._wire(self.x[0] + 22, y, last, y, _STANDBY, standby=True, breaker=False)
        for x in self.x[: self.chain.lineups_needed]:
            self._wire(x + 22, y, x + 22, self.y[id(ways)], _STANDBY, standby=True)

    def _racks(self) -> None:
        chain = self.chain
        ways = [node for node in self.rows if node.level == "lineup"][-1]
        rack_nodes = [node for node in self.rows if node.level == "rack"]
        groups = self._rack_groups()
        left, right = self.x[0] - 84, self.x[-1] + 84
        wide = (right - left) / len(groups)
        per_group = chain.num_blocks * len(groups)
        for place, feeding in enumerate(groups):
            x = self.x[feeding[0]] if len(set(feeding)) == 1 else left + (place + 0.5) * wide
            self._rack_box(x, min(wide - 14, 150.0), round(sum(chain.racks_by_kind) / per_group))
            for feed, lineup in enumerate(feeding):
                self._rack_feed(
                    ways, rack_nodes, x + (feed - (len(feeding) - 1) / 2) * 26, lineup, place, feed
                )

    def _rack_box(self, x: float, width: float, count: int) -> None:
        self.parts.append(box(x - width / 2, self.racks_y, width, _RACKS_H - 22, PAPER, INK, 4.0))
        self._text(
            x,
            self.racks_y + 18,
            f"about {count} racks" if count != 1 else "a rack",
            11.5,
            INK,
            "middle",
            bold=True,
        )
        heaviest = format_quantity(max(self.chain.rack_w), "_w")
        self._text(x, self.racks_y + 33, f"up to {heaviest}", 10.5, MUTED, "middle")

    def _rack_feed(
        self, ways: PowerNode, rack_nodes: Sequence[PowerNode], x: float, lineup: int, place: int, feed: int
    ) -> None:
        """From a lineup's busway down to a rack, with its tap-off and its shelf."""
        colour = self._colour(lineup)
        start_y = self.y[id(ways)]
        bend = start_y + 18 + 5 * lineup
        spread = self.x[lineup] + (place - (len(self._rack_groups()) - 1) / 2) * 14 + feed * 6
        spread = min(max(spread, self.x[lineup] - 58), self.x[lineup] + 58)
        self._wire(spread, start_y, spread, bend, colour)
        self._wire(spread, bend, x, bend, colour)
        before = bend
        for node in rack_nodes:
            y = self.y[id(node)]
            self._wire(x, before, x, y - 7, colour)
            if node.kind == "breaker":
                self.parts.append(box(x - 5, y - 7, 10, 10, colour))
                before = y + 3
            else:
                self.parts.append(box(x - 9, y - 8, 18, 14, PAPER, colour, 2.0))
                self._text(x, y + 3, "~/=", 8.5, colour, "middle")
                before = y + 6
        self._wire(x, before, x, self.racks_y, colour)

    def _rack_groups(self) -> list[tuple[int, ...]]:
        chain = self.chain
        if chain.redundancy == "block":
            return [(lineup,) * chain.feeds_per_rack for lineup in range(chain.lineups_needed)]
        if chain.feeds_per_rack == 1:
            return [(lineup,) for lineup in range(self.lineups)]
        return list(combinations(range(self.lineups), chain.feeds_per_rack))

    def _labels(self, node: PowerNode, y: float) -> None:
        """What a stage is, at the left margin; generators stand with the switchgear that they feed."""
        self._label(node, y - 18)
        if node.kind == "switchgear" and node.level == "lineup":
            generator = self.chain.node("generator")
            if generator is not None:
                self._text(28.0, y + 30, self._told(generator), 11.0, MUTED)

    def _label(self, node: PowerNode, y: float) -> None:
        self._text(28.0, y, _TITLES.get((node.kind, node.level), node.name), 13.0, bold=True)
        rating = format_quantity(node.rating_w, "_w")
        volts = format_quantity(node.output_v, "_v")
        changed = (
            f"{format_quantity(node.input_v, '_v')} to {volts}"
            if abs(node.input_v - node.output_v) > 1
            else volts
        )
        self._text(
            28.0,
            y + 16,
            f"{node.num_installed:,} × {rating}, {changed}; {node.num_needed:,} needed",
            11.5,
            INK,
        )
        lost = format_quantity(node.loss_w, "_w") if node.loss_w > 0 else "nothing"
        load = (
            f"{100 * node.load_frac:.0f} % loaded, {100 * node.worst_load_frac:.0f} % of its limit at worst"
        )
        self._text(28.0, y + 31, f"{load}; loses {lost}", 11.0, MUTED)

    def _told(self, node: PowerNode) -> str:
        start = format_quantity(self.chain.longest_bridge_s, "_s")
        rating = format_quantity(node.rating_w, "_w")
        return f"Generators: {node.num_installed:,} × {rating}, {node.num_needed:,} needed, within {start}"

    def _foot(self) -> None:
        y = self.height - 26
        self._wire(28.0, y - 4, 60.0, y - 4, INK, breaker=True)
        self._text(68.0, y, "carries", 11.0, MUTED)
        self._wire(124.0, y - 4, 156.0, y - 4, _STANDBY, breaker=True, standby=True)
        self._text(164.0, y, "stands by", 11.0, MUTED)

    def _utility(self, x: float, y: float, colour: str, count: int, sides: int, side: int) -> None:
        points = (
            f"{number(x - 9)},{number(y - 10)} {number(x + 9)},{number(y - 10)} {number(x)},{number(y + 8)}"
        )
        self._wire(x, y - 24, x, y - 10, colour)
        self.parts.append(element("polygon", points=points, fill=colour))
        self._wire(x, y + 8, x, y + 16, colour)
        name = f"feed {_SIDE[side]}" if sides > 1 else "feed"
        self._text(x + 16, y - 2, f"{count} × {name}" if count > 1 else name, 11.5, colour, bold=True)

    def _transformer(self, x: float, y: float, colour: str, shown: str) -> None:
        for dy in (-7.0, 7.0):
            self.parts.append(
                element("circle", cx=x, cy=y + dy, r=11.0, fill="none", stroke=colour, stroke_width="1.8")
            )
        self._wire(x, y + 18, x, y + 22, colour)
        if shown:
            self._text(x - 18, y + 4, shown, 12.0, colour, "end", bold=True)

    def _ups(self, x: float, y: float, colour: str, count: int) -> None:
        self.parts.append(box(x - 24, y - 18, 48, 36, PAPER, colour, 3.0))
        self._wire(x - 24, y + 18, x + 24, y - 18, colour)
        self._text(x - 12, y - 4, "~", 14.0, colour, "middle", bold=True)
        self._text(x + 13, y + 14, "=", 13.0, colour, "middle", bold=True)
        self._wire(x, y + 18, x, y + 22, colour)
        if count > 1:
            self._text(x - 30, y + 4, f"{count} ×", 12.0, colour, "end", bold=True)

    def _busway(self, x: float, y: float, colour: str, count: int) -> None:
        self._bar(x - 66, x + 66, y, colour)
        if count > 1:
            self._text(x - 70, y - 8, f"{count} ×", 12.0, colour, "start", bold=True)

    def _bar(self, left: float, right: float, y: float, colour: str) -> None:
        self.parts.append(line(left, y, right, y, colour, 4.5))

    def _wire(
        self,
        x1: float,
        y1: float,
        x2: float,
        y2: float,
        colour: str,
        breaker: bool = False,
        standby: bool = False,
    ) -> None:
        dashes = "5 3" if standby else None
        ends = {"x1": x1, "y1": y1, "x2": x2, "y2": y2}
        self.parts.append(element("line", **ends, stroke=colour, stroke_width="1.6", stroke_dasharray=dashes))
        if breaker:
            x, y = (x1 + x2) / 2, (y1 + y2) / 2
            self.parts.append(box(x - 4, y - 4, 8, 8, PAPER if standby else colour, colour))

    def _text(
        self,
        x: float,
        y: float,
        words: str,
        size: float = 12.0,
        fill: str = INK,
        anchor: str = "start",
        bold: bool = False,
    ) -> None:
        self.parts.append(text(x, y, words, size, fill, anchor, bold))

    def _colour(self, lineup: int) -> str:
        return SERIES[lineup % len(SERIES)]

    def _side_colour(self, side: int) -> str:
        return SERIES[side] if self._apart() else INK

    def _apart(self) -> bool:
        """Whether the two sides share nothing."""
        return self.chain.redundancy == "2n"

    def _is_reserve(self, lineup: int) -> bool:
        return self.chain.redundancy == "block" and lineup >= self.chain.lineups_needed

    def _per_lineup(self, node: PowerNode) -> int:
        loaded = self.chain.lineups_needed if self.chain.redundancy == "block" else self.lineups
        fed = loaded if node.kind in ("busway", "pdu") else self.lineups
        return node.num_installed // (self.chain.num_blocks * fed)
