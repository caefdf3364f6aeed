// @ts-check
/** Map layers that plans carry: coverage bands, routes, assignment lines, proposed sites. */
import { splitAt } from "./cells.js";
import { app, el, emit, state, t } from "../model/core.js";
import { insideShape, lineDistance, mercatorX, mercatorY } from "../data/geo.js";
import { sprite } from "./symbols.js";
import { traceShape } from "./canvas.js";

/** @typedef {import("./canvas.js").View} View */

/** Fill and edge of a band: 1 to 4 nested, 5 covered by none, 6 to 8 lost to water, 9 cut off. @param {number} band @returns {{fill: string, edge: string}} */
function bandOf(band) {
  const { bands } = app.model.marks;
  return bands[Math.min(Math.max(band, 1), bands.length) - 1];
}

/** Colour by which a plan's layer is known in the tree. @param {any} plan */
export function planColour(plan) {
  if (plan.kinds[0] === "coverage") return plan.band[0] > 5 ? bandColour(plan.band[0]) : bandColour(1);
  if (!plan.shape) return planMark(plan.kinds[0], plan.id)[1];
  return planStyle(plan.kinds[0]).colour;
}

/** How lines and areas of a kind are drawn. @param {string} kind */
function planStyle(kind) {
  return app.model.marks.kinds[kind] || app.model.marks.kinds.route;
}

const AREAS = ["coverage", "danger_area", "worse", "better"];

/** Does a plan's layer hold areas? @param {any} plan */
export function planIsArea(plan) {
  return AREAS.includes(plan.kinds[0]);
}

/** Are a plan's lines dashed? @param {any} plan */
export function planIsDashed(plan) {
  return planStyle(plan.kinds[0]).dash.length > 0;
}

/** Lines and areas of the plans under the rings and symbols, or their points above. @param {View} view @param {boolean} points */
export function drawPlans(view, points) {
  for (const plan of app.model.plans) {
    if (!state.shown["plan:" + plan.id] || points === !!plan.shape) continue;
    view.ctx.save();
    if (splits(plan)) onTheRight(view);
    view.ctx.globalAlpha = state.opacity["plan:" + plan.id];
    if (plan.shape) drawShapes(view, plan);
    else drawSites(view, plan);
    view.ctx.restore();
  }
}

/** Does a plan belong to the scenario that is swiped over the baseline? @param {any} plan */
function splits(plan) {
  return state.compare && state.scenario && state.shown["plan:" + plan.id] && plan.n > 0 && plan.scenario(0) === state.scenario;
}

/** Must the plans be drawn again when the swipe moves? */
export function plansSplit() {
  return app.model.plans.some(splits);
}

/** Draw only to the right of the swipe. @param {View} view */
function onTheRight(view) {
  const from = splitAt(view);
  view.ctx.beginPath();
  view.ctx.rect(from, 0, Math.max(0, view.w - from), view.h);
  view.ctx.clip();
}

/** Does an object of a plan belong to the scenario and to the state shown? @param {any} plan @param {number} i */
export function wanted(plan, i) {
  const name = plan.scenario(i);
  const then = plan.when ? plan.when(i) : "";
  return (!name || name === state.scenario) && (!then || then === state.when) && !(plan.time && plan.time[i] > state.time && !!plan.since === byDate());
}

/** Does the slider go by dates? By minutes as soon as a layer of minutes is on. */
export function byDate() {
  const on = app.model.plans.filter((/** @type {any} */ p) => p.time && state.shown["plan:" + p.id]);
  return on.length > 0 && on.every((/** @type {any} */ p) => p.since);
}

/** How many objects of a plan are shown now. @param {any} plan */
export function shownCount(plan) {
  let n = 0;
  for (let i = 0; i < plan.n; i++) if (!plan.when || !plan.when(i) || plan.when(i) === state.when) n++;
  return n;
}

/** The switch between the stations as they are and with the proposed sites. */
export function whenSwitch() {
  const has = app.model.plans.some((/** @type {any} */ p) => p.when && Array.from({ length: p.n }, (_, i) => p.when(i)).includes("after"));
  if (!has) return null;
  const choices = [["before", t("As they are")], ["after", t("With the proposed sites")]];
  return el("label", { class: "pick" }, t("Rescue stations"),
    el("select", { id: "when", onchange: (/** @type {any} */ e) => {
      state.when = e.target.value;
      emit("when");
      emit("layers");
    } }, choices.map(([value, name]) => el("option", { value, selected: value === state.when }, name))));
}

