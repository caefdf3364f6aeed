// @ts-check
/** The water of a scenario: striped classes of depth, on the grid split finer. */
import { splitAt } from "./cells.js";
import { blank, lay, redraw } from "./canvas.js";
import { app, el, figures, on, state, t } from "../model/core.js";
import { loadBlocks, read } from "../data/read.js";
import { pixel } from "./labels.js";

/** @typedef {import("./canvas.js").View} View */

/** Blues that no class has; stripes and a white rim tell water from any palette. */
export const DEPTHS = ["#8db4ee", "#6a9be6", "#4a80da", "#2f66c4", "#1f4fa6", "#153a82", "#0d275c"];
const RIM = 0xffffffff;
const STEP = 32;

/** The water of the scenario chosen, or null. */
export function waterNow() {
  const found = state.scenario && app.model.scenarios.find((/** @type {any} */ s) => s.name === state.scenario);
  return (found && found.water) || null;
}

/** Decode the water of the scenario chosen. */
export async function loadWater() {
  const water = waterNow();
  if (!water || water.bytes) return;
  await loadBlocks([water.classes.b]);
  water.bytes = read(water.classes);
}

/** Is there water to be drawn? */
export function waterShown() {
  const water = waterNow();
  return !!(water && water.bytes && state.shown.water);
}

/** @param {View} view */
export function drawWater(view) {
  if (!waterShown()) return;
  const m = view.target === "map" ? 1 : view.m;
  const w = Math.round(view.w * m);
  const h = Math.round(view.h * m);
  const image = blank(w, h);
  const from = state.compare ? Math.max(0, Math.round(splitAt(view) * m)) : 0;
  paint({ ...view, m }, waterNow(), new Uint32Array(image.data.buffer), w, h, from);
  view.ctx.globalAlpha = state.opacity.water;
  lay(view, image);
  view.ctx.globalAlpha = 1;
}

/**
 * Colour every pixel by the place it stands on; between every 32nd pixel of a row the way is straight.
 * @param {View} view
 * @param {any} water
 * @param {Uint32Array} out
 * @param {number} w
 * @param {number} h
 * @param {number} from first column that is coloured
 */
function paint(view, water, out, w, h, from) {
  const { mapping } = app.model.grid;
  const { bytes, rows, cols, k } = water;
  const lut = Uint32Array.from([0, ...DEPTHS.map((c) => pixel(c, 255))]);
  const scale = view.k * view.m;
  const a = [0, 0];
  const b = [0, 0];
  for (let y = 0; y < h; y++) {
    const my = (view.oy * view.m + y + 0.5) / scale;
    mapping.toGrid((view.ox * view.m + 0.5) / scale, my, a);
    for (let x = 0; x < w; x += STEP) {
      mapping.toGrid((view.ox * view.m + x + STEP + 0.5) / scale, my, b);
      const dc = ((b[0] - a[0]) * k) / STEP;
      const dr = ((b[1] - a[1]) * k) / STEP;
      let col = a[0] * k;
      let row = a[1] * k;
      const end = Math.min(w, x + STEP);
      for (let p = x; p < end; p++, col += dc, row += dr) {
        if (p < from || col < 0 || row < 0 || col >= cols || row >= rows) continue;
        const c = bytes[(row | 0) * cols + (col | 0)];
        if (c) out[y * w + p] = (p + y) % 9 === 0 ? RIM : lut[c];
      }
      a[0] = b[0];
      a[1] = b[1];
    }
  }
  rim(out, w, h);
}

/** A white rim around the water. @param {Uint32Array} out @param {number} w @param {number} h */
function rim(out, w, h) {
  for (let p = w + 1; p < w * h - w - 1; p++) {
    if (out[p] && out[p] !== RIM && (!out[p - 1] || !out[p - w] || !out[p + 1] || !out[p + w])) out[p] = RIM;
  }
}

/** Colours and ranges of depth, shallow first. */
export function depthLegend() {
  const water = waterNow();
  if (!water) return [];
  const f = (/** @type {number} */ v) => figures(v);
  return water.limits.map((/** @type {number} */ low, /** @type {number} */ i) => ({
    colour: DEPTHS[i],
    text: i + 1 < water.limits.length ? `${f(low)}–${f(water.limits[i + 1])} m` : `≥ ${f(low)} m`,
  }));
}

/** The legend as rows of the layer tree. */
export function depthRows() {
  return el("div", { class: "legend depths", role: "group", "aria-label": t("Water depth") },
    depthLegend().map((/** @type {any} */ c) => el("div", null, el("span", { class: "swatch", style: `background:${c.colour}` }), c.text)));
}

on("scenario", async () => {
  await loadWater();
  redraw("water");
});
on("compare", () => waterNow() && redraw("water"));
on("split", () => waterNow() && redraw("water"));
