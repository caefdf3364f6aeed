// @ts-check
/** Which points are bundled into rings, by town where there are towns. */
import { app } from "./core.js";

/** @typedef {import("./canvas.js").View} View */

const FEW = 130;
const RING_PIXELS = [58, 300];
const NEAR_ZOOM = 14;

/** Typical size of a unit of a level on the Mercator square. */
export function unitSpan(/** @type {number} */ level) {
  const { units } = app.model;
  units.span = units.span || [];
  if (units.span[level] === undefined) {
    const sizes = units.rows[level].map((/** @type {number} */ u) => {
      const b = u * 4;
      return Math.sqrt((units.shape.box[b + 2] - units.shape.box[b]) * (units.shape.box[b + 3] - units.shape.box[b + 1]));
    });
    sizes.sort((/** @type {number} */ a, /** @type {number} */ b) => a - b);
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
 * Rings: places, counts by level, name.
 * @param {View} view
 * @param {any} points
 */
export function makeRings(view, points) {
  const level = bundleLevel(view, points);
  if (level === -1) return { level, rings: [] };
  const key = [points.key, level, level === -2 ? Math.floor(view.zoom) : 0].join();
  if (kept.key !== key) {
    kept.key = key;
    kept.made = collectRings(view, points, level);
  }
  return kept.made;
}
const kept = { key: "", /** @type {any} */ made: null };

/** @param {View} view @param {any} points @param {number} level */
function collectRings(view, points, level) {
  const { units } = app.model;
  /** @type {Map<any, any>} */
  const rings = new Map();
  const step = 2 ** -Math.floor(view.zoom) / 2.4;
  const graded = points.layers.some((/** @type {any} */ p) => p.rows.some((/** @type {number} */ i) => p.layer.level[i]));
  for (const { layer, rows } of points.layers) {
    for (const i of rows) {
      if (graded && !layer.level[i]) continue;
      const u = level >= 0 ? (layer.unit[i] >= 0 ? units.above[level][layer.unit[i]] : -1) : -1;
      const key = level >= 0 ? u : Math.floor(layer.x[i] / step) + "/" + Math.floor(layer.y[i] / step);
      let ring = rings.get(key);
      if (!ring) rings.set(key, (ring = { unit: u, n: 0, x: 0, y: 0, by: [0, 0, 0, 0, 0] }));
      ring.n++;
      ring.by[layer.level[i]]++;
      ring.x += layer.x[i];
      ring.y += layer.y[i];
    }
  }
  for (const ring of rings.values()) {
    const named = ring.unit >= 0;
    ring.x = named ? units.x[ring.unit] : ring.x / ring.n;
    ring.y = named ? units.y[ring.unit] : ring.y / ring.n;
    ring.name = named ? units.names[ring.unit] : "";
  }
  return { level, graded, rings: [...rings.values()].sort((a, b) => b.n - a.n) };
}

