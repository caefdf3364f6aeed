// @ts-check
/** 概览: what matters at a glance. */
import { app, byId, el, emit, figures, fill, nameOf, num, on, percent, score3, state, t } from "../model/core.js";
import { live, scenarioChanges, shownOf } from "../model/score.js";
import { cellCounts, FAR_M, hasRefuges, isUnsure, toRefuge } from "../model/counts.js";
import { listTest, matchesFilter, overdueTest } from "../data/items.js";
import { inTown, rankingLevel, table } from "../data/model.js";
import { className, surfaceColours, unitLevelName } from "../draw/labels.js";
import { countNotUsed } from "../draw/plans.js";

/** So many units are ranked here; the list has all. */
const MOST = 60;

/**
 * A small card.
 * @param {string} name
 * @param {any} value
 * @param {any} note
 * @param {string} [tone]
 */
export function card(name, value, note, tone = "") {
  return el("div", { class: "card " + tone }, el("div", { class: "card-name" }, name), el("div", { class: "card-value" }, value), note ? el("div", { class: "card-note" }, note) : null);
}

/**
 * Change against the start in words and colour; "" when there is none.
 * @param {number} n
 * @param {string} unit
 */
export function changeText(n, unit = "") {
  if (!n || !Number.isFinite(n)) return null;
  return el("span", { class: n > 0 ? "up" : "down" }, (n > 0 ? "▲ " : "▼ ") + figures(Math.abs(n)) + (unit ? " " + unit : ""));
}

/** Draw the overview again. */
export function renderOverview() {
  const node = byId("panel-overview");
  if (!node || state.tab !== "overview") return;
  fill(node, cards(), scenarioChanges(), ranking(), histogram(), about());
}

function cards() {
  const { model } = app;
  const out = [];
  const cell = table("cell");
  const base = table("cell", "");
  if (model.grid && cell && !state.view) {
    const { all, people } = cellCounts();
    const km2 = model.grid.cell_km2;
    const sum = all.reduce((a, b) => a + b, 0);
    const was = baseCount(base, 4);
    out.push(card(t("Major-risk area"), [figures(all[4] * km2), el("small", null, " km²")], [
      t("{share} of the area", { share: percent(all[4] / sum, 1) }), " ", changeText((all[4] - was) * km2, "km²")], "c4"));
    if (model.grid.population) {
      const total = people.reduce((a, b) => a + b, 0);
      out.push(card(t("People in major and larger risk"), [num(people[4] + people[3]), el("small", null, " " + t("persons"))],
        t("{share} of {n} residents", { share: percent((people[4] + people[3]) / total, 1), n: num(total) }), "c3"));
    }
  }
  const unit = table("unit");
  if (unit) {
    const level = model.units.levels.length - 1;
    const { cls } = live(unit);
    const list = model.units.rows[level].filter(inTown);
    const red = list.filter((/** @type {number} */ u) => cls[u] === 4).length;
    const was = list.filter((/** @type {number} */ u) => table("unit", "").base.cls[u] === 4).length;
    out.push(card(t("{level} at major risk", { level: unitLevelName(model.units.levels[level]) }), [num(red), el("small", null, " / " + num(list.length))], [changeText(red - was), " ", unsureNote(list.filter((/** @type {number} */ u) => cls[u] === 4))], "c4"));
  }
  if (app.model.things.some((/** @type {any} */ l) => l.item)) out.push(itemCard());
  if (unit && hasRefuges()) out.push(farCard());
  return el("div", { class: "cards" }, out);
}

/** How many of the units at major risk are only just so; opens their list. @param {number[]} red */
function unsureNote(red) {
  const n = red.filter(isUnsure).length;
  return n ? el("button", { id: "unsure", class: "link", onclick: () => emit("listOf", "unsure") }, t("{n} of them only just", { n: num(n) })) : red.length ? t("none of them only just") : "";
}

/** Units whose middle is far from every refuge; opens their list. */
function farCard() {
  const { units } = app.model;
  const level = units.levels.length - 1;
  const list = units.rows[level].filter(inTown);
  const far = list.filter((/** @type {number} */ u) => toRefuge(u) > FAR_M);
  const people = far.reduce((/** @type {number} */ s, /** @type {number} */ u) => s + (units.population[u] || 0), 0);
  const unused = countNotUsed();
  return card(t("No refuge within 1 km"), [num(far.length), el("small", null, " / " + num(list.length))], [
    people ? t("{n} residents, straight line", { n: num(people) }) : t("straight line, not by road"), " ", unused ? t("({n} refuges that the plan does not use are counted too)", { n: num(unused) }) + " " : "",
    far.length ? el("button", { id: "far", class: "link", onclick: () => emit("listOf", "far") }, t("Show the list")) : null], "c3");
}

