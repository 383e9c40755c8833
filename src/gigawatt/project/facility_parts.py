"""What a facility is built from, looked up in the catalogue."""

from __future__ import annotations

from gigawatt.catalog import Catalog
from gigawatt.domain.facility import Climate, Equipment, Site

DEFAULT_SITE = "generic"


def facility_parts(
    catalogue: Catalog, site_id: str = DEFAULT_SITE
) -> tuple[Site, Climate, dict[str, Equipment]]:
    """A site, its climate, and the equipment that its power chain and cooling plant name, by id.

    Errors: UnknownIdError with the nearest ids.
    """
    site = catalogue.site(site_id)
    equipment = {id: catalogue.equipment(id) for id in (*site.chain, *site.plant)}
    return site, catalogue.climate(site.climate), equipment
