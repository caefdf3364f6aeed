// @ts-check
/** Which points are bundled into rings, by town where there are towns. */
import { app } from "./core.js";

/** @typedef {import("./canvas.js").View} View */

const FEW = 130;
const RING_PIXELS = [58, 300];
const NEAR_ZOOM = 14;

/** Typical size of a unit of a level on the Mercator square: the median of a thousand. @param {number} level */
export function unitSpan(level) {
  const { units } = app.model;
  units.span = units.span || [];
  if (units.span[level] === undefined) {
    const { box } = units.shape;
    const rows = units.rows[level];
    const sizes = new Float64Array(Math.min(rows.length, 1000));
    for (let i = 0; i < sizes.length; i++) {
      const b = 4 * rows[Math.floor((i * rows.length) / sizes.length)];
      sizes[i] = Math.sqrt((box[b + 2] - box[b]) * (box[b + 3] - box[b + 1]));
    }
    sizes.sort();
    units.span[level] = sizes[sizes.length >> 1] || 0;
  }
  return units.span[level];
}

/**
 * The level whose units bundle the points, -1 for none, -2 for a plain raster.
 * @param {View} view
 * @param {any} points
 */
function bundleLevel(view, points) {
  if (view.zoom >= NEAR_ZOOM || points.total <= FEW) return -1;
  const { units } = app.model;
  let tooWide = false;
  for (let l = units.levels.length - 1; l >= 0; l--) {
    const px = unitSpan(l) * view.k;
    if (px < RING_PIXELS[0]) continue;
    if (px > RING_PIXELS[1]) {
      tooWide = true;
      continue;
    }
    if (points.total / units.rows[l].length >= 4) return l;
  }
  if (units.levels.length && !tooWide && points.total < 3000) return unitSpan(0) * view.k < RING_PIXELS[0] ? 0 : -1;
  return points.total > 3000 && view.zoom < 13 ? -2 : -1;
}

/**
 * A ring: its unit (-1 = none), count, place, counts by level, name, and where it was drawn.
 * @typedef {{unit: number, n: number, x: number, y: number, by: number[], name: string, sx?: number, sy?: number}} Ring
 * @typedef {{level: number, graded: boolean, rings: Ring[]}} Rings
 */

const kept = { key: "", made: /** @type {Rings | null} */ (null) };

/**
 * Rings: places, counts by level, name.
 * @param {View} view
 * @param {import("./points.js").Points} points
 * @returns {Rings}
 */
export function makeRings(view, points) {
  const level = bundleLevel(view, points);
  if (level === -1) return { level, graded: false, rings: [] };
  const key = [points.key, level, level === -2 ? Math.floor(view.zoom) : 0].join();
  if (kept.key !== key || !kept.made) {
    kept.key = key;
    kept.made = collectRings(view, points, level);
  }
  return kept.made;
}

/**
 * @param {View} view
 * @param {import("./points.js").Points} points
 * @param {number} level
 * @returns {Rings}
 */
function collectRings(view, points, level) {
  const { units } = app.model;
  const step = 2 ** -Math.floor(view.zoom) / 2.4;
  const graded = points.layers.some((p) => p.layer.counts[0] < p.layer.n && p.rows.some((i) => p.layer.level[i] > 0));
  /** @type {Ring[]} */
  const rings = [];
  const slot = level >= 0 ? unitSlots(level) : squareSlots(points, step);
  const at = new Int32Array(slot.n).fill(-1);
  for (const { layer, rows } of points.layers) {
    const { unit, level: grade } = layer;
    for (let k = 0; k < rows.length; k++) {
      const i = rows[k];
      if (graded && !grade[i]) continue;
      const key = slot.of(layer, i, unit[i]);
      if (at[key] < 0) at[key] = rings.push({ unit: level >= 0 ? key - 1 : -1, n: 0, x: 0, y: 0, by: [0, 0, 0, 0, 0], name: "" }) - 1;
      const ring = rings[at[key]];
      ring.n++;
      ring.by[grade[i]]++;
      if (ring.unit >= 0) continue;
      ring.x += layer.x[i];
      ring.y += layer.y[i];
    }
  }
  for (const ring of rings) {
    const named = ring.unit >= 0;
    ring.x = named ? units.x[ring.unit] : ring.x / ring.n;
    ring.y = named ? units.y[ring.unit] : ring.y / ring.n;
    ring.name = named ? units.name(ring.unit) : "";
  }
  return { level, graded, rings: rings.sort((a, b) => b.n - a.n) };
}

/** Rings by unit of a level; 0 = outside all units. @param {number} level */
function unitSlots(level) {
  const { units } = app.model;
  const above = units.above[level];
  return { n: units.n + 1, of: (/** @type {any} */ _, /** @type {number} */ __, /** @type {number} */ unit) => (unit >= 0 ? above[unit] + 1 : 0) };
}

/**
 * Rings by squares of the map.
 * @param {import("./points.js").Points} points
 * @param {number} step
 */
function squareSlots(points, step) {
  const boxes = points.layers.map(({ layer }) => layer.box);
  const [x0, y0] = [0, 1].map((i) => Math.min(...boxes.map((b) => b[i])) - step);
  const [x1, y1] = [2, 3].map((i) => Math.max(...boxes.map((b) => b[i])) + step);
  const left = Math.floor(x0 / step);
  const top = Math.floor(y0 / step);
  const wide = Math.floor(x1 / step) - left + 1;
  const high = Math.floor(y1 / step) - top + 1;
  return { n: wide * high || 1, of: (/** @type {any} */ layer, /** @type {number} */ i) => (Math.floor(layer.y[i] / step) - top) * wide + Math.floor(layer.x[i] / step) - left };
}
