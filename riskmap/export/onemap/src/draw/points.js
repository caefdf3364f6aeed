// @ts-check
/** Points: symbols nearby, rings of level shares by town from afar, labels that give way. */
import { app, state, t } from "../model/core.js";
import { inTown, table, unitSpan } from "../data/model.js";
import { classColours, FONT, makeTaken, placeLabel, short, writeLabel } from "./labels.js";
import { drawSelection, screenView } from "./canvas.js";
import { drawPlans } from "./plans.js";
import { sprite } from "./symbols.js";
import { matchesFilter } from "../data/items.js";
import { shownOf, worstUnits } from "../model/score.js";

/** @typedef {import("./canvas.js").View} View */
/** @typedef {import("./labels.js").Taken} Taken */

/** @typedef {{layer: any, rows: Uint32Array}} Shown */
/** @typedef {{key: string, layers: Shown[], total: number, drawn: Rings | null}} Points */

/** @type {Points} */
const kept = { key: "", layers: [], total: 0, drawn: null };

/** The point layers that are switched on, with the rows that pass all filters. */
export function visiblePoints() {
  const key = JSON.stringify([state.shown, state.levelOff, state.town, state.filter]);
  if (kept.key === key) return kept;
  kept.key = key;
  kept.layers = [];
  kept.total = 0;
  for (const layer of [...app.model.things].sort((a, b) => Number(!!b.shape) - Number(!!a.shape) || b.n - a.n)) {
    if (!state.shown[layer.id]) continue;
    const rows = passing(layer);
    kept.layers.push({ layer, rows });
    kept.total += rows.length;
  }
  return kept;
}

/** Does the picture show objects at their own places, and not only rings of units? */
export function asksPlaces() {
  const points = visiblePoints();
  return points.total > 0 && bundleLevel(/** @type {View} */ (/** @type {any} */ (screenView())), points) < 0;
}

/** Rows of a layer that pass all filters. @param {any} layer */
function passing(layer) {
  const rows = new Uint32Array(layer.n);
  const off = [0, 1, 2, 3, 4].map((c) => !!state.levelOff[layer.id + c]);
  const { level, unit, n } = layer;
  const plain = state.town < 0 && !state.filter;
  if (plain && !off.some((hidden) => hidden)) {
    for (let i = 0; i < n; i++) rows[i] = i;
    return rows;
  }
  let count = 0;
  for (let i = 0; i < n; i++) {
    if (off[level[i]] || !(plain || (inTown(unit[i]) && matchesFilter(layer, i)))) continue;
    rows[count++] = i;
  }
  return rows.subarray(0, count);
}

/**
 * Colour of an object.
 * @param {any} layer
 * @param {number} row
 */
export function itemColour(layer, row) {
  return layer.level[row] ? classColours()[layer.level[row]] : layer.colour || "#4a5f78";
}

/**
 * Draw points, rings, labels, plans and the selection.
 * @param {View} view
 */
export function drawPoints(view) {
  const taken = makeTaken();
  drawPlans(view, false);
  drawSelection(view);
  const points = visiblePoints();
  const made = makeRings(view, points);
  const { level, rings } = made;
  if (view.target === "map") kept.drawn = made;
  const named = state.shown.labels && (view.target !== "map" || !!document.documentElement.dataset.ready); // names follow in the next frame
  const worst = named ? worstLabels(view, taken) : [];
  if (level === -1) drawSymbols(view, points, taken);
  else drawRings(view, rings, taken);
  drawPlans(view, true);
  for (const draw of worst) draw();
  if (named) drawLabels(view, points, level, taken);
  drawChosenItem(view);
}

