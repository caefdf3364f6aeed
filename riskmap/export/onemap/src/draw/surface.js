// @ts-check
/** The risk surface: grid cells, and units as filled outlines. */
import { drawCells, splitAt } from "./cells.js";
import { hatch, layGround } from "./ground.js";
import { app, state } from "../model/core.js";
import { inTown, surfaceKind, table, unitSpan } from "../data/model.js";
import { pixel, surfaceColours } from "./labels.js";
import { blank, lay, traceShape } from "./canvas.js";
import { rasterise } from "./raster.js";
import { classesBefore, shownOf } from "../model/score.js";

/** @typedef {import("./canvas.js").View} View */

/** More units than this that are smaller than this on the screen [px] are drawn as pixels: one path each takes too long. */
const [MANY, SMALL] = [2000, 24];
/** Share of its opacity that a unit keeps outside the filtered town. */
const FAR = 0.18;

/**
 * Draw the ground and, multiplied onto it so that relief, rivers and roads stay to be seen, units or cells.
 * @param {View} view
 */
export function drawSurface(view) {
  const { ctx } = view;
  layGround(view);
  const kind = surfaceKind();
  if (!kind) return;
  ctx.globalCompositeOperation = "multiply";
  if (kind === "cell") drawCells(view);
  else drawUnits(view);
  ctx.globalCompositeOperation = "source-over";
}

/** @param {View} view */
function drawUnits(view) {
  const now = shownOf(table("unit")).cls;
  const was = state.compare ? classesBefore("unit") : null;
  const split = was ? splitAt(view) : 0;
  if (app.model.units.rows[state.level].length > MANY && unitSpan(state.level) * view.k < SMALL) return drawSmall(view, now, was, split);
  if (was) fillUnits(view, was, 0, split);
  fillUnits(view, now, split, view.w);
}

/** Which unit each pixel of the screen stands on, kept while the view stays. */
const kept = { key: "", on: new Uint32Array(0) };

/** @param {View} view @param {number} w @param {number} h */
function unitPixels(view, w, h) {
  const key = [view.k, view.ox, view.oy, w, h, state.level].join();
  if (view.target === "map" && kept.key === key) return kept.on;
  const on = view.target === "map" && kept.on.length === w * h ? kept.on.fill(0) : new Uint32Array(w * h);
  rasterise(view, app.model.units.shape, app.model.units.rows[state.level], w, h, on);
  if (view.target === "map") [kept.key, kept.on] = [key, on];
  return on;
}

/**
 * Many small units, pixel by pixel.
 * @param {View} view
 * @param {Uint8Array} now
 * @param {Uint8Array | null} was
 * @param {number} split
 */
function drawSmall(view, now, was, split) {
  const w = Math.round(view.w * view.m);
  const h = Math.round(view.h * view.m);
  const on = unitPixels(view, w, h);
  const image = blank(w, h);
  const out = new Uint32Array(image.data.buffer);
  const right = unitColours(now);
  const left = was ? unitColours(was) : right;
  const middle = Math.max(0, Math.min(w, Math.round(split * view.m)));
  for (let y = 0, p = 0; y < h; y++) {
    for (const end = p + middle; p < end; p++) out[p] = left[on[p]];
    for (const end = p + w - middle; p < end; p++) out[p] = right[on[p]];
  }
  lay(view, image);
}

/** Pixels by unit + 1. @param {Uint8Array} cls */
function unitColours(cls) {
  const { units } = app.model;
  const alpha = 255 * state.opacity.surface;
  const colours = surfaceColours().map((colour, c) => (state.classOff[c] ? [0, 0] : [pixel(colour, Math.round(alpha)), pixel(colour, Math.round(alpha * FAR))]));
  const out = new Uint32Array(units.n + 1);
  for (let u = 0; u < units.n; u++) out[u + 1] = colours[cls[u]][inTown(u) || isAbove(u) ? 0 : 1];
  return out;
}

/**
 * Fill the units between two places of the view, those of one colour together.
 * @param {View} view
 * @param {Uint8Array} cls
 * @param {number} from
 * @param {number} to
 */
function fillUnits(view, cls, from, to) {
  const { units } = app.model;
  const { ctx } = view;
  const colours = surfaceColours();
  ctx.save();
  ctx.beginPath();
  ctx.rect(from, 0, to - from, view.h);
  ctx.clip();
  for (const near of state.town < 0 ? [true] : [true, false]) {
    ctx.globalAlpha = state.opacity.surface * (near ? 1 : FAR);
    for (let c = 0; c <= 4; c++) {
      if (state.classOff[c]) continue;
      ctx.fillStyle = c ? colours[c] : hatch(ctx, colours[0]);
      fillMany(view, units.rows[state.level], (u) => cls[u] === c && (inTown(u) || isAbove(u)) === near);
    }
  }
  ctx.restore();
}

/**
 * Fill outlines of units, 32 at a time (one long path is slow).
 * @param {View} view
 * @param {number[]} rows
 * @param {(unit: number) => boolean} wanted
 */
function fillMany(view, rows, wanted) {
  const { ctx } = view;
  let open = 0;
  for (const u of rows) {
    if (!wanted(u) || !traceShape(view, app.model.units.shape, u, !open)) continue;
    if (++open < 32) continue;
    ctx.fill();
    open = 0;
  }
  if (open) ctx.fill();
}

/** Does a unit hold the filtered one? @param {number} u */
function isAbove(u) {
  const { units } = app.model;
  return state.town >= 0 && units.above[units.level[u]][state.town] === u;
}
