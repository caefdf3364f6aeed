// @ts-check
/** Pieces that the details of places and of objects share. */
import { app, distance, el, emit, nameOf, t } from "../model/core.js";
import { itemName, nearest } from "../data/items.js";
import { classColours, className, inkOn } from "../draw/labels.js";
import { notUsed } from "../draw/plans.js";

/** Roles whose nearest objects are named, with what they are for. */
const HELP = ["refuge", "rescue_station", "rescue_team", "supply_depot"];

/** @param {number} cls */
export function chip(cls) {
  const colour = classColours()[cls];
  return el("span", { class: "tag", style: `background:${colour};color:${inkOn(colour)}` }, className(cls));
}

/** The chain of units a place stands in, as links. @param {number} unit */
export function path(unit) {
  const out = [];
  for (let u = unit, n = 0; u >= 0 && n < 9; u = app.model.units.parent[u], n++) out.unshift(unitLink(u));
  return out.map((link, i) => [i ? " › " : "", link]);
}

/** @param {number} u */
export function unitLink(u) {
  return el("button", { class: "link", onclick: () => emit("select", { kind: "unit", at: u, go: true }) }, app.model.units.names[u]);
}

/** @param {number} lon @param {number} lat */
export function coordinates(lon, lat) {
  return el("span", { class: "coordinates" }, `${lon.toFixed(5)}, ${lat.toFixed(5)}`);
}

/** @param {any} layer @param {number} row */
export function itemLink(layer, row) {
  return el("button", { class: "link", onclick: () => emit("select", { kind: "item", layer: layer.id, at: row, go: true }) }, itemName(layer, row));
}

/** A remark where the plan does not use a refuge. @param {any} layer @param {number} row */
export function unused(layer, row) {
  const why = layer.id === "refuge" ? notUsed(layer, row) : "";
  return why ? el("small", { class: "up unused" }, " " + t("not used by the plan: {why}", { why })) : null;
}

/** Nearest refuges and stations; straight line, and said so. @param {number} lon @param {number} lat @param {any} [but] */
export function around(lon, lat, but) {
  const out = [];
  for (const id of HELP) {
    const layer = app.model.layer.get(id);
    if (!layer || !layer.ids || layer === but) continue;
    const found = nearest(layer, lon, lat, 2);
    if (!found.length) continue;
    out.push(el("tr", null, el("th", { scope: "row" }, nameOf(layer)), el("td", null, found.map((f, i) => [i ? el("br") : null, itemLink(layer, f.row), " ", el("small", null, distance(f.d)), unused(layer, f.row)]))));
  }
  if (!out.length) return null;
  return el("section", null, el("h4", null, t("Nearest help"), el("small", null, t("straight line, not by road"))), el("table", { class: "plain-table nearest" }, el("tbody", null, out)));
}
