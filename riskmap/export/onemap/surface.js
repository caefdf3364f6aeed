// @ts-check
/** The risk surface: grid cells as pixels, units as filled outlines. */
import { app, state } from "./core.js";
import { inTown, table } from "./model.js";
import { pixel, surfaceColours } from "./palette.js";
import { live, shownOf } from "./score.js";
import { traceShape } from "./vectors.js";

/** @typedef {import("./canvas.js").View} View */

/** @type {HTMLCanvasElement | null} */
let sheet = null;
const kept = { key: "", now: /** @type {Uint8Array | null} */ (null), was: /** @type {Uint8Array | null} */ (null) };
const STEP = 32;

/** Forget the pictures of the cells, because what they show has changed. */
export function staleSurface() {
  kept.key = "";
}

/**
 * A picture with one byte per grid place: 0 nothing, 1 + class, + 8 where another town is.
 * @param {Uint8Array} cls
 * @param {Uint8Array | null} out
 */
function picture(cls, out) {
  const { grid } = app.model;
  const img = out || new Uint8Array(grid.rows * grid.cols);
  const off = [0, 1, 2, 3, 4].map((c) => !!state.classOff[c]);
  const all = state.town < 0;
  const near = all ? null : townMask();
  for (let i = 0; i < grid.n; i++) {
    const c = cls[i];
    img[grid.flat[i]] = off[c] ? 0 : c + 1 + (all || /** @type {Uint8Array} */ (near)[grid.unit[i] + 1] ? 0 : 8);
  }
  return img;
}

/** For each unit + 1: does it lie in the filtered town? */
function townMask() {
  const out = new Uint8Array(app.model.units.n + 1);
  for (let u = 0; u < app.model.units.n; u++) out[u + 1] = inTown(u) ? 1 : 0;
  return out;
}

/** Classes at the start, for the left side of the comparison. */
function before(/** @type {"unit" | "cell"} */ kind) {
  const tab = table(kind, "");
  return tab ? tab.base.cls : null;
}

/**
 * Draw grid and units.
 * @param {View} view
 */
export function drawSurface(view) {
  if (state.shown.grid && app.model.grid) drawCells(view);
  if (state.shown.units) drawUnits(view);
}

/** @param {View} view */
function drawCells(view) {
  const { grid } = app.model;
  const tab = table("cell");
  const key = [state.scenario, state.town, state.compare, JSON.stringify([state.classOff, state.weights, state.view])].join("/");
  if (kept.key !== key) {
    kept.now = picture(shownOf(tab).cls, kept.now);
    kept.was = state.compare ? picture(/** @type {Uint8Array} */ (before("cell")), kept.was) : null;
    kept.key = key;
  }
  const m = view.target === "map" ? 1 : view.m;
  const w = Math.round(view.w * m);
  const h = Math.round(view.h * m);
  sheet = sheet || document.createElement("canvas");
  if (sheet.width !== w || sheet.height !== h) {
    sheet.width = w;
    sheet.height = h;
  }
  const ctx = /** @type {CanvasRenderingContext2D} */ (sheet.getContext("2d", { willReadFrequently: true }));
  const image = ctx.createImageData(w, h);
  resample({ ...view, m }, new Uint32Array(image.data.buffer), w, h);
  ctx.putImageData(image, 0, 0);
  view.ctx.save();
  view.ctx.globalAlpha = state.opacity.grid;
  view.ctx.imageSmoothingEnabled = false;
  view.ctx.drawImage(sheet, 0, 0, w, h, 0, 0, view.w, view.h);
  view.ctx.restore();
  if (cellPixels(view) > 16) drawCellLines(view, grid);
}

/**
 * Colour every pixel by the cell it stands on.
 * @param {View} view
 * @param {Uint32Array} out
 * @param {number} w
 * @param {number} h
 */