/** @param {View} view @param {Points} points @param {Taken} taken */
function drawSymbols(view, points, taken) {
  const size = view.zoom >= 15 ? 8 : view.zoom >= 13 ? 6.5 : 5;
  const { ctx, k, ox, oy } = view;
  let drawn = 0;
  for (const { layer, rows } of points.layers) {
    ctx.globalAlpha = state.opacity[layer.id];
    const { x: xs, y: ys, level } = layer;
    /** @type {HTMLCanvasElement[]} */
    const pictures = [];
    for (const i of rows) {
      const x = xs[i] * k - ox;
      const y = ys[i] * k - oy;
      if (x < -12 || y < -12 || x > view.w + 12 || y > view.h + 12) continue;
      const picture = pictures[level[i]] || (pictures[level[i]] = sprite(layer.symbol, itemColour(layer, i), size, view.m));
      const half = picture.width / view.m / 2;
      ctx.drawImage(picture, x - half, y - half, half * 2, half * 2);
      if (++drawn < 4000) taken.add({ x: x - size, y: y - size, w: size * 2, h: size * 2 });
    }
  }
  ctx.globalAlpha = 1;
}

/**
 * A free place for a ring near its own: there, or a little beside it.
 * @param {number} x
 * @param {number} y
 * @param {number} r
 * @param {Taken} taken
 */
function freePlace(x, y, r, taken) {
  for (const far of [0, 1.5, 2.4]) {
    for (let a = 0; a < (far ? 8 : 1); a++) {
      const px = x + far * r * Math.cos((a * Math.PI) / 4);
      const py = y + far * r * Math.sin((a * Math.PI) / 4);
      const box = { x: px - r - 1, y: py - r - 1, w: 2 * r + 2, h: 2 * r + 2 };
      if (!taken.hits(box)) return { x: px, y: py, box };
    }
  }
  return { x, y, box: { x: x - r, y: y - r, w: 2 * r, h: 2 * r } };
}

/** @param {View} view @param {any[]} rings @param {Taken} taken */
function drawRings(view, rings, taken) {
  const { ctx, k, ox, oy } = view;
  const colours = classColours();
  for (const ring of rings) {
    const rx = ring.x * k - ox;
    const ry = ring.y * k - oy;
    if (rx < -40 || ry < -40 || rx > view.w + 40 || ry > view.h + 40) continue;
    const r = Math.min(16, 8 + Math.log10(ring.n) * 3);
    const { x, y, box } = freePlace(rx, ry, r, taken);
    taken.add(box);
    ring.sx = (x + ox) / k;
    ring.sy = (y + oy) / k;
    ctx.beginPath();
    ctx.arc(x, y, r + 1.2, 0, 7);
    ctx.fillStyle = "rgba(22,32,44,.85)";
    ctx.fill();
    let from = -Math.PI / 2;
    for (let c = 4; c >= 0; c--) {
      if (!ring.by[c]) continue;
      const to = from + (ring.by[c] / ring.n) * 2 * Math.PI;
      ctx.beginPath();
      ctx.moveTo(x, y);
      ctx.arc(x, y, r, from, to);
      ctx.fillStyle = c ? colours[c] : "#8593a3";
      ctx.fill();
      from = to;
    }
    ctx.beginPath();
    ctx.arc(x, y, r - 3.2, 0, 7);
    ctx.fillStyle = "#ffffff";
    ctx.fill();
    ctx.fillStyle = "#16202c";
    ctx.font = `600 ${ring.n > 999 ? 8 : ring.n > 99 ? 9.5 : 10}px ${FONT}`;
    ctx.textAlign = "center";
    ctx.textBaseline = "middle";
    ctx.fillText(ring.n > 9999 ? Math.round(ring.n / 1000) + "k" : String(ring.n), x, y + 0.5);
  }
}

/** So many of the worst units are named on the map whatever is in the way. */
const WORST = 5;

/**
 * Keep room for the names of the worst units; what writes them.
 * @param {View} view
 * @param {Taken} taken
 */
function worstLabels(view, taken) {
  const { units } = app.model;
  const { k, ox, oy } = view;
  const size = 13;
  view.ctx.font = `700 ${size}px ${FONT}`;
  return worstUnits(WORST).map((u, i) => {
    const [x, y] = [units.x(u) * k - ox, units.y(u) * k - oy];
    if (x < 0 || y < 0 || x > view.w || y > view.h) return () => {};
    const label = `${i + 1} ${short(units.name(u))}`;
    const w = view.ctx.measureText(label).width;
    const boxAt = (/** @type {number[]} */ [dx, dy]) => ({ x: x + dx - w / 2 - 2, y: y + dy - size / 2 - 2, w: w + 4, h: size + 4 });
    const tried = [[0, 0], [0, -18], [0, 18], [w / 2 + 10, 0], [-w / 2 - 10, 0], [0, -36], [0, 36], [0, 54], [0, -54]];
    const place = tried.find((d) => !taken.hits(boxAt(d))) || tried[0];
    taken.add(boxAt(place));
    return () => writeLabel(view, label, x + place[0], y + place[1], size, 700, "#7a0010");
  });
}