/** Cells of a class at the start, in the filtered town. @param {any} tab @param {number} c */
function baseCount(tab, c) {
  let n = 0;
  const { unit } = app.model.grid;
  for (let i = 0; i < tab.n; i++) if (tab.base.cls[i] === c && inTown(unit[i])) n++;
  return n;
}

function itemCard() {
  let n = 0;
  let red = 0;
  let late = 0;
  for (const layer of app.model.things) {
    if (!layer.item) continue;
    const [listed, overdue] = [listTest(layer), overdueTest(layer)];
    for (let i = 0; i < layer.n; i++) {
      if (!listed(i) || !inTown(layer.unit[i]) || !matchesFilter(layer, i)) continue;
      n++;
      if (layer.level[i] === 4) red++;
      if (overdue(i)) late++;
    }
  }
  const note = late ? el("span", { class: "up" }, t("{n} overdue", { n: num(late) })) : t("{n} items on the list", { n: num(n) });
  return card(t("Items of major level"), [num(red), el("small", null, " / " + num(n))], note, "c4");
}

/** Towns, worst first; a click filters. */
function ranking() {
  const { model } = app;
  const level = rankingLevel();
  const tab = table("unit");
  if (!tab) return null;
  const { score, cls } = shownOf(tab);
  const colours = surfaceColours();
  const rows = model.units.rows[level].slice().sort((/** @type {number} */ a, /** @type {number} */ b) => (score[b] || -1) - (score[a] || -1));
  const shares = townShares(level);
  const list = rows.slice(0, MOST).map((/** @type {number} */ u, /** @type {number} */ i) => el("li", null, el("button", {
    class: "rank" + (state.town === u ? " on" : ""), "data-unit": model.units.idOf(u), "aria-pressed": String(state.town === u),
    "aria-label": [i + 1, model.units.name(u), state.view ? "" : className(cls[u]), score3(score[u])].join(" "),
    title: model.units.name(u) + " · " + t("Click to filter; click again to show the whole area"),
    onclick: () => {
      if (state.town !== u) emit("select", { kind: "unit", at: u, stay: true });
      emit("pickTown", state.town === u ? -1 : u);
    } },
    el("span", { class: "place" }, i + 1),
    el("span", { class: "name" }, midShort(model.units.name(u))),
    el("span", { class: "bar", "aria-hidden": "true" }, shares ? shareBar(shares[u], colours) : el("i", { style: `width:${100 * (score[u] || 0)}%;background:${colours[cls[u]]}` })),
    el("span", { class: "chip", style: `background:${colours[cls[u]]}`, title: state.view ? "" : className(cls[u]) }),
    el("span", { class: "value" }, score3(score[u])))));
  return el("section", null,
    el("h3", null, t("Ranking of {level}", { level: unitLevelName(model.units.levels[level]) }), el("small", null, shares ? t("bar: area by class; number: index") : t("number: index"))),
    el("ol", { class: "ranking" }, list),
    rows.length > MOST ? el("button", { class: "link", onclick: () => emit("listOf", "unit:" + level) }, t("{n} more in the list", { n: num(rows.length - MOST) })) : null);
}

/** A name that fits, shortened in its middle, since codes differ at their end. @param {string} name */
function midShort(name) {
  const wide = Array.from(name);
  const width = wide.reduce((n, c) => n + (c > "\u2e7f" ? 1 : 0.56), 0);
  return width > 7.6 && wide.length > 9 ? wide.slice(0, width > wide.length * 0.8 ? 3 : 5).join("") + "…" + wide.slice(width > wide.length * 0.8 ? -3 : -5).join("") : name;
}

/** Share of each class in the area of each unit of a level, from the cells. @param {number} level */
function townShares(level) {
  const { grid, units } = app.model;
  const tab = table("cell");
  if (!grid || !tab) return null;
  const { cls } = shownOf(tab);
  const out = new Array(units.n);
  for (const u of units.rows[level]) out[u] = [0, 0, 0, 0, 0];
  const above = units.above[level];
  for (let i = 0; i < grid.n; i++) {
    const u = grid.unit[i] >= 0 ? above[grid.unit[i]] : -1;
    if (u >= 0) out[u][cls[i]]++;
  }
  return out;
}

/** @param {number[]} counts @param {string[]} colours */
function shareBar(counts, colours) {
  const sum = counts.reduce((a, b) => a + b, 0) || 1;
  return [4, 3, 2, 1, 0].map((c) => el("i", { style: `width:${(100 * counts[c]) / sum}%;background:${colours[c]}` }));
}

