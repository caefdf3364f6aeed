// @ts-check
/** The risk surface: grid cells, and units as filled outlines. */
import { before, drawCells, splitAt } from "./cells.js";
import { app, state } from "./core.js";
import { inTown, table } from "./model.js";
import { surfaceColours } from "./palette.js";
import { live, shownOf } from "./score.js";
import { traceShape } from "./vectors.js";

/** @typedef {import("./canvas.js").View} View */

/**
 * Draw grid and units.
 * @param {View} view
 */
export function drawSurface(view) {
  if (state.shown.grid && app.model.grid) drawCells(view);
  if (state.shown.units) drawUnits(view);
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
    ctx.globalAlpha = state.opacity.units * (near ? 1 : 0.18);
    for (let c = 0; c <= 4; c++) {
      if (state.classOff[c]) continue;
      ctx.fillStyle = colours[c];
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
