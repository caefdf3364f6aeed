// @ts-check
/** Grid cells as pixels. */
import { blank, lay, screenView } from "./canvas.js";
import { app, state } from "../model/core.js";
import { cellSpan, inTown, table } from "../data/model.js";
import { pixel, surfaceColours } from "./labels.js";
import { classesBefore, shownOf } from "../model/score.js";

/** @typedef {import("./canvas.js").View} View */

const kept = { key: "", now: /** @type {Uint8Array | null} */ (null), was: /** @type {Uint8Array | null} */ (null) };
const STEP = 32;
/** Colour of the stripes over what is unknown. */
export const STRIPE = "#8b95a1";
/** Above so many cells a pixel, every pixel is looked up by itself. */
const FINE = 0.34;

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

/**
 * Draw the cells; they come first on their canvas.
 * @param {View} view
 */
export function drawCells(view) {
  const { grid } = app.model;
  const tab = table("cell");
  const key = [state.scenario, state.town, state.compare, JSON.stringify([state.classOff, state.weights, state.view])].join("/");
  if (kept.key !== key) {
    kept.now = picture(shownOf(tab).cls, kept.now);
    const was = state.compare ? classesBefore("cell") : null;
    kept.was = was && picture(was, kept.was);
    kept.key = key;
  }
  if (tab.anyBlank === undefined) tab.anyBlank = tab.base.cls.includes(0);
  const first = !document.documentElement.dataset.ready; // later pictures are pixel by pixel, so that both sides of a comparison are alike
  const few = first && grid.rows * grid.cols * 4 < view.w * view.h;
  const turn = few && view.target === "map" && !kept.was && !(tab.anyBlank && !state.classOff[0]) ? straight(view) : null;
  if (turn) laySmall(view, turn);
  else layPixels(view, tab);
  if (cellSpan() * view.k > 16) drawCellLines(view, grid);
}

/** Farthest that a cell may lie from its place [px] when the grid is laid onto the view as a whole. */
const AWRY = 0.6;

/**
 * The plain turn and stretch that lays grid places onto the view, null where the grid is bent too much for one.
 * @param {View} view
 * @returns {number[] | null} a, b, c, d, e, f as of a canvas
 */
function straight(view) {
  const { mapping } = app.model.grid;
  const spot = (/** @type {number} */ i, /** @type {number} */ j) => mapping.toGrid((view.ox + i * view.w) / view.k, (view.oy + j * view.h) / view.k, [0, 0]);
  const [c0, r0] = spot(0.5, 0.5);
  const [cx, rx] = [spot(1, 0.5), spot(0, 0.5)].reduce((a, b) => [(a[0] - b[0]) / view.w, (a[1] - b[1]) / view.w]);
  const [cy, ry] = [spot(0.5, 1), spot(0.5, 0)].reduce((a, b) => [(a[0] - b[0]) / view.h, (a[1] - b[1]) / view.h]);
  const area = cx * ry - cy * rx;
  const [a, b, c, d] = [ry / area, -rx / area, -cy / area, cx / area];
  const [e, f] = [view.w / 2 - a * c0 - c * r0, view.h / 2 - b * c0 - d * r0];
  for (let i = 0; i <= 1; i += 0.25) {
    for (let j = 0; j <= 1; j += 0.25) {
      const [col, row] = spot(i, j);
      if (!(Math.hypot(a * col + c * row + e - i * view.w, b * col + d * row + f - j * view.h) < AWRY)) return null;
    }
  }
  return [a, b, c, d, e, f];
}

/**
 * Lay the grid onto the view as one picture, a cell a pixel, by the browser's own means.
 * @param {View} view
 * @param {number[]} turn
 */
function laySmall(view, turn) {
  const { rows, cols } = app.model.grid;
  const sheet = document.createElement("canvas");
  sheet.width = cols;
  sheet.height = rows;
  const image = new ImageData(cols, rows);
  const out = new Uint32Array(image.data.buffer);
  const lut = lookup(state.opacity.surface);
  const now = /** @type {Uint8Array} */ (kept.now);
  for (let i = 0; i < now.length; i++) out[i] = lut[now[i]];
  /** @type {CanvasRenderingContext2D} */ (sheet.getContext("2d", { willReadFrequently: true })).putImageData(image, 0, 0);
  const { ctx } = view;
  ctx.save();
  ctx.imageSmoothingEnabled = false;
  ctx.transform(turn[0], turn[1], turn[2], turn[3], turn[4], turn[5]);
  ctx.drawImage(sheet, 0, 0);
  ctx.restore();
}

/**
 * Lay the grid pixel by pixel.
 * @param {View} view
 * @param {any} tab
 */
function layPixels(view, tab) {
  const m = view.target === "map" ? 1 : view.m;
  const w = Math.round(view.w * m);
  const h = Math.round(view.h * m);
  const image = blank(w, h);
  const pixels = new Uint32Array(image.data.buffer);
  resample({ ...view, m }, pixels, w, h, state.opacity.surface);
  if (tab.anyBlank && !state.classOff[0]) hatchCells(pixels, w, h);
  lay(view, image);
}

/**
 * Grid places of every 32nd pixel of every 32nd row; between them the way is straight.
 * @param {View} view
 * @param {number} across
 * @param {number} down
 */
