// @ts-check
/** The ground under the surface: paper, relief, neighbours, rivers and roads. */
import { loadBlocks, read } from "../data/read.js";
import { mercatorX, mercatorY } from "../data/geo.js";
import { app, on, state } from "../model/core.js";
import { backdropShown } from "./backdrop.js";
import { STRIPE } from "./cells.js";
import { strokeMany, traceShape } from "./vectors.js";

/** @typedef {import("./canvas.js").View} View */

/** Paper inside the place, outside it, and what its neighbours are filled with. */
const [INSIDE, OUTSIDE, NEXT] = ["#ffffff", "#e3e7ec", "#d5dae1"];
const ROADS = ["#7d8590", "#9aa2ac", "#b4bac2"];
/** Above this many areas (buildings) a base layer is drawn from nearby only, without outlines. */
const MANY = 1500;
/** Above this many units of the coarsest level the mask would take too long. */
const MASKED = 400;

const kept = { key: "", sheet: /** @type {HTMLCanvasElement | null} */ (null) };
/** Is a map of somebody else's under ours? */
let foreign = false;
on("tianditu", (/** @type {string} */ token) => (foreign = !!token));

/** Unpack the relief. */
export async function loadRelief() {
  const { relief } = app.model;
  if (!relief || relief.image) return;
  await loadBlocks([relief.bytes.b]);
  relief.image = await createImageBitmap(new Blob([read(relief.bytes)], { type: relief.type }));
  kept.key = "";
}

/**
 * Put the ground onto the canvas; while the view stays it is not drawn again.
 * @param {View} view
 */
export function layGround(view) {
  const key = [view.k, view.ox, view.oy, view.w, view.h, view.m, foreign, backdropShown(), JSON.stringify([state.shown, state.opacity])].join();
  if (view.target !== "map") return drawGround(view);
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
