"""What the page looks like where a figure can say it: symbols apart, the map in its room."""

from __future__ import annotations

from typing import Any

from riskmap.vocabulary.roles import load_roles


def test_stations_teams_and_hospitals_have_symbols_of_their_own() -> None:
    roles = load_roles()
    names = ("rescue_station", "rescue_team", "health_care", "refuge", "supply_depot")
    shapes = [roles[name].symbol for name in names]
    assert len(set(shapes)) == len(shapes)


def test_the_whole_area_fills_its_room_and_keeps_to_it(desk: Any) -> None:
    share = """() => {
      const b = riskmap.map.getBounds(), s = document.getElementById('stage').getBoundingClientRect();
      return [riskmap.map.getZoom(), s.width];
    }"""
    zoom, wide = desk.js(share)
    desk.page.click("#tool-layers")
    desk.settle()
    closer, wider = desk.js(share)
    assert wider > wide
    assert closer >= zoom
    desk.js("() => riskmap.map.setZoom(riskmap.map.getZoom() + 1, {animate: false})")
    moved = desk.js(share)[0]
    desk.page.click("#tool-layers")
    desk.settle()
    assert desk.js(share)[0] == moved
