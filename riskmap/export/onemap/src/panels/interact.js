// @ts-check
/** What clicks, hovering and choosing do. */
import { app, byId, el, emit, fill, framed, isPhone, nameOf, on, say, score3, state, t } from "../model/core.js";
import { deskPoint, placeOf, redraw, screenView } from "../draw/canvas.js";
import { openTab } from "./frame.js";
import { insideShape, latitude, lineDistance, longitude, mercatorX, mercatorY } from "../data/geo.js";
import { itemName } from "../data/items.js";
import { cellAt, inTown, surfaceKind, table, unitAt, wholeBox } from "../data/model.js";
import { className, levelName, unitLevelName } from "../draw/labels.js";
import { plansAt } from "../draw/plans.js";
import { pointAt, visiblePoints } from "../draw/points.js";
import { live, shownOf } from "../model/score.js";

/* global L */

/** Areas and lines of layers at a place. @param {number} x @param {number} y */
function shapeAt(x, y) {
  const reach = 6 / screenView().k;
  for (const { layer, rows } of visiblePoints().layers) {
    if (!layer.shape) continue;
    for (const i of rows) {
      if (layer.kind === "area" ? insideShape(layer.shape, i, x, y) : lineDistance(layer.shape, i, x, y) < reach) return { layer, row: i };
    }
  }
  return null;
}

/**
 * What stands under a point of the screen.
 * @param {{x: number, y: number}} point
 * @param {boolean} touch
 * @returns {any}
 */
function under(point, touch) {
  const at = deskPoint(point);
  const hit = pointAt(/** @type {any} */ (screenView()), at.x, at.y, touch ? 22 : 11);
  if (hit) return hit;
  const [x, y] = placeOf(point);
  const kind = surfaceKind();
  if (kind === "unit") {
    const unit = unitAt(x, y, state.level);
    if (unit >= 0) return { unit };
  }
  const cell = kind === "cell" ? cellAt(x, y) : -1;
  if (cell >= 0) return { cell };
  const shape = shapeAt(x, y);
  if (shape) return shape;
  const unit = unitAt(x, y);
  return unit >= 0 ? { unit } : null;
}

/** @param {any} e Leaflet's event */
function clicked(e) {
  if (app.measuring) return;
  const hit = under(e.containerPoint, e.originalEvent && e.originalEvent.pointerType === "touch");
  if (!hit) return emit("unselect");
  if (hit.ring) return void openRing(hit.ring);
  if (hit.layer) emit("select", { kind: "item", layer: hit.layer.id, at: hit.row });
  else if (hit.unit !== undefined) emit("select", { kind: "unit", at: hit.unit });
  else emit("select", { kind: "cell", at: hit.cell });
}

/** A ring opens its unit: closer, with its details. @param {any} ring */
function openRing(ring) {
  if (ring.unit >= 0) emit("select", { kind: "unit", at: ring.unit, go: true, close: true });
  else app.map.setView([latitude(ring.y), longitude(ring.x)], app.map.getZoom() + 1.5);
}

/** Name what the pointer is over. */
function hover() {
  /** @type {any} */
  let last = null;
  const draw = framed(() => {
    const tip = byId("tip");
    const hit = last && !app.measuring ? under(last.containerPoint, false) : null;
    tip.hidden = !hit;
    app.map.getContainer().style.cursor = app.measuring ? "crosshair" : hit && (hit.layer || hit.ring) ? "pointer" : "";
    if (!hit) return;
    const [mx, my] = placeOf(last.containerPoint);
    fill(tip, tipText(hit), plansAt(mx, my, 7 / screenView().k).map((label) => [el("br"), label]));
    const { x, y } = last.containerPoint;
    const w = app.map.getSize().x;
    tip.style.left = Math.min(x + 14, w - tip.offsetWidth - 6) + "px";
    tip.style.top = Math.max(4, y - tip.offsetHeight - 10) + "px";
    const where = byId("where");
    if (where) where.textContent = `${last.latlng.lng.toFixed(4)}, ${last.latlng.lat.toFixed(4)}`;
  });
  app.map.on("mousemove", (/** @type {any} */ e) => {
    last = e;
    draw();
  });
  app.map.on("mouseout movestart", () => {
    last = null;
    byId("tip").hidden = true;
  });
}

/** @param {any} hit */
function tipText(hit) {
  const { model } = app;
  if (hit.ring) return t("{name}: {n} points, {m} of major level", { name: hit.ring.name || t("Points"), n: hit.ring.n, m: hit.ring.by[4] });
  if (hit.layer) return [el("b", null, itemName(hit.layer, hit.row)), el("br"), nameOf(hit.layer), hit.layer.level[hit.row] ? " · " + levelName(hit.layer.level[hit.row]) : ""];
  const kind = hit.unit !== undefined ? "unit" : "cell";
  const tab = table(/** @type {any} */ (kind));
  const at = kind === "unit" ? hit.unit : hit.cell;
  const home = kind === "unit" ? hit.unit : model.grid.unit[hit.cell];
  const name = home >= 0 ? model.units.names[home] : t("outside all units");
  if (!tab) return name;
  const units = table("unit");
  const own = units && home >= 0 ? scoreLine(units, home) : null;
  if (kind === "unit") return [el("b", null, name), el("br"), own];
  return [el("b", null, name), own ? [el("br"), own] : null, el("br"), t("This cell: {what}", { what: scoreLine(tab, at) })];
}

/** Class and score of a row in words: of what is shown. @param {any} tab @param {number} row */
function scoreLine(tab, row) {
  const now = shownOf(tab);
  return (state.view ? nameOf(tab.nodes.get(state.view)) : className(now.cls[row])) + " · " + score3(now.score[row]);
}