/** @param {View} view @param {Points} points @param {number} bundled @param {Taken} taken */
function drawLabels(view, points, bundled, taken) {
  const { units } = app.model;
  const { k, ox, oy } = view;
  const cls = table("unit") ? shownOf(table("unit")).cls : null;
  const worst = new Set(worstUnits(WORST));
  for (let l = 0; l < units.levels.length; l++) {
    const px = unitSpan(l) * k;
    const finest = l > 0 && l === units.levels.length - 1;
    if (px < (finest ? 110 : 40) || px > 2600) continue;
    const size = l === 0 ? 16 : finest ? 11.5 : 12.5;
    for (const u of units.rows[l]) {
      if ((!inTown(u) && state.town >= 0) || worst.has(u)) continue;
      if (l > 0 && px < 240 && cls && cls[u] < 3) continue;
      const x = units.x(u) * k - ox;
      const y = units.y(u) * k - oy;
      for (const shift of l === 0 ? [0, -26, 26, -44, 44] : [0, -15, 15]) {
        if (placeLabel(view, short(units.name(u)), x, y + shift, size, taken, l === 0 ? 700 : 500, l > 1 ? "#35475c" : "#16202c")) break;
      }
    }
  }
  const { neighbours } = app.model;
  for (let i = 0; neighbours && i < neighbours.n; i++) placeLabel(view, short(neighbours.name(i)), neighbours.x[i] * k - ox, neighbours.y[i] * k - oy, 13, taken, 400, "#5d6875");
  if (bundled !== -1 || view.zoom < 14.5) return;
  let written = 0;
  let tried = 0;
  const chosen = state.selected;
  for (const { layer, rows } of points.layers) {
    for (const i of rows) {
      if (chosen && chosen.kind === "item" && chosen.layer === layer.id && chosen.at === i) continue;
      const x = layer.x[i] * k - ox;
      const y = layer.y[i] * k - oy;
      if (x < 0 || y < 0 || x > view.w || y > view.h) continue;
      if (placeLabel(view, short(layer.name(i) || t("(no name)")), x, y + 17, 11, taken, 400) && ++written > 250) return;
      if (++tried > 1500) return;
    }
  }
}

/** The chosen object, above everything. @param {View} view */
function drawChosenItem(view) {
  const chosen = state.selected;
  if (!chosen || chosen.kind !== "item") return;
  const layer = app.model.layer.get(chosen.layer);
  const x = layer.x[chosen.at] * view.k - view.ox;
  const y = layer.y[chosen.at] * view.k - view.oy;
  const { ctx } = view;
  ctx.beginPath();
  ctx.arc(x, y, 15, 0, 7);
  ctx.strokeStyle = "#ffffff";
  ctx.lineWidth = 5;
  ctx.stroke();
  ctx.strokeStyle = "#0b2d4f";
  ctx.lineWidth = 2.4;
  ctx.stroke();
  const picture = sprite(layer.symbol, itemColour(layer, chosen.at), 9, view.m);
  const half = picture.width / view.m / 2;
  ctx.drawImage(picture, x - half, y - half, half * 2, half * 2);
  placeLabel(view, short(layer.name(chosen.at) || t("(no name)"), 18), x, y + 25, 12, makeTaken(), 600);
}

/**
 * What stands at a place of the screen: an object or a ring.
 * @param {View} view
 * @param {number} px
 * @param {number} py
 * @param {number} reach [px]
 */