/** How the index is spread, with the limits of the classes. */
function histogram() {
  const { model } = app;
  const kind = model.grid && table("cell") ? "cell" : "unit";
  const tab = table(/** @type {any} */ (kind));
  if (!tab) return null;
  const { score, breaks } = shownOf(tab);
  const bins = new Float64Array(40);
  let low = Infinity;
  let high = -Infinity;
  for (let i = 0; i < tab.n; i++) {
    if (score[i] < low) low = score[i];
    if (score[i] > high) high = score[i];
  }
  if (!(high > low)) return null;
  let n = 0;
  for (let i = 0; i < tab.n; i++) {
    if (!(score[i] >= 0)) continue;
    if (kind === "cell" && !inTown(model.grid.unit[i])) continue;
    bins[Math.min(39, Math.floor(((score[i] - low) / (high - low)) * 40))]++;
    n++;
  }
  return el("section", null, el("h3", null, t("Spread of the index"), el("small", null, kind === "cell" ? t("{n} cells", { n: num(n) }) : t("{n} units", { n: num(n) }))),
    chart(bins, low, high, breaks));
}

/** @param {Float64Array} bins @param {number} low @param {number} high @param {number[]} breaks */
function chart(bins, low, high, breaks) {
  const colours = surfaceColours();
  const most = Math.max(...bins) || 1;
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 320 104");
  svg.setAttribute("class", "histogram");
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", t("Histogram of the index; class limits at {limits}", { limits: breaks.map(score3).join(", ") }));
  const add = (/** @type {string} */ tag, /** @type {Record<string, any>} */ attrs, text = "") => {
    const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const key of Object.keys(attrs)) node.setAttribute(key, String(attrs[key]));
    node.textContent = text;
    svg.appendChild(node);
  };
  const x = (/** @type {number} */ v) => ((v - low) / (high - low)) * 320;
  bins.forEach((n, i) => {
    const middle = low + ((i + 0.5) / 40) * (high - low);
    let c = 1;
    for (const b of breaks) if (middle > b) c++;
    const h = (n / most) * 78;
    add("rect", { x: i * 8 + 0.5, y: 82 - h, width: 7, height: h, fill: colours[c], stroke: "#5b6b7e", "stroke-width": 0.4 });
  });
  add("line", { x1: 0, x2: 320, y1: 82, y2: 82, stroke: "#5b6b7e" });
  let last = 22;
  for (const b of breaks) {
    add("line", { x1: x(b), x2: x(b), y1: 2, y2: 84, stroke: "#16202c", "stroke-dasharray": "3 2" });
    const at = Math.max(x(b), last + 30);
    if (at < 292) add("text", { x: at, y: 96, "text-anchor": "middle" }, score3(b));
    last = at;
  }
  add("text", { x: 0, y: 96 }, figures(low));
  add("text", { x: 320, y: 96, "text-anchor": "end" }, figures(high));
  return svg;
}

/** Date, reference system, presets, what is screening grade. */
function about() {
  const { facts, notes, presets, returned, unusable } = app.model;
  const weak = presets.filter((/** @type {any} */ p) => p.status !== "sourced");
  const line = (/** @type {any} */ name, /** @type {any} */ value) => value ? [el("dt", null, name), el("dd", null, value)] : null;
  return el("section", { class: "about" }, el("h3", null, t("About the data")),
    el("dl", null,
      line(t("Data date"), facts.date || t("not declared")),
      line(t("Edition"), facts.profile === "public" ? t("public edition") : t("internal edition")),
      line(t("Drawn up by"), facts.issuer),
      line(t("Reference system"), t("CGCS2000 / WGS-84; computed in {crs}", { crs: facts.crs })),
      line(t("Grid"), app.model.grid ? t("{n} cells of {m} m", { n: num(app.model.grid.n), m: num(facts.size_m) }) : ""),
      line(t("Rows returned"), returned ? t("{n} rows could not be used, see data_gaps.xlsx", { n: num(returned) }) : ""),
      line(t("Not usable"), unusable.join(", ")),
      line(t("Programme"), "riskmap " + facts.version)),
    notes.length ? el("div", { class: "notes" }, el("h4", null, t("To be said beside the numbers")), el("ul", null, [...new Set(notes.map(nameOf))].map((n) => el("li", null, n)))) : null,
    weak.length ? el("details", { class: "notes" }, el("summary", null, t("{n} of {m} presets are not verified", { n: weak.length, m: presets.length })),
      el("ul", null, weak.map((/** @type {any} */ p) => el("li", null, `${nameOf(p)}: ${typeof p.value === "object" ? JSON.stringify(p.value) : p.value} ${p.unit} `, el("small", null, p.status === "check" ? t("to be checked") : t("unverified"), p.source ? ` · ${p.source}` : ""))))) : null,
    el("p", { class: "hint" }, t("Screening estimate for ranking and inspection; not a survey, a forecast or a design document.")));
}

on("language palette view scenario filter town weights tab layers", renderOverview);