/** @param {View} view @param {any} plan */
function drawShapes(view, plan) {
  const { ctx } = view;
  const order = Array.from({ length: plan.n }, (_, i) => i).sort((a, b) => plan.band[b] - plan.band[a]);
  const alpha = ctx.globalAlpha;
  ctx.lineJoin = ctx.lineCap = "round";
  for (const i of order) {
    if (!wanted(plan, i) || !traceShape(view, plan.shape, i, true)) continue;
    const kind = plan.kind(i);
    if (kind === "coverage") {
      ctx.globalAlpha = alpha * 0.5;
      ctx.fillStyle = bandColour(plan.band[i]);
      ctx.fill("evenodd");
      ctx.globalAlpha = alpha;
      ctx.strokeStyle = bandOf(plan.band[i]).edge;
      ctx.lineWidth = 1.2;
      ctx.stroke();
      continue;
    }
    const style = planStyle(kind);
    if (style.fill) fillArea(ctx, alpha * style.fill, style.colour);
    ctx.setLineDash([]);
    ctx.strokeStyle = "rgba(255,255,255,.8)";
    ctx.lineWidth = style.width + 2;
    if (kind !== "assignment") ctx.stroke();
    ctx.setLineDash(style.dash);
    ctx.strokeStyle = style.colour;
    ctx.lineWidth = style.width;
    ctx.stroke();
  }
  ctx.setLineDash([]);
}

/** Fill an area thinly. @param {CanvasRenderingContext2D} ctx @param {number} alpha @param {string} colour */
function fillArea(ctx, alpha, colour) {
  const kept = ctx.globalAlpha;
  ctx.globalAlpha = alpha;
  ctx.fillStyle = colour;
  ctx.fill("evenodd");
  ctx.globalAlpha = kept;
}

/** Symbol and colour of a plan's point; a proposed refuge is green as refuges are. @param {string} kind @param {string} [id] */
export function planMark(kind, id = "") {
  const { kinds } = app.model.marks;
  const mark = kinds[kind] && kinds[kind].symbol ? kinds[kind] : kinds.site;
  return [mark.symbol, mark.own[id.split(/[@/]/)[0]] || mark.colour];
}

/** Colour of a coverage band. @param {number} band */
export function bandColour(band) {
  return bandOf(band).fill;
}

/** What a row of a plan is called, with its figures or its reason. @param {any} plan @param {number} i */
function labelOf(plan, i) {
  const label = plan.label(i, state.lang);
  const said = plan.said ? plan.said(i, state.lang) : "";
  return label && said ? t("{name}: {said}", { name: label, said }) : label;
}

const SAME = 3e-6;

/** The layers of what the plan of the scenario chosen, or of no scenario, does not use. */
function refusals() {
  const own = app.model.plans.filter((/** @type {any} */ p) => p.kinds[0] === "unusable" && !p.shape);
  const now = own.filter((/** @type {any} */ p) => p.scenario(0) === state.scenario);
  return now.length ? now : own.filter((/** @type {any} */ p) => !p.scenario(0));
}

/** How many refuges the plan does not use. */
export function countNotUsed() {
  return refusals().reduce((/** @type {number} */ n, /** @type {any} */ p) => n + p.n, 0);
}

/**
 * Why the plan of the scenario chosen, or of no scenario, does not use an object; "" when it does.
 * @param {any} layer
 * @param {number} row
 */
export function notUsed(layer, row) {
  for (const plan of refusals()) {
    for (let i = 0; i < plan.n; i++) {
      if (Math.abs(plan.lon[i] - layer.lon[row]) < SAME && Math.abs(plan.lat[i] - layer.lat[row]) < SAME) return plan.said ? plan.said(i, state.lang) : plan.label(i, state.lang);
    }
  }
  return "";
}

/**
 * What the plans that are switched on say about a place.
 * @param {number} x
 * @param {number} y
 * @param {number} reach in units of the Mercator square
 * @returns {string[]}
 */
export function plansAt(x, y, reach) {
  /** @type {Set<string>} */
  const out = new Set();
  for (const plan of app.model.plans) {
    if (!state.shown["plan:" + plan.id] || !plan.label) continue;
    for (let i = 0; i < plan.n; i++) {
      const label = wanted(plan, i) ? labelOf(plan, i) : "";
      if (!label || out.has(label)) continue;
      const hit = !plan.shape
        ? Math.hypot(mercatorX(plan.lon[i]) - x, mercatorY(plan.lat[i]) - y) < reach * 2
        : AREAS.includes(plan.kind(i)) ? insideShape(plan.shape, i, x, y) : lineDistance(plan.shape, i, x, y) < reach;
      if (hit) out.add(label);
    }
  }
  return [...out].slice(0, 6);
}

/** @param {View} view @param {any} plan */
function drawSites(view, plan) {
  for (let i = 0; i < plan.n; i++) {
    if (!wanted(plan, i)) continue;
    const x = mercatorX(plan.lon[i]) * view.k - view.ox;
    const y = mercatorY(plan.lat[i]) * view.k - view.oy;
    if (x < -20 || y < -20 || x > view.w + 20 || y > view.h + 20) continue;
    const [symbol, colour] = planMark(plan.kind(i), plan.id);
    const picture = sprite(symbol, colour, ["site", "new"].includes(plan.kind(i)) ? 9 : 6, view.m);
    const half = picture.width / view.m / 2;
    view.ctx.drawImage(picture, x - half, y - half, half * 2, half * 2);
  }
}
