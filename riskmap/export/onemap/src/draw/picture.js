// @ts-check
/** PNG and print: the map drawn again from its vectors, with all that a map sheet must have. */
import { app, byId, download, fileName, fill, nameOf, on, say, state, t } from "../model/core.js";
import { paintAll, screenView } from "./canvas.js";
import { drawDivide } from "../panels/whatif.js";
import { metresPerPixel, reviewText, scaleBar } from "../panels/frame.js";
import { spare } from "../panels/interact.js";
import { table, wholeBox } from "../data/model.js";
import { planColour, planIsArea, planIsDashed, planMark } from "./plans.js";
import { makeRings, visiblePoints } from "./points.js";
import { classColours, className, FONT, surfaceColours } from "./labels.js";
import { QUARTERS } from "../model/score.js";
import { sprite } from "./symbols.js";
import { rangeText } from "../panels/tree.js";
import { depthLegend } from "./water.js";

const HEAD = 56;
const FOOT = 40;
const SIDE = 196;
/** A4 lying, in pixels of 1/110 inch. */
const SHEET = [1272, 900];
/** White beside the frame of the map. */
const EDGE = 12;

/**
 * What the screen shows, as large as the sheet's map allows.
 * @param {number} w
 * @param {number} h
 */
function sheetView(w, h) {
  const v = screenView();
  const { paddingTopLeft: [left, top], paddingBottomRight: [right, bottom] } = spare();
  let [x0, y0, x1, y1] = [(v.ox + left) / v.k, (v.oy + top) / v.k, (v.ox + v.w - right) / v.k, (v.oy + v.h - bottom) / v.k];
  const all = wholeBox();
  if (all[0] < x1 && all[2] > x0 && all[1] < y1 && all[3] > y0) [x0, y0, x1, y1] = [Math.max(x0, all[0]), Math.max(y0, all[1]), Math.min(x1, all[2]), Math.min(y1, all[3])];
  const k = Math.min((w - 40) / (x1 - x0), (h - 40) / (y1 - y0));
  return { k, ox: ((x0 + x1) / 2) * k - w / 2, oy: ((y0 + y1) / 2) * k - h / 2, w, h, zoom: Math.log2(k / 256) };
}

/**
 * Draw the sheet.
 * @param {number} m device pixels per pixel
 */
export function drawSheet(m) {
  const [w, h] = SHEET;
  const v = sheetView(w - SIDE - EDGE, h - HEAD - FOOT);
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(w * m);
  canvas.height = Math.round(h * m);
  const ctx = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d", { willReadFrequently: true }));
  ctx.setTransform(m, 0, 0, m, 0, 0);
  ctx.fillStyle = "#ffffff";
  ctx.fillRect(0, 0, w, h);
  const map = document.createElement("canvas");
  map.width = Math.round(v.w * m);
  map.height = Math.round(v.h * m);
  const mapCtx = /** @type {CanvasRenderingContext2D} */ (map.getContext("2d", { willReadFrequently: true }));
  mapCtx.setTransform(m, 0, 0, m, 0, 0);
  mapCtx.fillStyle = "#eef1f3";
  mapCtx.fillRect(0, 0, v.w, v.h);
  paintAll({ ...v, ctx: mapCtx, m, target: "png" });
  drawDivide({ ...v, ctx: mapCtx, m, target: "png" }, FONT);
  ctx.drawImage(map, EDGE, HEAD, v.w, v.h);
  ctx.strokeStyle = "#16202c";
  ctx.lineWidth = 1.2;
  ctx.strokeRect(EDGE, HEAD, v.w, v.h);
  title(ctx, w);
  legend(ctx, EDGE + v.w + 14, HEAD + 10, { ...v, m });
  foot(ctx, w, h, v);
  return canvas;
}

/** @param {any} ctx @param {string} text @param {number} x @param {number} y @param {number} size @param {any} [how] */
function write(ctx, text, x, y, size, how = {}) {
  ctx.font = `${how.weight || 400} ${size}px ${FONT}`;
  ctx.fillStyle = how.colour || "#16202c";
  ctx.textAlign = how.align || "left";
  ctx.textBaseline = "middle";
  ctx.fillText(text, x, y, how.width);
}

/** @param {any} ctx @param {number} w */
function title(ctx, w) {
  const { facts } = app.model;
  const parts = [facts.name, state.scenario, state.view ? nameOf((table("cell") || table("unit")).nodes.get(state.view)) : "", Object.keys(state.weights).length ? t("moved weights") : ""].filter(Boolean);
  write(ctx, parts.join(" · "), w / 2, facts.demo ? 20 : HEAD / 2, 22, { weight: 700, align: "center", width: w - 40 });
  if (facts.demo) write(ctx, t("Demo data") + " " + t("The ledgers are made up for demonstration; not for decisions."), w / 2, 43, 12, { align: "center", colour: "#8a4b00", width: w - 40 });
}

