// @ts-check
/** PNG and print: the map drawn again from its vectors, with all that a map sheet must have. */
import { app, byId, download, el, fileName, fill, nameOf, num, on, say, score3, state, t } from "../model/core.js";
import { paintAll, screenView } from "./canvas.js";
import { drawDivide } from "../panels/whatif.js";
import { metresPerPixel, reviewText, scaleBar } from "../panels/frame.js";
import { spare } from "../panels/interact.js";
import { surfaceKind, table, wholeBox } from "../data/model.js";
import { reasonOf } from "../model/counts.js";
import { chips } from "../panels/chips.js";
import { listTable } from "../panels/list.js";
import { dialog } from "../panels/tools.js";
import { planColour, planIsArea, planIsDashed, planMark } from "./plans.js";
import { makeRings, visiblePoints } from "./points.js";
import { classColours, className, FONT, levelName, short, surfaceColours, unitLevelName } from "./labels.js";
import { QUARTERS, shownOf, worstUnits } from "../model/score.js";
import { sprite } from "./symbols.js";
import { rangeText } from "../panels/tree.js";
import { depthLegend } from "./ground.js";

const HEAD = 64;
const FOOT = 46;
const SIDE = 208;
/** A4 in pixels of 1/110 inch less margins: short and long side. */
const SHORT = 900;
const LONG = 1272;
/** White beside the frame of the map. */
const EDGE = 12;
/** Millimetres of one pixel of the sheet when it is printed on A4 with 8 mm of margin. */
const MM = 281 / LONG;
/** Paper sizes: name, and how much larger than A4. @type {Record<string, number>} */
export const PAPERS = { A4: 1, A3: Math.SQRT2 };

/** Is the place taller than wide, so that the paper stands? What is seen on the screen counts. */
export function portrait() {
  const [x0, y0, x1, y1] = seenBox();
  return y1 - y0 > 1.12 * (x1 - x0);
}

/** What the screen shows of the place, as a box on the Mercator square. */
function seenBox() {
  const v = screenView();
  const free = spare();
  const [left, top, right, bottom] = [...free.paddingTopLeft, ...free.paddingBottomRight].map((n) => n / app.scale);
  const seen = [(v.ox + left) / v.k, (v.oy + top) / v.k, (v.ox + v.w - right) / v.k, (v.oy + v.h - bottom) / v.k];
  const all = wholeBox();
  if (!(all[0] < seen[2] && all[2] > seen[0] && all[1] < seen[3] && all[3] > seen[1])) return seen;
  return [Math.max(seen[0], all[0]), Math.max(seen[1], all[1]), Math.min(seen[2], all[2]), Math.min(seen[3], all[3])];
}

/**
 * What the screen shows, as large as the sheet's map allows.
 * @param {number} w
 * @param {number} h
 */
function sheetView(w, h) {
  const [x0, y0, x1, y1] = seenBox();
  const k = Math.min((w - 40) / (x1 - x0), (h - 40) / (y1 - y0));
  return { k, ox: ((x0 + x1) / 2) * k - w / 2, oy: ((y0 + y1) / 2) * k - h / 2, w, h, zoom: Math.log2(k / 256) };
}

/**
 * Draw the sheet, standing or lying as the place is.
 * @param {number} m device pixels per pixel
 * @param {number} [paper] how much larger than A4 it is printed
 */