/** Bring something into view. @param {any} chosen */
function goTo(chosen) {
  const { map, model } = app;
  const { units } = model;
  if (chosen.kind === "unit") {
    const b = chosen.at * 4;
    const { box } = units.shape;
    map.fitBounds([[latitude(box[b + 3]), longitude(box[b])], [latitude(box[b + 1]), longitude(box[b + 2])]], { ...spare(), maxZoom: 16, animate: false });
  } else if (chosen.kind === "item") {
    const layer = model.layer.get(chosen.layer);
    const zoom = Math.max(map.getZoom(), 14.5);
    showAt(layer.lat[chosen.at], layer.lon[chosen.at], zoom);
  }
}

/** Put a place in the middle of the free part of the map. @param {number} lat @param {number} lon @param {number} zoom */
function showAt(lat, lon, zoom) {
  const { map } = app;
  const free = spare();
  const shift = free.paddingBottomRight[1] / 2;
  const point = map.project([lat, lon], zoom);
  map.setView(map.unproject([point.x, point.y + shift], zoom), zoom, { animate: false });
}

/** Height of what stands below the map [px]: the foot and, while the layers are closed, the small legend. */
const FOOT = 62;

/** Room that panels take from the map. */
export function spare() {
  const sheet = isPhone() ? byId("right").getBoundingClientRect() : null;
  const stage = byId("stage").getBoundingClientRect();
  const low = sheet ? Math.max(0, stage.bottom - sheet.top) + 24 : FOOT * app.scale;
  const edge = sheet ? 8 : 14 * app.scale;
  return { paddingTopLeft: [edge, edge], paddingBottomRight: [edge, Math.min(low, stage.height * 0.7) + 8] };
}

/** The view that shows everything, as long as nobody has moved the map. */
let whole = { zoom: -1, middle: L.point(0, 0) };
const middleNow = () => app.map.project(app.map.getCenter());

/** Fit everything into the free space. */
export function fitAll() {
  const [x0, y0, x1, y1] = wholeBox();
  if (!(x1 > x0)) return;
  app.map.fitBounds([[latitude(y1), longitude(x0)], [latitude(y0), longitude(x1)]], { ...spare(), animate: false });
  whole = { zoom: app.map.getZoom(), middle: middleNow() };
}

/** Tell those who listen to the page what the scenario chosen does. */
function sayScenario() {
  const { units } = app.model;
  const level = units.levels.length - 1;
  const tab = table("unit");
  const { cls } = tab ? live(tab) : { cls: [] };
  const red = units.rows[level].filter((/** @type {number} */ u) => inTown(u) && cls[u] === 4).length;
  const name = state.scenario || t("Baseline");
  byId("live").textContent = tab ? `${name}: ${t("{level} at major risk", { level: unitLevelName(units.levels[level]) })} ${red}` : name;
}

/** Nothing is chosen any more. */
function unselect() {
  if (!state.selected) return;
  state.selected = null;
  emit("selected", {});
  redraw("points");
}

/** Make the map answer. */
export function startInteraction() {
  app.map.on("resize", () => whole.zoom === app.map.getZoom() && whole.middle.distanceTo(middleNow()) < 3 && fitAll());
  app.map.on("click", clicked);
  app.map.getContainer().addEventListener("keydown", (/** @type {KeyboardEvent} */ e) => {
    if (e.key !== "Enter" || e.target !== app.map.getContainer()) return;
    const { x, y } = app.map.getSize();
    const free = spare().paddingBottomRight[1] - 8;
    const containerPoint = L.point(x / 2, (y - free) / 2);
    app.map.fire("click", { containerPoint, latlng: app.map.containerPointToLatLng(containerPoint), originalEvent: e });
  });
  hover();
  on("select", (/** @type {any} */ chosen) => {
    state.selected = { kind: chosen.kind, at: chosen.at, layer: chosen.layer };
    if (chosen.kind === "item" && !state.shown[chosen.layer]) {
      state.shown[chosen.layer] = true;
      emit("layers");
    }
    if (!chosen.stay) openTab("detail");
    if (chosen.go) goTo(chosen);
    emit("selected", chosen);
    redraw("points");
    byId("live").textContent = chosen.kind === "item" ? itemName(app.model.layer.get(chosen.layer), chosen.at) : chosen.kind === "unit" ? app.model.units.names[chosen.at] : "";
  });
  on("unselect", unselect);
  document.addEventListener("keydown", (e) => {
    document.body.classList.add("by-keys");
    if (e.key === "Escape" && !e.defaultPrevented && e.target === app.map.getContainer() && !app.measuring && !document.body.classList.contains("big")) unselect();
  }, true);
  document.addEventListener("pointerdown", () => document.body.classList.remove("by-keys"), true);
  on("scenario", sayScenario);
  on("goto", (/** @type {any} */ place) => {
    const [x, y] = [mercatorX(place.lon), mercatorY(place.lat)];
    const cell = table("cell") ? cellAt(x, y) : -1;
    const unit = unitAt(x, y);
    if (cell < 0 && unit < 0) return say(t("{place} lies outside the area of this map", { place: place.name }));
    showAt(place.lat, place.lon, 15);
    emit("select", cell >= 0 ? { kind: "cell", at: cell } : { kind: "unit", at: unit });
  });
  on("pickTown", (/** @type {number} */ unit) => {
    state.town = unit;
    emit("town");
    if (unit >= 0) goTo({ kind: "unit", at: unit });
    else fitAll();
  });
}