/** @param {any} ctx @param {number} x @param {number} y @param {any} v view of the sheet's map */
function legend(ctx, x, y, v) {
  const { model } = app;
  const { m } = v;
  north(ctx, x + 14, y + 22);
  y += 66;
  const tab = state.shown.grid && table("cell") ? table("cell") : table("unit");
  if (tab && (state.shown.grid || state.shown.units)) {
    write(ctx, state.view ? nameOf(tab.nodes.get(state.view)) : t("Composite risk"), x, y, 13, { weight: 700, width: SIDE - 24 });
    for (const c of [4, 3, 2, 1]) {
      y += 21;
      ctx.fillStyle = surfaceColours()[c];
      ctx.fillRect(x, y - 7, 20, 14);
      ctx.strokeStyle = "#5b6b7e";
      ctx.lineWidth = 0.8;
      ctx.strokeRect(x, y - 7, 20, 14);
      write(ctx, (state.view ? t("Quarter {n}", { n: c }) : className(c)) + "  " + rangeText(state.view ? QUARTERS : tab.tree.breaks, c), x + 27, y, 11.5, { width: SIDE - 52 });
    }
    y += 30;
  }
  y = waterLegend(ctx, x, y);
  const things = model.things.filter((/** @type {any} */ l) => state.shown[l.id]);
  if (things.length) write(ctx, t("Symbols"), x, y, 13, { weight: 700 });
  for (const layer of things.slice(0, 16)) {
    y += 21;
    const graded = layer.counts[0] < layer.n;
    const picture = sprite(layer.symbol, graded ? "#5b6b7e" : layer.colour || "#4a5f78", 6, m);
    const half = picture.width / m / 2;
    ctx.drawImage(picture, x + 10 - half, y - half, half * 2, half * 2);
    write(ctx, nameOf(layer), x + 27, y, 11.5, { width: SIDE - 52 });
  }
  y = readings(ctx, x, y, v, things);
  y = planLegend(ctx, x, y + 30, m);
  baseLegend(ctx, x, y);
}

/** How symbols, rings and dots are read. @param {any} ctx @param {number} x @param {number} y @param {any} v @param {any[]} things */
function readings(ctx, x, y, v, things) {
  if (!things.some((l) => l.level.some((/** @type {number} */ c) => c > 0))) return y;
  const small = { colour: "#52606f", width: SIDE - 52 };
  write(ctx, t("shape = kind, colour = level"), x + 27, (y += 21), 11, small);
  const { level, graded } = makeRings(v, visiblePoints());
  if (level === -1) return y;
  y += 20;
  [4, 3, 2, 1].forEach((c, i) => {
    ctx.beginPath();
    ctx.moveTo(x + 10, y);
    ctx.arc(x + 10, y, 8, (i - 1) * Math.PI / 2, i * Math.PI / 2);
    ctx.fillStyle = classColours()[c];
    ctx.fill();
  });
  ctx.beginPath();
  ctx.arc(x + 10, y, 5, 0, 7);
  ctx.fillStyle = "#ffffff";
  ctx.fill();
  write(ctx, t("ring = points of a unit by level"), x + 27, y, 11, small);
  if (!graded) return y;
  y += 19;
  ctx.fillStyle = "#4a5f78";
  ctx.fillRect(x + 8, y - 2, 4, 4);
  write(ctx, t("dot = point without a level"), x + 27, y, 11, small);
  return y;
}

/** A piece of a line for the legend. @param {any} ctx @param {number} x @param {number} y */
function stripe(ctx, x, y) {
  ctx.beginPath();
  ctx.moveTo(x, y);
  ctx.lineTo(x + 20, y);
  ctx.stroke();
}

/** Borders, water and roads. @param {any} ctx @param {number} x @param {number} y */
function baseLegend(ctx, x, y) {
  const base = app.model.base.filter((/** @type {any} */ l) => state.shown[l.id]);
  const rows = [...(state.shown.borders ? [[t("Borders"), "#1f2b3a", [8, 2, 2, 2]]] : []),
    ...base.map((/** @type {any} */ l) => [nameOf(l), l.colour || (/water|river/.test(l.id) ? "#2f86c9" : "#8d97a5"), []])];
  if (!rows.length || y + 20 * rows.length > SHEET[1] - FOOT) return;
  write(ctx, t("Base map"), x, y, 13, { weight: 700 });
  for (const [name, colour, dash] of rows) {
    y += 20;
    ctx.setLineDash(dash);
    ctx.strokeStyle = colour;
    ctx.lineWidth = 2;
    stripe(ctx, x, y);
    ctx.setLineDash([]);
    write(ctx, name, x + 27, y, 11.5, { width: SIDE - 52 });
  }
}