export function drawSheet(m, paper = 1) {
  const upright = portrait();
  const [w, h] = upright ? [SHORT, LONG] : [LONG, SHORT];
  const below = upright ? legendHeight(w - 2 * EDGE) : 0;
  const told = upright && worstUnits(1).length ? TOLD : 0;
  const v = upright ? sheetView(w - 2 * EDGE, h - HEAD - FOOT - below - told) : sheetView(w - SIDE - EDGE, h - HEAD - FOOT);
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
  const rows = legendRows({ ...v, m });
  if (upright) {
    north(ctx, EDGE + v.w - 22, HEAD + 26);
    layRows(ctx, rows, EDGE, HEAD + v.h + 8, w - 2 * EDGE, below - 8);
    layWorst(ctx, EDGE, HEAD + v.h + below, w - 2 * EDGE, told);
  } else {
    north(ctx, EDGE + v.w + 28, HEAD + 30);
    const room = h - HEAD - FOOT - 80;
    layRows(ctx, rows, EDGE + v.w + 14, HEAD + 74, SIDE - 14, room);
    const used = rows.length * (ROW + 1) + 10;
    if (used < room) layWorst(ctx, EDGE + v.w + 14, HEAD + 74 + used, SIDE - 16, room - used);
  }
  foot(ctx, w, h, v, paper);
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

/** The title and, under it, whatever narrows or changes the picture. @param {any} ctx @param {number} w */
function title(ctx, w) {
  const { facts } = app.model;
  const edition = facts.profile === "public" ? t("public edition") : t("internal edition");
  write(ctx, `${facts.name}（${edition}）`, w / 2, 22, 22, { weight: 700, align: "center", width: w - 40 });
  const set = chips().map((chip) => chip.text).join(" · ");
  const demo = facts.demo ? t("Demo data") + " " + t("The ledgers are made up for demonstration; not for decisions.") : "";
  const sketch = facts.sketch ? t("Sketch areas") + " " + t("Units without boundary show the land nearest to a point each; these are no boundaries.") : "";
  write(ctx, [set, demo, sketch].filter(Boolean).join(" · "), w / 2, 48, 12.5, { align: "center", colour: "#8a4b00", width: w - 40 });
}

/** @typedef {{head?: boolean, text: string, draw?: (ctx: any, x: number, y: number) => void, small?: boolean}} Row */

/** A filled box with a rim. @param {string} colour @param {number} [alpha] @param {number[]} [dash] */
function box(colour, alpha = 1, dash = []) {
  return (/** @type {any} */ ctx, /** @type {number} */ x, /** @type {number} */ y) => {
    ctx.globalAlpha = alpha;
    ctx.fillStyle = colour;
    ctx.fillRect(x, y - 6, 20, 12);
    ctx.globalAlpha = 1;
    ctx.strokeStyle = alpha < 1 ? colour : "#5b6b7e";
    ctx.lineWidth = alpha < 1 ? 1.2 : 0.8;
    ctx.setLineDash(dash);
    ctx.strokeRect(x, y - 6, 20, 12);
    ctx.setLineDash([]);
  };
}

/** A piece of a line. @param {string} colour @param {number} width @param {number[]} [dash] */
function line(colour, width, dash = []) {
  return (/** @type {any} */ ctx, /** @type {number} */ x, /** @type {number} */ y) => {
    ctx.strokeStyle = colour;
    ctx.lineWidth = width;
    ctx.setLineDash(dash);
    ctx.beginPath();
    ctx.moveTo(x, y);
    ctx.lineTo(x + 20, y);
    ctx.stroke();
    ctx.setLineDash([]);
  };
}

/** A symbol. @param {string} symbol @param {string} colour @param {number} m */
function mark(symbol, colour, m) {
  return (/** @type {any} */ ctx, /** @type {number} */ x, /** @type {number} */ y) => {
    const picture = sprite(symbol, colour, 6, m);
    const half = picture.width / m / 2;
    ctx.drawImage(picture, x + 10 - half, y - half, half * 2, half * 2);
  };
}

/** Everything that is shown, as rows of the legend. @param {any} v view of the sheet's map @returns {Row[]} */
function legendRows(v) {
  const { model } = app;
  const { m } = v;
  /** @type {Row[]} */
  const rows = [];
  const kind = surfaceKind();
  const tab = kind && table(kind);
  if (tab) {
    rows.push({ head: true, text: state.view ? nameOf(tab.nodes.get(state.view)) : t("Composite risk") });
    for (const c of [4, 3, 2, 1]) rows.push({ text: (state.view ? t("Quarter {n}", { n: c }) : className(c)) + "  " + rangeText(state.view ? QUARTERS : tab.tree.breaks, c), draw: box(surfaceColours()[c]) });
  }
  const water = state.shown.water ? depthLegend() : [];
  if (water.length) rows.push({ head: true, text: t("Water depth") }, ...water.map((/** @type {any} */ c) => ({ text: c.text, draw: box(c.colour) })));
  const shown = visiblePoints();
  const { level, graded } = makeRings(v, shown);
  const things = model.things.filter((/** @type {any} */ l) => state.shown[l.id] && (level === -1 || !graded || l.counts[0] < l.n));
  if (things.length) rows.push({ head: true, text: t("Symbols") });
  for (const layer of things) {
    const of = layer.counts[0] < layer.n;
    rows.push({ text: nameOf(layer), draw: mark(layer.symbol, of ? "#5b6b7e" : layer.colour || "#4a5f78", m) });
  }
  if (things.some((/** @type {any} */ l) => l.counts[0] < l.n)) {
    rows.push({ text: t("shape = kind, colour = level"), small: true });
    if (level !== -1) rows.push({ text: t("ring = points of a unit by level"), small: true, draw: ringMark });
  }
  const plans = model.plans.filter((/** @type {any} */ p) => state.shown["plan:" + p.id] && ["", state.scenario].includes(p.n ? p.scenario(0) : ""));
  if (plans.length) rows.push({ head: true, text: t("Plans") });
  for (const plan of plans) {
    const colour = planColour(plan);
    const draw = !plan.shape ? mark(planMark(plan.kinds[0], plan.id)[0], colour, m) : planIsArea(plan) ? box(colour, plan.kinds[0] === "danger_area" ? 0.25 : 1, planIsDashed(plan) ? [5, 3] : []) : line(colour, 3, planIsDashed(plan) ? [5, 3] : []);
    rows.push({ text: nameOf(plan), draw });
  }
  const base = model.base.filter((/** @type {any} */ l) => state.shown[l.id]);
  if (base.length || state.shown.borders) rows.push({ head: true, text: t("Base map") });
  if (state.shown.borders) rows.push({ text: t("Borders"), draw: line("#1f2b3a", 2, [8, 2, 2, 2]) });
  for (const l of base) rows.push({ text: nameOf(l), draw: line(l.colour || (/water|river/.test(l.id) ? "#2f86c9" : "#8d97a5"), 2) });
  return rows;
}

/** The sign of a ring. @param {any} ctx @param {number} x @param {number} y */
function ringMark(ctx, x, y) {
  [4, 3, 2, 1].forEach((c, i) => {
    ctx.beginPath();
    ctx.moveTo(x + 10, y);
    ctx.arc(x + 10, y, 8, ((i - 1) * Math.PI) / 2, (i * Math.PI) / 2);
    ctx.fillStyle = classColours()[c];
    ctx.fill();
  });
  ctx.beginPath();
  ctx.arc(x + 10, y, 5, 0, 7);
  ctx.fillStyle = "#ffffff";
  ctx.fill();
}

const ROW = 20;
/** Height that the worst units take under the legend of a standing sheet. */
const TOLD = 134;

/**
 * Break a text into lines that fit: Chinese anywhere but before a closing mark, else between words.
 * @param {any} ctx
 * @param {string} text
 * @param {number} width
 */
function wrapped(ctx, text, width) {
  const lines = [""];
  for (const part of text.match(/[\x21-\x7e]+|[^]/gu) || []) {
    const longer = lines[lines.length - 1] + part;
    if (ctx.measureText(longer).width <= width || /^[，。；、）]$/.test(part) || !lines[lines.length - 1]) lines[lines.length - 1] = longer;
    else {
      const open = /（$/.test(lines[lines.length - 1]) ? "（" : "";
      if (open) lines[lines.length - 1] = lines[lines.length - 1].slice(0, -1);
      lines.push(open + part.trim());
    }
  }
  return lines;
}

/**
 * Write the worst units with their reasons, as many as there is room for, none in part.
 * @param {any} ctx
 * @param {number} x
 * @param {number} y
 * @param {number} w
 * @param {number} h
 */
function layWorst(ctx, x, y, w, h) {
  const { units } = app.model;
  const rows = worstUnits(5);
  if (!rows.length) return;
  const { cls, score } = shownOf(table("unit"));
  const said = rows.map((u, i) => {
    ctx.font = `400 11.5px ${FONT}`;
    return { head: `${i + 1} ${short(units.name(u), 14)}  ${state.view ? t("Quarter {n}", { n: cls[u] }) : levelName(cls[u], true)} ${score3(score[u])}`, lines: reasonOf(u) ? wrapped(ctx, reasonOf(u), w) : [] };
  });
  const end = y + h;
  if (y + 20 + 18 + said[0].lines.length * 15 > end) return;
  write(ctx, t("Worst {level}", { level: unitLevelName(units.levels[units.levels.length - 1]) }), x, y + 10, 13, { weight: 700, width: w });
  let top = y + 20;
  for (const { head, lines } of said) {
    if (top + 18 + lines.length * 15 > end) return;
    write(ctx, head, x, top + 9, 12, { weight: 600, width: w });
    lines.forEach((line, i) => write(ctx, line, x, top + 18 + i * 15 + 7, 11.5, { colour: "#3b4957" }));
    top += 20 + lines.length * 15;
  }
}

/** Height that the legend takes under the map. @param {number} w */
function legendHeight(w) {
  const rows = legendRows({ ...sheetView(w, LONG - HEAD - FOOT - 200), m: 1 }).length;
  return Math.ceil(rows / Math.floor(w / SIDE)) * ROW + 24;
}

/**
 * Write the rows in as many columns as there is room for, smaller where they would not fit: none is left out.
 * @param {any} ctx
 * @param {Row[]} rows
 * @param {number} x
 * @param {number} y
 * @param {number} w
 * @param {number} h
 */
function layRows(ctx, rows, x, y, w, h) {
  const columns = Math.max(1, Math.floor(w / (SIDE - 14)));
  const wide = w / columns;
  const each = Math.ceil(rows.length / columns);
  const step = Math.min(ROW + 1, h / each);
  const size = Math.max(7, Math.min(11.5, step * 0.58));
  rows.forEach((row, i) => {
    const left = x + Math.floor(i / each) * wide;
    const top = y + (i % each) * step + step / 2;
    if (row.draw) row.draw(ctx, left, top);
    if (row.head) write(ctx, row.text, left, top, size + 1.5, { weight: 700, width: wide - 8 });
    else write(ctx, row.text, left + 27, top, row.small ? size - 0.5 : size, { width: wide - 36, colour: row.small ? "#52606f" : undefined });
  });
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

/** Scale of the printed sheet as 1 : n, rounded to three figures. @param {any} v @param {number} paper */
export function scaleNumber(v, paper = 1) {
  const n = (metresPerPixel(app.map, v.zoom) * 1000) / (MM * paper);
  const power = 10 ** (Math.floor(Math.log10(n)) - 2);
  return Math.round(n / power) * power;
}

/** @param {any} ctx @param {number} w @param {number} h @param {any} v @param {number} paper */
function foot(ctx, w, h, v, paper) {
  const { facts } = app.model;
  const y = h - FOOT / 2 - 8;
  write(ctx, reviewText(), EDGE, y, 12, { colour: facts.review ? "#16202c" : "#9b1c1c", width: w * 0.3 });
  const bar = scaleBar(metresPerPixel(app.map, v.zoom));
  const x = w * 0.34;
  ctx.strokeStyle = "#16202c";
  ctx.lineWidth = 2;
  ctx.beginPath();
  ctx.moveTo(x, y - 2);
  ctx.lineTo(x, y + 5);
  ctx.lineTo(x + bar.width, y + 5);
  ctx.lineTo(x + bar.width, y - 2);
  ctx.stroke();
  const size = Object.keys(PAPERS).find((name) => PAPERS[name] === paper) || "A4";
  write(ctx, `${bar.text}    ${t("1:{n} on {size}", { n: num(scaleNumber(v, paper)), size })}`, x + bar.width + 8, y, 12);
  const right = [facts.issuer ? t("Drawn up by {name}", { name: facts.issuer }) : "", facts.date ? t("Data of {date}", { date: facts.date }) : "", "CGCS2000 / WGS-84"].filter(Boolean).join(" · ");
  write(ctx, right, w - 12, y + 17, 12, { align: "right", width: w - 2 * EDGE });
}

/** @returns {Promise<Blob>} */
export function pictureBlob(m = 2) {
  return new Promise((done, fail) => drawSheet(m).toBlob((blob) => (blob ? done(blob) : fail(new Error("no picture"))), "image/png"));
}

/** What is printed: the map or the list, on which paper. */
const chosen = { what: "map", paper: "A4" };

/** Lay out what is printed. */
function fillPaper() {
  const list = chosen.what === "list";
  const upright = !list && portrait();
  const old = byId("page-size");
  if (old) old.remove();
  document.head.appendChild(el("style", { id: "page-size" }, `@media print { @page { size:${chosen.paper} ${upright ? "portrait" : "landscape"}; margin:${list ? "12mm" : "8mm"}; } }`));
  const big = chosen.paper === "A3";
  byId("paper").className = list ? "listed" : upright ? "upright" : "";
  byId("paper").style.setProperty("--high", `${(upright ? 280 : 193) * (big ? Math.SQRT2 : 1) - (big ? 4 : 0)}mm`);
  fill(byId("paper"), list ? listPaper() : drawSheet(big ? 2.6 : 2, PAPERS[chosen.paper]));
}

/** The list as a table of words, nine points or larger. */
function listPaper() {
  const { facts } = app.model;
  const { head, lines, name } = listTable();
  const set = chips().map((chip) => chip.text).join(" · ");
  return [
    el("h1", null, `${facts.name} · ${name}`),
    el("p", null, [set, facts.issuer ? t("Drawn up by {name}", { name: facts.issuer }) : "", facts.date ? t("Data of {date}", { date: facts.date }) : "", facts.profile === "public" ? t("public edition") : t("internal edition"), t("{n} rows", { n: num(lines.length) }), facts.demo ? t("Demo data") : ""].filter(Boolean).join(" · ")),
    el("table", null, el("thead", null, el("tr", null, head.map((h) => el("th", { scope: "col" }, h)))), el("tbody", null, lines.map((row) => el("tr", null, row.map((cell) => el("td", null, cell)))))),
  ];
}

/** Ask what to print and on which paper. */
function ask() {
  const pick = (/** @type {"what" | "paper"} */ key, /** @type {string} */ name, /** @type {[string, string][]} */ options) => el("fieldset", { class: "choice" }, el("legend", null, name), options.map(([value, label]) => el("label", null,
    el("input", { type: "radio", name: "print-" + key, value, checked: chosen[key] === value, onchange: () => (chosen[key] = value) }), " ", label)));
  dialog(t("Print"), el("div", { class: "dialog-body" },
    pick("what", t("What"), [["map", t("The map as it stands")], ["list", t("The list as it stands")]]),
    pick("paper", t("Paper"), [["A4", "A4"], ["A3", "A3"]]),
    el("div", { class: "buttons" }, el("button", { id: "print-now", onclick: () => {
      const open = document.querySelector("dialog");
      if (open) /** @type {HTMLDialogElement} */ (open).close();
      window.print();
    } }, t("Print")))));
}

/** Make PNG and print work. */
export function startPicture() {
  on("png", async () => {
    const blob = await pictureBlob();
    const set = chips().map((chip) => chip.text).join("_");
    download(blob, fileName("png", set));
    say(t("Picture saved"));
  });
  on("print", ask);
  window.addEventListener("beforeprint", fillPaper);
  window.addEventListener("afterprint", () => fill(byId("paper")));
}