export function pointAt(view, px, py, reach) {
  const points = visiblePoints();
  const { level, rings } = kept.drawn || makeRings(view, points);
  /** @type {any} */
  let best = null;
  let least = reach;
  for (const ring of rings) {
    const d = Math.hypot((ring.sx || ring.x) * view.k - view.ox - px, (ring.sy || ring.y) * view.k - view.oy - py);
    if (d < least + 6) {
      least = d;
      best = { ring };
    }
  }
  if (level !== -1) return best;
  for (const { layer, rows } of points.layers) {
    for (const i of rows) {
      const d = Math.hypot(layer.x[i] * view.k - view.ox - px, layer.y[i] * view.k - view.oy - py);
      if (d <= least) {
        least = d;
        best = { layer, row: i };
      }
    }
  }
  return best;
}

// Which points are bundled into rings, by town where there are towns.


const FEW = 130;
const RING_PIXELS = [58, 300];
const NEAR_ZOOM = 14;

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

const keptRings = { key: "", made: /** @type {Rings | null} */ (null) };

/**
 * Rings: places, counts by level, name.
 * @param {View} view
 * @param {Points} points
 * @returns {Rings}
 */
export function makeRings(view, points) {
  const level = bundleLevel(view, points);
  if (level === -1) return { level, graded: false, rings: [] };
  const key = [points.key, level, level === -2 ? Math.floor(view.zoom) : 0].join();
  if (keptRings.key !== key || !keptRings.made) {
    keptRings.key = key;
    keptRings.made = collectRings(view, points, level);
  }
  return keptRings.made;
}

/**
 * @param {View} view
 * @param {Points} points
 * @param {number} level
 * @returns {Rings}
 */
function collectRings(view, points, level) {
  const { units } = app.model;
  const step = 2 ** -Math.floor(view.zoom) / 2.4;
  const graded = points.layers.some((p) => p.layer.counts[0] < p.layer.n && p.rows.some((i) => p.layer.level[i] > 0));
  const slot = level >= 0 ? unitSlots(level) : squareSlots(points, step);
  const by = new Uint32Array(slot.n * 5);
  const at = level >= 0 ? null : new Float64Array(slot.n * 2);
  for (const { layer, rows } of points.layers) {
    const { unit, level: grade } = layer;
    if (slot.above) {
      const { above } = slot;
      for (let k = 0; k < rows.length; k++) {
        const g = grade[rows[k]];
        const u = unit[rows[k]];
        if (g || !graded) by[5 * (u >= 0 ? above[u] + 1 : 0) + g]++;
      }
      continue;
    }
    const [x, y] = at ? [layer.x, layer.y] : []; // places are worked out when they are asked for
    for (let k = 0; k < rows.length; k++) {
      const i = rows[k];
      if (graded && !grade[i]) continue;
      const key = slot.of(layer, i);
      by[5 * key + grade[i]]++;
      if (!at) continue;
      at[2 * key] += x[i];
      at[2 * key + 1] += y[i];
    }
  }
  /** @type {Ring[]} */
  const rings = [];
  for (let key = 0, b = 0; key < slot.n; key++, b += 5) {
    const n = by[b] + by[b + 1] + by[b + 2] + by[b + 3] + by[b + 4];
    if (n) rings.push({ unit: level >= 0 ? key - 1 : -1, n, x: at ? at[2 * key] : 0, y: at ? at[2 * key + 1] : 0, by: Array.from(by.subarray(b, b + 5)), name: "" });
  }
  const graded4 = graded && rings.some((ring) => ring.by[4] > 0);
  const drawn = graded4 ? rings.filter((ring) => ring.by[4] > 0) : rings;
  for (const ring of drawn) {
    const named = ring.unit >= 0;
    ring.x = named ? units.x(ring.unit) : ring.x / ring.n;
    ring.y = named ? units.y(ring.unit) : ring.y / ring.n;
    ring.name = named ? units.name(ring.unit) : "";
  }
  return { level, graded, rings: drawn.sort((a, b) => b.n - a.n) };
}

/** Rings by unit of a level; 0 = outside all units. @param {number} level */
function unitSlots(level) {
  const { units } = app.model;
  return { n: units.n + 1, above: /** @type {Int32Array} */ (units.above[level]), of: () => 0 };
}

/**
 * Rings by squares of the map.
 * @param {Points} points
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
  return { n: wide * high || 1, above: null, of: (/** @type {any} */ layer, /** @type {number} */ i) => (Math.floor(layer.y[i] / step) - top) * wide + Math.floor(layer.x[i] / step) - left };
}
