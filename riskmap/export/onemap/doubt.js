// @ts-check
/** How sure a unit's class is, and how far its refuge: what lists, cards and details share. */
import { app } from "./core.js";
import { metres } from "./geo.js";
import { table } from "./model.js";
import { live } from "./score.js";

/** A refuge farther than this is counted as far [m]. */
export const FAR_M = 1000;
/** Below this share of draws a class is called unsure. */
export const UNSURE = 0.6;
const CLOSE = 0.01;

/** Are there refuges? */
export function hasRefuges() {
  const layer = app.model.layer.get("refuge");
  return !!(layer && layer.idOf && layer.n > layer.outOfUse.size);
}

/** Does the run say how stable classes are, and do the weights stand as they were? */
export function hasStability() {
  const tab = table("unit");
  return !!(tab && tab.stability && live(tab) === tab.base);
}

/** Straight-line distance from a unit's label point to the nearest refuge [m]. @param {number} unit */
export function toRefuge(unit) {
  if (!hasRefuges()) return NaN;
  const { units } = app.model;
  units.refuge = units.refuge || [];
  if (units.refuge[unit] === undefined) units.refuge[unit] = nearestOf(units.lon[unit], units.lat[unit]);
  return units.refuge[unit];
}

/** @type {{lon: Float64Array, lat: Float64Array} | null} */
let sorted = null;
const DEGREE_M = 111195;

/** Distance to the nearest refuge [m]; they are sorted by latitude, so that few are looked at. @param {number} lon @param {number} lat */
function nearestOf(lon, lat) {
  const layer = app.model.layer.get("refuge");
  if (!sorted) {
    const order = Array.from({ length: layer.n }, (_, i) => i).filter((i) => !layer.outOfUse.has(i)).sort((a, b) => layer.lat[a] - layer.lat[b]);
    sorted = { lon: Float64Array.from(order, (i) => layer.lon[i]), lat: Float64Array.from(order, (i) => layer.lat[i]) };
  }
  const across = Math.cos((lat * Math.PI) / 180);
  const { length } = sorted.lat;
  let [low, high] = [0, length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted.lat[middle] < lat) low = middle + 1;
    else high = middle;
  }
  let best = Infinity;
  let at = -1;
  for (const step of [1, -1]) {
    for (let i = step > 0 ? low : low - 1; i >= 0 && i < length; i += step) {
      const dy = sorted.lat[i] - lat;
      if (dy * dy >= best) break;
      const dx = (sorted.lon[i] - lon) * across;
      if (dx * dx + dy * dy < best) best = dx * dx + dy * dy, at = i;
    }
  }
  return at < 0 || best > 4 ? Math.sqrt(best) * DEGREE_M : metres(lon, lat, sorted.lon[at], sorted.lat[at]);
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