function lattice(view, across, down) {
  const { mapping } = app.model.grid;
  const scale = view.k * view.m;
  const out = new Float64Array(across * down * 2);
  const at = [0, 0];
  for (let j = 0, o = 0; j < down; j++) {
    for (let i = 0; i < across; i++, o += 2) {
      mapping.toGrid((view.ox * view.m + i * STEP + 0.5) / scale, (view.oy * view.m + j * STEP + 0.5) / scale, at);
      out[o] = at[0];
      out[o + 1] = at[1];
    }
  }
  return out;
}

/** Stripes over the cells without a class, which are no safe ones. @param {Uint32Array} out @param {number} w @param {number} h */
function hatchCells(out, w, h) {
  const blankCell = lookup(state.opacity.surface)[1];
  const stripe = pixel(STRIPE, Math.round(255 * state.opacity.surface));
  for (let y = 0, p = 0; y < h; y++) for (let x = 0; x < w; x++, p++) if (out[p] === blankCell && ((x + y) & 7) < 2) out[p] = stripe;
}

/** Colours by byte of the picture. @param {number} opacity */
function lookup(opacity) {
  const colours = surfaceColours();
  const lut = new Uint32Array(24);
  for (let c = 0; c <= 4; c++) {
    lut[c + 1] = pixel(colours[c], Math.round((c === 0 ? 110 : 255) * opacity));
    lut[c + 9] = pixel(colours[c], Math.round(45 * opacity));
  }
  return lut;
}

/**
 * Colour every pixel by the cell it stands on.
 * @param {View} view
 * @param {Uint32Array} out
 * @param {number} w
 * @param {number} h
 * @param {number} opacity
 */
function resample(view, out, w, h, opacity) {
  const lut = lookup(opacity);
  const now = /** @type {Uint8Array} */ (kept.now);
  const split = kept.was ? Math.round(splitAt(view) * view.m) : 0;
  const across = Math.ceil(w / STEP) + 1;
  const places = lattice(view, across, Math.ceil(h / STEP) + 1);
  for (let y = 0; y < h; y++) {
    const j = Math.floor(y / STEP);
    const f = y / STEP - j;
    for (let i = 0; i < across - 1; i++) {
      const o = 2 * (j * across + i);
      const u = o + 2 * across;
      const col = places[o] + (places[u] - places[o]) * f;
      const row = places[o + 1] + (places[u + 1] - places[o + 1]) * f;
      const dc = (places[o + 2] + (places[u + 2] - places[o + 2]) * f - col) / STEP;
      const dr = (places[o + 3] + (places[u + 3] - places[o + 3]) * f - row) / STEP;
      const x = i * STEP;
      const end = Math.min(w, x + STEP);
      const mid = Math.min(end, Math.max(x, split));
      if (mid > x) colourRun(out, y * w + x, y * w + mid, col, row, dc, dr, /** @type {Uint8Array} */ (kept.was), lut);
      if (mid < end) colourRun(out, y * w + mid, y * w + end, col + (mid - x) * dc, row + (mid - x) * dr, dc, dr, now, lut);
    }
  }
}

/**
 * Colour the pixels from one to another along a straight way over the grid.
 * @param {Uint32Array} out
 * @param {number} from
 * @param {number} end
 * @param {number} col
 * @param {number} row
 * @param {number} dc
 * @param {number} dr
 * @param {Uint8Array} cells
 * @param {Uint32Array} lut
 */
function colourRun(out, from, end, col, row, dc, dr, cells, lut) {
  const { rows, cols } = app.model.grid;
  const far = end - from;
  if (Math.max(col, col + far * dc) < 0 || Math.min(col, col + far * dc) >= cols) return;
  const fine = Math.abs(dc) > FINE;
  if (Math.max(row, row + far * dr) < 0 || Math.min(row, row + far * dr) >= rows) return;
  for (let p = from; p < end; ) {
    if (col < 0 || row < 0 || col >= cols || row >= rows) {
      p++;
      col += dc;
      row += dr;
      continue;
    }
    const c = col | 0;
    const r = row | 0;
    const n = Math.min(end - p, fine ? 1 : Math.max(1, Math.ceil(Math.min(left(col - c, dc), left(row - r, dr)))));
    const colour = lut[cells[r * cols + c]];
    if (n > 8) out.fill(colour, p, p + n);
    else for (let k = 0; k < n; k++) out[p + k] = colour;
    p += n;
    col += n * dc;
    row += n * dr;
  }
}

/** Steps until the end of a cell. @param {number} inside 0..1 @param {number} step */
function left(inside, step) {
  return step > 0 ? (1 - inside) / step : step < 0 ? -inside / step : Infinity;
}

/**
 * Where the comparison splits the view [px].
 * @param {View} view
 */
export function splitAt(view) {
  if (view.target !== "map") {
    const v = screenView();
    return ((v.ox + state.split * v.w) / v.k) * view.k - view.ox;
  }
  const size = app.map.getSize();
  const left = app.map.containerPointToLayerPoint([state.split * size.x, 0]).x + app.map.getPixelOrigin().x;
  return left / app.scale - view.ox;
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
  if (view.target !== "map") return;
  ctx.strokeStyle = "rgba(20,30,45,.16)";
  ctx.lineWidth = 0.6;
  ctx.stroke();
}