function resample(view, out, w, h) {
  const { grid } = app.model;
  const { rows, cols, mapping } = grid;
  const colours = surfaceColours();
  const lut = new Uint32Array(24);
  for (let c = 0; c <= 4; c++) {
    lut[c + 1] = pixel(colours[c], c === 0 ? 110 : 255);
    lut[c + 9] = pixel(colours[c], 45);
  }
  const now = /** @type {Uint8Array} */ (kept.now);
  const split = kept.was ? Math.round(splitAt(view) * view.m) : 0;
  const scale = view.k * view.m;
  const a = [0, 0];
  const b = [0, 0];
  for (let y = 0; y < h; y++) {
    const my = (view.oy * view.m + y + 0.5) / scale;
    mapping.toGrid((view.ox * view.m + 0.5) / scale, my, a);
    for (let x = 0, o = y * w; x < w; x += STEP) {
      const end = Math.min(w, x + STEP);
      mapping.toGrid((view.ox * view.m + x + STEP + 0.5) / scale, my, b);
      const dc = (b[0] - a[0]) / STEP;
      const dr = (b[1] - a[1]) / STEP;
      let col = a[0];
      let row = a[1];
      for (let p = x; p < end; p++, col += dc, row += dr) {
        if (col < 0 || row < 0 || col >= cols || row >= rows) continue;
        out[o + p] = lut[(p < split ? /** @type {Uint8Array} */ (kept.was) : now)[(row | 0) * cols + (col | 0)]];
      }
      a[0] = b[0];
      a[1] = b[1];
    }
  }
}

/**
 * Where the comparison splits the view [px].
 * @param {View} view
 */
function splitAt(view) {
  if (view.target !== "map") return view.w * state.split;
  const size = app.map.getSize();
  const left = app.map.containerPointToLayerPoint([state.split * size.x, 0]).x + app.map.getPixelOrigin().x;
  return left - view.ox;
}

/** Size of a cell on the screen [px]. @param {View} view */
function cellPixels(view) {
  const { grid } = app.model;
  const a = grid.mapping.toMap(grid.cols / 2, grid.rows / 2, [0, 0]);
  const b = grid.mapping.toMap(grid.cols / 2 + 1, grid.rows / 2, [0, 0]);
  return (b[0] - a[0]) * view.k;
}

/**
 * Thin lines between cells that are large on the screen.
 * @param {View} view
 * @param {any} grid
 */
function drawCellLines(view, grid) {
  const { ctx } = view;
  const corner = [[0, 0], [1, 0], [0, 1], [1, 1]].map(([x, y]) =>
    grid.mapping.toGrid((view.ox + x * view.w) / view.k, (view.oy + y * view.h) / view.k, [0, 0]));
  const cols = corner.map((p) => p[0]);
  const rows = corner.map((p) => p[1]);
  const c0 = Math.max(0, Math.floor(Math.min(...cols)));
  const c1 = Math.min(grid.cols, Math.ceil(Math.max(...cols)));
  const r0 = Math.max(0, Math.floor(Math.min(...rows)));
  const r1 = Math.min(grid.rows, Math.ceil(Math.max(...rows)));
  ctx.beginPath();
  /** @param {number} c @param {number} r @param {boolean} first */
  const go = (c, r, first) => {
    const [x, y] = grid.mapping.toMap(c, r);
    ctx[first ? "moveTo" : "lineTo"](x * view.k - view.ox, y * view.k - view.oy);
  };
  for (let c = c0; c <= c1; c++) [r0, (r0 + r1) / 2, r1].forEach((r, i) => go(c, r, !i));
  for (let r = r0; r <= r1; r++) [c0, (c0 + c1) / 2, c1].forEach((c, i) => go(c, r, !i));
  ctx.strokeStyle = "rgba(20,30,45,.16)";
  ctx.lineWidth = 0.6;
  ctx.stroke();
}

/** @param {View} view */
function drawUnits(view) {
  const tab = table("unit");
  const now = shownOf(tab).cls;
  if (!state.compare) return fillUnits(view, now, 0, view.w);
  const split = splitAt(view);
  fillUnits(view, before("unit") || live(tab).cls, 0, split);
  fillUnits(view, now, split, view.w);
}

/**
 * @param {View} view
 * @param {Uint8Array} cls
 * @param {number} left
 * @param {number} right
 */
function fillUnits(view, cls, left, right) {
  const { units } = app.model;
  const { ctx } = view;
  const colours = surfaceColours();
  ctx.save();
  ctx.beginPath();
  ctx.rect(left, 0, right - left, view.h);
  ctx.clip();
  for (const u of units.rows[state.level]) {
    if (state.classOff[cls[u]]) continue;
    if (!traceShape(view, units.shape, u, true)) continue;
    ctx.globalAlpha = state.opacity.units * (inTown(u) || isAbove(u) ? 1 : 0.18);
    ctx.fillStyle = colours[cls[u]];
    ctx.fill("evenodd");
  }
  ctx.restore();
}

/** Does a unit hold the filtered one? @param {number} u */
function isAbove(u) {
  const { units } = app.model;
  return state.town >= 0 && units.above[units.level[u]][state.town] === u;
}
