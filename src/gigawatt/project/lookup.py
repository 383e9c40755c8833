"""Finding a catalogue entry when only its name is known."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from gigawatt.catalog import SECTIONS
from gigawatt.errors import UnknownIdError

if TYPE_CHECKING:
    from gigawatt.catalog import Catalog
    from gigawatt.domain.record import Record


def entry_named(catalogue: Catalog, name: str) -> tuple[str, Record]:
    """The section and row with this id or alias. Raises UnknownIdError with the nearest of all sections."""
    for section in SECTIONS:
        try:
            return section, catalogue.row(section, name)
        except UnknownIdError:
            continue
    known = {id: section for section in SECTIONS for id in catalogue.ids(section)}
    near = difflib.get_close_matches(name.lower(), known, n=3)
    hint = ": did you mean " + " or ".join(f"{id} ({known[id]})" for id in near) + "?" if near else ""
    more = "" if near else ": `gigawatt catalog list SECTION` shows its ids"
    raise UnknownIdError(f'nothing in the catalogue is called "{name}"{hint}{more}')
