// @ts-check
/** Counts of classes and levels: all, and those in view. */
import { matchesFilter } from "../data/items.js";
import { inTown, table } from "../data/model.js";
import { loadBlocks, read } from "../data/read.js";
import { screenBox } from "../draw/canvas.js";
import { app, emit, figures, state } from "./core.js";
import { live, moved, shownOf } from "./score.js";

/**
 * Cells by class, within the filtered town.
 * @returns {{all: number[], view: number[], people: number[]}}
 */
export function cellCounts() {
  const { grid } = app.model;
  const tab = table("cell");
  const out = { all: [0, 0, 0, 0, 0], view: [0, 0, 0, 0, 0], people: [0, 0, 0, 0, 0] };
  if (!grid || !tab) return out;
  const { cls } = shownOf(tab);
  const mask = new Uint8Array(app.model.units.n + 1);
  for (let u = -1; u < app.model.units.n; u++) mask[u + 1] = inTown(u) ? 1 : 0;
  for (let i = 0; i < grid.n; i++) {
    if (!mask[grid.unit[i] + 1]) continue;
    out.all[cls[i]]++;
    if (grid.population && grid.population[i] > 0) out.people[cls[i]] += grid.population[i];
  }
  const [x0, y0, x1, y1] = screenBox();
  const corners = [[x0, y0], [x1, y0], [x0, y1], [x1, y1]].map(([x, y]) => grid.mapping.toGrid(x, y, [0, 0]));
  const c0 = clamp(Math.min(...corners.map((p) => p[0])), grid.cols);
  const c1 = clamp(Math.max(...corners.map((p) => p[0])), grid.cols);
  const r0 = clamp(Math.min(...corners.map((p) => p[1])), grid.rows);
  const r1 = clamp(Math.max(...corners.map((p) => p[1])), grid.rows);
  for (let r = r0; r < r1; r++) {
    for (let c = c0, at = r * grid.cols + c0; c < c1; c++, at++) {
      const i = grid.cellAt[at];
      if (i >= 0 && mask[grid.unit[i] + 1]) out.view[cls[i]]++;
    }
  }
  return out;
}

/** @param {number} v @param {number} n */
function clamp(v, n) {
  return Math.max(0, Math.min(n, Math.round(v)));
}

/** Units of the level shown, by class. */
export function unitCounts() {
  const { units } = app.model;
  const out = { all: [0, 0, 0, 0, 0], view: [0, 0, 0, 0, 0] };
  const tab = table("unit");
  if (!tab) return out;
  const { cls } = shownOf(tab);
  const [x0, y0, x1, y1] = screenBox();
  for (const u of units.rows[state.level]) {
    if (!inTown(u) && units.level[u] >= units.level[Math.max(0, state.town)]) continue;
    out.all[cls[u]]++;
    const b = u * 4;
    const { box } = units.shape;
    if (box[b] < x1 && box[b + 2] > x0 && box[b + 1] < y1 && box[b + 3] > y0) out.view[cls[u]]++;
  }
  return out;
}

/** Objects of a layer by level, after town and state filters. @param {any} layer */
export function layerCounts(layer) {
  const out = { all: [0, 0, 0, 0, 0], view: [0, 0, 0, 0, 0], n: 0, seen: 0 };
  const [x0, y0, x1, y1] = screenBox();
  const plain = state.town < 0 && !state.filter;
  if (plain && layer.box[0] >= x0 && layer.box[1] >= y0 && layer.box[2] <= x1 && layer.box[3] <= y1) {
    return { all: layer.counts, view: layer.counts, n: layer.n, seen: layer.n };
  }
  const { x, y, level, unit, n } = layer;
  for (let i = 0; i < n; i++) {
    if (!plain && !(inTown(unit[i]) && matchesFilter(layer, i))) continue;
    out.n++;
    out.all[level[i]]++;
    if (x[i] < x0 || x[i] > x1 || y[i] < y0 || y[i] > y1) continue;
    out.seen++;
    out.view[level[i]]++;
  }
  return out;
}

// How sure a unit's class is, and who has no refuge near: what lists, cards and details share.

/** Below this share of draws a class is called unsure. */
export const UNSURE = 0.6;
const CLOSE = 0.01;

/** Does the run say who lives far from every refuge? */
export function hasRefuges() {
  return !!app.model.units.farShare;
}

/** Does the run say how stable classes are, and do the weights stand as they were? */
export function hasStability() {
  const tab = table("unit");
  return !!(tab && tab.stability && live(tab) === tab.base);
}

/** How far is far from every refuge [km]. */
export function farKm() {
  const preset = app.model.presets.find((/** @type {any} */ p) => p.key === "refuge.far_m");
  return figures(preset ? preset.value / 1000 : 1);
}

/** People of a unit who live too far from every refuge, NaN where nobody knows. @param {number} unit */
export function peopleFar(unit) {
  const { far } = app.model.units;
  return far ? far[unit] : NaN;
}

/** Does nobody of a unit live near a refuge? @param {number} unit */
export function isFar(unit) {
  const { farShare } = app.model.units;
  return !!farShare && farShare[unit] >= 1;
}

/** Distance of a score to the nearest limit of its class when that is small, else NaN. @param {number} row @param {any} tab */
export function nearLimit(row, tab = table("unit")) {
  const score = live(tab).score[row];
  const gap = Math.min(...tab.tree.breaks.map((/** @type {number} */ b) => Math.abs(score - b)));
  return gap < CLOSE ? gap : NaN;
}

/** Share of random draws that give a unit the same class, NaN where it is not known. @param {number} unit */
export function sureOf(unit) {
  if (!hasStability()) return NaN;
  const share = table("unit").stability[unit];
  return share > 1 ? share / 100 : share;
}

/** Is a unit's class only just what it is? @param {number} unit */
export function isUnsure(unit) {
  return sureOf(unit) < UNSURE || Number.isFinite(nearLimit(unit));
}

// Why a unit stands where it stands, in a sentence that the run has made.

/** @type {Record<string, Record<string, string[]>>} */
let sentences = {};

/** Unpack the sentences. */
export async function loadReasons() {
  const { why } = app.model;
  if (!why) return;
  await loadBlocks([why.b]);
  sentences = JSON.parse(new TextDecoder().decode(read(why)));
  emit("why");
}

/** The sentence of a unit under the scenario chosen; "" where there is none or the weights are moved. @param {number} unit */
export function reasonOf(unit) {
  if (moved()) return "";
  const own = sentences[state.scenario] || sentences[""];
  const said = own && own[state.lang === "en" ? "en" : "zh"];
  return (said && said[unit]) || "";
}