/** What the plans that are switched on look like. @param {any} ctx @param {number} x @param {number} y @param {number} m */
function planLegend(ctx, x, y, m) {
  const plans = app.model.plans.filter((/** @type {any} */ p) => state.shown["plan:" + p.id] && ["", state.scenario].includes(p.n ? p.scenario(0) : ""));
  if (!plans.length) return y;
  write(ctx, t("Plans"), x, y, 13, { weight: 700 });
  for (const plan of plans.slice(0, 8)) {
    y += 21;
    const area = planIsArea(plan);
    ctx.fillStyle = ctx.strokeStyle = planColour(plan);
    ctx.globalAlpha = plan.kinds[0] === "danger_area" ? 0.25 : 1;
    if (area) ctx.fillRect(x, y - 6, 20, 12);
    ctx.globalAlpha = 1;
    ctx.lineWidth = area ? 1.2 : 3;
    ctx.setLineDash(planIsDashed(plan) ? [5, 3] : []);
    if (area) ctx.strokeRect(x, y - 6, 20, 12);
    else if (plan.shape) stripe(ctx, x, y);
    ctx.setLineDash([]);
    if (!plan.shape) ctx.drawImage(sprite(planMark(plan.kinds[0], plan.id)[0], planColour(plan), 6, m), x, y - 10, 20, 20);
    write(ctx, nameOf(plan), x + 27, y, 11.5, { width: SIDE - 52 });
  }
  return y + 30;
}

/** @param {any} ctx @param {number} x @param {number} y */
function waterLegend(ctx, x, y) {
  const list = state.shown.water ? depthLegend() : [];
  if (!list.length) return y;
  write(ctx, t("Water depth"), x, y, 13, { weight: 700 });
  for (const { colour, text } of list) {
    y += 19;
    ctx.fillStyle = colour;
    ctx.fillRect(x, y - 7, 20, 14);
    write(ctx, text, x + 27, y, 11.5, { width: SIDE - 52 });
  }
  return y + 30;
}

/** @param {any} ctx @param {number} x @param {number} y */
function north(ctx, x, y) {
  ctx.beginPath();
  ctx.moveTo(x, y - 16);
  ctx.lineTo(x + 9, y + 12);
  ctx.lineTo(x, y + 6);
  ctx.lineTo(x - 9, y + 12);
  ctx.closePath();
  ctx.fillStyle = "#16202c";
  ctx.fill();
  write(ctx, "N", x, y + 24, 13, { weight: 700, align: "center" });
}

/** @param {any} ctx @param {number} w @param {number} h @param {any} v */
function foot(ctx, w, h, v) {
  const { facts } = app.model;
  const y = h - FOOT / 2;
  write(ctx, reviewText(), EDGE, y, 12, { colour: facts.review ? "#16202c" : "#9b1c1c", width: v.w * 0.35 });
  const bar = scaleBar(metresPerPixel(app.map, v.zoom));
  const x = v.w * 0.42;
  ctx.strokeStyle = "#16202c";
  ctx.lineWidth = 2;
  ctx.beginPath();
  ctx.moveTo(x, y - 2);
  ctx.lineTo(x, y + 5);
  ctx.lineTo(x + bar.width, y + 5);
  ctx.lineTo(x + bar.width, y - 2);
  ctx.stroke();
  write(ctx, bar.text, x + bar.width + 8, y, 12);
  const right = [facts.issuer, facts.profile === "public" ? t("public edition") : t("internal edition"), facts.date ? t("Data of {date}", { date: facts.date }) : "", "CGCS2000 / WGS-84"].filter(Boolean).join(" · ");
  write(ctx, right, w - 12, y, 12, { align: "right", width: w * 0.42 });
}

/** @returns {Promise<Blob>} */
export function pictureBlob(m = 2) {
  return new Promise((done, fail) => drawSheet(m).toBlob((blob) => (blob ? done(blob) : fail(new Error("no picture"))), "image/png"));
}

function fillPaper() {
  const canvas = drawSheet(2);
  fill(byId("paper"), canvas);
}

/** Make PNG and print work. */
export function startPicture() {
  on("png", async () => {
    const blob = await pictureBlob();
    download(blob, fileName("png"));
    say(t("Picture saved"));
  });
  on("print", () => window.print());
  window.addEventListener("beforeprint", fillPaper);
  window.addEventListener("afterprint", () => fill(byId("paper")));
}
