// @ts-check
/** The ground under the surface: paper, relief, neighbours, rivers and roads. */
import { mercatorX, mercatorY } from "../data/geo.js";
import { loadBlocks, read } from "../data/read.js";
import { app, el, emit, figures, on, say, state, t } from "../model/core.js";
import { blank, lay, redraw, strokeMany, traceShape } from "./canvas.js";
import { splitAt, STRIPE } from "./cells.js";
import { pixel } from "./labels.js";

// Pictures under everything: those that the page carries, and Tianditu's tiles if it may ask for them.

/* global L */

/** @typedef {import("./canvas.js").View} View */

let asked = false;

/** Does the page carry pictures? */
export function hasBackdrop() {
  return app.model.tiles.length > 0;
}

/** Are they switched on? */
export function backdropShown() {
  return hasBackdrop() && !!state.shown.tiles;
}

/** Unpack the pictures when they are first shown. */
async function load() {
  asked = true;
  for (const picture of app.model.tiles) {
    await loadBlocks([picture.bytes.b]);
    picture.image = await createImageBitmap(new Blob([read(picture.bytes)], { type: picture.type }));
  }
  redraw("backdrop");
}

/** @param {View} view */
export function drawBackdrop(view) {
  if (!backdropShown()) return;
  if (!asked) load();
  const { ctx, k, ox, oy } = view;
  ctx.globalAlpha = state.opacity.tiles;
  for (const { image, west, east, north, south } of app.model.tiles) {
    if (!image) continue;
    const [x, y] = [mercatorX(west), mercatorY(north)];
    ctx.drawImage(image, x * k - ox, y * k - oy, (mercatorX(east) - x) * k, (mercatorY(south) - y) * k);
  }
  ctx.globalAlpha = 1;
}

/** @type {any[]} */
let tiles = [];
/** Tianditu's tiles with a token that stays in memory. @param {string} token */
function tianditu(token) {
  tiles.forEach((layer) => layer.remove());
  tiles = [];
  if (!token) return;
  for (const name of ["vec", "cva"]) {
    const url = `https://t{s}.tianditu.gov.cn/${name}_w/wmts?SERVICE=WMTS&REQUEST=GetTile&VERSION=1.0.0&LAYER=${name}&STYLE=default&TILEMATRIXSET=w&FORMAT=tiles&TILEMATRIX={z}&TILEROW={y}&TILECOL={x}&tk=${encodeURIComponent(token)}`;
    const layer = L.tileLayer(url, { subdomains: "01234567", minZoom: 1, maxZoom: 18 });
    layer.on("tileerror", () => say(t("Tianditu gives no tiles; check the token and the network")));
    tiles.push(layer.addTo(app.map));
  }
}

/** The place where a token for Tianditu is typed in; it is kept in memory only. */
export function tiandituForm() {
  const field = el("input", { type: "password", id: "tianditu", autocomplete: "off", "aria-label": t("Tianditu token"), placeholder: t("Tianditu token") });
  return el("form", { class: "pick", onsubmit: (/** @type {Event} */ e) => {
    e.preventDefault();
    emit("tianditu", field.value.trim());
  } }, field, el("button", { class: "small" }, t("Load")));
}

on("tianditu", tianditu);

/** Paper inside the place, outside it, and what its neighbours are filled with. */
const [INSIDE, OUTSIDE, NEXT] = ["#ffffff", "#e3e7ec", "#d5dae1"];
const ROADS = ["#7d8590", "#9aa2ac", "#b4bac2"];
/** Above this many areas (buildings) a base layer is drawn from nearby only, without outlines. */
const MANY = 1500;
/** Above this many units of the coarsest level the mask would take too long. */
const MASKED = 400;

const kept = { key: "", last: "", sheet: /** @type {HTMLCanvasElement | null} */ (null) };
/** Is a map of somebody else's under ours? */
let foreign = false;
on("tianditu", (/** @type {string} */ token) => (foreign = !!token));

/** Unpack the relief. */
export async function loadRelief() {
  const { relief } = app.model;
  if (!relief || relief.image) return;
  await loadBlocks([relief.bytes.b]);
  relief.image = await createImageBitmap(new Blob([read(relief.bytes)], { type: relief.type }));
  kept.key = kept.last = "";
}

/**
 * Put the ground onto the canvas; once the same view is asked for again, it is kept.
 * @param {View} view
 */
export function layGround(view) {
  const key = [view.k, view.ox, view.oy, view.w, view.h, view.m, foreign, backdropShown(), JSON.stringify([state.shown, state.opacity])].join();
  if (view.target !== "map") return drawGround(view);
  if (kept.key !== key && kept.last !== key) {
    kept.last = key;
    return drawGround(view);
  }
  if (kept.key !== key) {
    kept.key = key;
    kept.sheet = kept.sheet || document.createElement("canvas");
    kept.sheet.width = Math.round(view.w * view.m);
    kept.sheet.height = Math.round(view.h * view.m);
    const ctx = /** @type {CanvasRenderingContext2D} */ (kept.sheet.getContext("2d", { willReadFrequently: true }));
    ctx.setTransform(view.m, 0, 0, view.m, 0, 0);
    drawGround({ ...view, ctx });
  }
  view.ctx.drawImage(/** @type {HTMLCanvasElement} */ (kept.sheet), 0, 0, view.w, view.h);
}

/** @param {View} view */
function drawGround(view) {
  const { model } = app;
  if (!foreign && !backdropShown()) {
    paper(view);
    relief(view);
  }
  for (const layer of model.base) if (state.shown[layer.id] && layer.id !== "road") drawBase(view, layer);
  const road = model.layer.get("road");
  if (road && road.shape && state.shown.road) drawRoads(view, road);
}

/** White where the place is, grey around it, a little darker where a neighbour is known. @param {View} view */
function paper(view) {
  const { ctx } = view;
  const { units, neighbours } = app.model;
  const masked = units.rows[0].length <= MASKED;
  ctx.fillStyle = masked ? OUTSIDE : INSIDE;
  ctx.fillRect(0, 0, view.w, view.h);
  if (neighbours) {
    ctx.fillStyle = NEXT;
    for (let i = 0; i < neighbours.n; i++) if (traceShape(view, neighbours.shape, i, true)) ctx.fill("evenodd");
    strokeMany(view, neighbours.shape, () => true, [{ colour: "#f4f6f8", width: 1.4 }]);
  }
  if (!masked) return;
  ctx.fillStyle = INSIDE;
  for (const u of units.rows[0]) if (traceShape(view, units.shape, u, true)) ctx.fill("evenodd");
}

/** @param {View} view */
function relief(view) {
  const found = app.model.relief;
  if (!found || !found.image || !state.shown.relief) return;
  const { ctx, k, ox, oy } = view;
  const [x, y] = [mercatorX(found.west), mercatorY(found.north)];
  ctx.globalCompositeOperation = "multiply";
  ctx.globalAlpha = state.opacity.relief;
  ctx.imageSmoothingEnabled = true;
  ctx.drawImage(found.image, x * k - ox, y * k - oy, (mercatorX(found.east) - x) * k, (mercatorY(found.south) - y) * k);
  ctx.globalAlpha = 1;
  ctx.globalCompositeOperation = "source-over";
}

/** @type {Map<string, CanvasPattern>} */
const patterns = new Map();
/** Stripes that say: not known. @param {CanvasRenderingContext2D} ctx @param {string} colour */
export function hatch(ctx, colour) {
  const found = patterns.get(colour);
  if (found) return found;
  const tile = document.createElement("canvas");
  tile.width = tile.height = 8;
  const pen = /** @type {CanvasRenderingContext2D} */ (tile.getContext("2d"));
  pen.fillStyle = colour;
  pen.fillRect(0, 0, 8, 8);
  pen.fillStyle = STRIPE;
  for (let y = 0; y < 8; y++) for (let x = 0; x < 8; x++) if (((x + y) & 7) < 2) pen.fillRect(x, y, 1, 1);
  const made = /** @type {CanvasPattern} */ (ctx.createPattern(tile, "repeat"));
  patterns.set(colour, made);
  return made;
}

/** Widths of roads by rank and zoom. @param {number} rank @param {number} zoom */
function roadWidth(rank, zoom) {
  return [2.4, 1.4, 0.8][rank] * 2 ** ((zoom - 13.4) / 2);
}

/** @param {View} view @param {any} layer */
function drawBase(view, layer) {
  const { ctx } = view;
  const colour = layer.colour || (/water|river|lake|canal/.test(layer.id) ? "#2f86c9" : "#6b7785");
  if (layer.kind === "area" && layer.n > MANY && view.zoom < 14) return;
  ctx.globalAlpha = state.opacity[layer.id];
  if (layer.kind === "area") {
    for (let i = 0; i < layer.n; i++) {
      if (!traceShape(view, layer.shape, i, true)) continue;
      ctx.globalAlpha = state.opacity[layer.id] * 0.35;
      ctx.fillStyle = colour;
      ctx.fill("evenodd");
    }
    if (layer.n > MANY) return void (ctx.globalAlpha = 1);
  }
  ctx.globalAlpha = state.opacity[layer.id];
  const width = Math.max(1.2, 2 * 2 ** ((view.zoom - 12) / 3));
  strokeMany(view, layer.shape, () => true, [
    { colour: "rgba(255,255,255,.65)", width: width + 1.4 },
    { colour, width },
  ]);
  ctx.globalAlpha = 1;
}

/** @param {View} view @param {any} layer */
function drawRoads(view, layer) {
  const { ctx } = view;
  ctx.globalAlpha = state.opacity.road;
  const last = view.zoom >= 14.3 ? 2 : view.zoom >= 12.6 ? 1 : 0;
  for (let rank = last; rank >= 0; rank--) {
    const width = Math.max(rank ? 0.6 : 1, 0.75 * roadWidth(rank, view.zoom));
    strokeMany(view, layer.shape, (i) => layer.rank[i] === rank, [{ colour: ROADS[rank], width }]);
  }
  ctx.globalAlpha = 1;
}

// The water of a scenario: striped classes of depth, on the grid split finer.

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
