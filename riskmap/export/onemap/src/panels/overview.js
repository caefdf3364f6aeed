// @ts-check
/** 概览: what matters at a glance. */
import { app, byId, el, emit, figures, fill, isPhone, nameOf, num, on, percent, score3, state, t } from "../model/core.js";
import { live, noIndex, reference, scenarioChanges, shownOf, worstUnits } from "../model/score.js";
import { cellCounts, farKm, hasRefuges, isFar, isUnsure, peopleFar, reasonOf } from "../model/counts.js";
import { listTest, matchesFilter, overdueTest } from "../data/items.js";
import { fillKind, inTown, rankingLevel, table } from "../data/model.js";
import { inkOn, levelName, surfaceColours, unitLevelName } from "../draw/labels.js";
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

/**
 * A number with its definition on hover; a click opens its list.
 * @param {string} key
 * @param {string} name
 * @param {any} value
 * @param {any} note
 * @param {string} meaning
 * @param {() => void} open
 * @param {string} [tone]
 */
function key(key, name, value, note, meaning, open, tone = "") {
  return el("button", { class: "card " + tone, "data-card": key, title: meaning, onclick: open },
    el("span", { class: "card-name" }, name), el("span", { class: "card-value" }, value), note ? el("span", { class: "card-note" }, note) : null);
}

/** Draw the overview again. */
export function renderOverview() {
  const node = byId("panel-overview");
  if (!node || state.tab !== "overview") return;
  fill(node, lead(), cards(), scenarioChanges(reasonOf), worstList(), ranking(), histogram(), foot());
}

/** At most six numbers; the first three say where it is bad. */
function cards() {
  const { model } = app;
  const unit = table("unit");
  const none = noIndex(unit || table("cell"));
  const out = [];
  if (none) out.push(el("p", { class: "hint", id: "no-index", role: "alert" }, t("No index: all weights of a group are zero.")));
  else if (unit) out.push(...unitCards(unit));
  if (model.things.some((/** @type {any} */ l) => l.item)) out.push(...itemCards());
  if (!none && model.grid && table("cell") && !state.view) out.push(areaCard());
  if (unit && hasRefuges()) out.push(farCard());
  return el("div", { class: "cards" }, out.slice(0, 6 + (none ? 1 : 0)));
}

/** Units at major risk and the people in those of larger and major risk. @param {any} unit */
function unitCards(unit) {
  const { units } = app.model;
  const level = units.levels.length - 1;
  const name = unitLevelName(units.levels[level]);
  const { cls } = live(unit);
  const was = reference(unit).cls;
  const list = units.rows[level].filter(inTown);
  const red = list.filter((/** @type {number} */ u) => cls[u] === 4);
  const before = list.filter((/** @type {number} */ u) => was[u] === 4).length;
  const high = list.filter((/** @type {number} */ u) => cls[u] >= 3);
  const sum = (/** @type {number[]} */ rows) => rows.reduce((n, u) => n + (units.population[u] > 0 ? units.population[u] : 0), 0);
  const known = list.filter((/** @type {number} */ u) => units.population[u] === units.population[u]);
  const unsure = red.filter(isUnsure).length;
  const out = [key("major", t("{level} at major risk", { level: name }), [num(red.length), el("small", null, " / " + num(list.length))],
    [changeText(red.length - before), " ", unsure ? t("{n} of them only just", { n: num(unsure) }) : red.length ? t("none of them only just") : ""],
    t("{level} whose index lies in the highest class; only just: near the class limit or unsure. Opens their list.", { level: name }), () => emit("listOf", "major"), "c4")];
  if (known.length) out.push(key("people", t("People in {level} of larger and major risk", { level: name }), [num(sum(high)), el("small", null, " " + t("persons"))],
    [t("{share} of {n} residents", { share: percent(sum(high) / sum(list), 1), n: num(sum(list)) }), known.length < list.length ? t("; {n} without a count", { n: num(list.length - known.length) }) : ""],
    t("Residents of the {level} of the two highest classes, whole units counted. Opens their list.", { level: name }), () => emit("listOf", "high"), "c3"));
  return out;
}

/** Area of the cells of the highest class. */
function areaCard() {
  const { model } = app;
  const tab = table("cell");
  const { all } = cellCounts();
  const km2 = model.grid.cell_km2;
  const sum = all.reduce((a, b) => a + b, 0);
  const was = count(reference(tab).cls, 4);
  return key("area", t("Major-risk area"), [figures(all[4] * km2), el("small", null, " km²")], [t("{share} of the area", { share: percent(all[4] / sum, 1) }), " ", changeText((all[4] - was) * km2, "km²")],
    t("Cells of the highest class; opens the list of units, worst first."), () => emit("listOf", "unit:" + (model.units.levels.length - 1)), "c4");
}

/** People who live far from every refuge. */
function farCard() {
  const { units } = app.model;
  const level = units.levels.length - 1;
  const list = units.rows[level].filter(inTown);
  const name = unitLevelName(units.levels[level]);
  const none = list.filter(isFar).length;
  const known = list.filter((/** @type {number} */ u) => peopleFar(u) >= 0);
  const people = known.reduce((/** @type {number} */ s, /** @type {number} */ u) => s + peopleFar(u), 0);
  const unused = countNotUsed();
  return key("far", t("No refuge within {km} km", { km: farKm() }), known.length ? [num(people), el("small", null, " " + t("persons"))] : [num(none), el("small", null, " / " + num(list.length))],
    t("{n} {level} as a whole; straight line", { n: num(none), level: name }),
    t("Residents who live farther than {km} km from every refuge in use, in a straight line, counted where they live. Opens the list of {level}.", { km: farKm(), level: name }) + (unused ? " " + t("({n} refuges that the plan does not use are counted too)", { n: num(unused) }) : ""),
    () => emit("listOf", "far"), "c3");
}

/** Cells of a class, in the filtered town. @param {Uint8Array} cls @param {number} c */
function count(cls, c) {
  let n = 0;
  const { unit } = app.model.grid;
  for (let i = 0; i < cls.length; i++) if (cls[i] === c && inTown(unit[i])) n++;
  return n;
}

/** Points of the highest level, and those that are overdue. */
function itemCards() {
  let [n, red, late] = [0, 0, 0];
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
  const out = [key("items", t("Items of major level"), [num(red), el("small", null, " / " + num(n))], t("{n} items on the list", { n: num(n) }), t("Points on the list whose level is major. Opens the list, first rank first."), () => emit("listOf", "items"), "c4")];
  if (late) out.push(key("late", t("Overdue"), [num(late), el("small", null, " / " + num(n))], t("deadline before the date of the data"), t("Items that are not signed off and whose deadline has passed. Opens their list."), () => {
    state.filter = "overdue";
    emit("filter");
    emit("listOf", "items");
  }, "c3"));
  return out;
}

/** So many of the worst units are named with the reason. */
const TEN = 10;

/** The worst units of the finest level, each with its reason. */
function worstList() {
  const { units } = app.model;
  const tab = table("unit");
  if (!tab || units.rows[units.levels.length - 1].length < 2) return null;
  const rows = worstUnits(TEN);
  const level = unitLevelName(units.levels[units.levels.length - 1]);
  if (!rows.length) return el("section", null, el("h3", null, t("Worst {level}", { level })), el("p", { class: "hint" }, t("None of larger or major risk.")));
  return el("section", { id: "worst" }, el("h3", null, t("Worst {level}", { level })),
    el("ol", { class: "ranking" }, rows.map((u, i) => el("li", null, worstRow(u, i, units.idOf(u))))));
}

/** One of the worst units with its reason. @param {number} u @param {number} i place from 0 @param {string | null} id */
function worstRow(u, i, id) {
  const { cls, score } = shownOf(table("unit"));
  return el("button", { class: "rank worst" + (isSelected(u) ? " on" : ""), "data-unit": id, title: t("Show it on the map"), onclick: () => emit("select", { kind: "unit", at: u, go: true, stay: true }) },
    el("span", { class: "place" }, i + 1), el("span", { class: "what" },
      el("span", { class: "head" }, el("b", null, app.model.units.name(u)), " ", classTag(cls[u]), el("span", { class: "value" }, score3(score[u]))),
      reasonOf(u) ? el("small", { class: "reason" }, reasonOf(u)) : null));
}

/** On a phone the worst unit stands above the figures, since the list of the worst is below the edge of the sheet. */
function lead() {
  const [u] = isPhone() && table("unit") && app.model.units.rows[app.model.units.levels.length - 1].length > 1 ? worstUnits(1) : [];
  return u === undefined ? null : el("section", { id: "lead" }, worstRow(u, 0, null));
}

/** @param {number} u */
function isSelected(u) {
  return !!state.selected && state.selected.kind === "unit" && state.selected.at === u;
}

/** A class as a word on its colour. @param {number} cls */
function classTag(cls) {
  const colour = surfaceColours()[cls];
  return el("span", { class: "word", style: `background:${colour};color:${inkOn(colour)}` }, state.view ? t("Quarter {n}", { n: cls }) : levelName(cls, true));
}

/** Towns, worst first; a click filters. */
function ranking() {
  const { model } = app;
  const level = rankingLevel();
  const tab = table("unit");
  if (!tab || model.units.rows[level].length < 2) return null;
  if (level === model.units.levels.length - 1 && worstUnits(TEN).length >= model.units.rows[level].length) return null;
  const { score, cls } = shownOf(tab);
  const colours = surfaceColours();
  const rows = model.units.rows[level].slice().sort((/** @type {number} */ a, /** @type {number} */ b) => (score[b] || -1) - (score[a] || -1));
  const shares = townShares(level);
  const list = rows.slice(0, MOST).map((/** @type {number} */ u, /** @type {number} */ i) => el("li", null, el("button", {
    class: "rank" + (state.town === u ? " on" : ""), "data-unit": model.units.idOf(u), "aria-pressed": String(state.town === u),
    title: [model.units.name(u), reasonOf(u), t("Click to filter; click again to show the whole area")].filter(Boolean).join("\n"),
    onclick: () => {
      if (state.town !== u) emit("select", { kind: "unit", at: u, stay: true });
      emit("pickTown", state.town === u ? -1 : u);
    } },
    el("span", { class: "place" }, i + 1),
    el("span", { class: "name" }, midShort(model.units.name(u))),
    el("span", { class: "bar", "aria-hidden": "true" }, shares ? shareBar(shares[u], colours) : el("i", { style: `width:${100 * (score[u] || 0)}%;background:${colours[cls[u]]}` })),
    el("span", { class: "word-plain" }, state.view ? "" : levelName(cls[u], true)),
    el("span", { class: "value" }, score3(score[u])))));
  return el("section", { id: "ranks" },
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

/** When one bar holds more than this share, heights are logarithmic, else the others would not be seen. */
const LOPSIDED = 0.3;

/** How the index is spread, with the limits of the classes. */
function histogram() {
  const { model } = app;
  const kind = fillKind() || "unit";
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
    if (!inTown(kind === "cell" ? model.grid.unit[i] : i)) continue;
    bins[Math.min(39, Math.floor(((score[i] - low) / (high - low)) * 40))]++;
    n++;
  }
  const log = Math.max(...bins) > LOPSIDED * n;
  const shown = log ? bins.map((v) => Math.log10(1 + v)) : bins;
  return el("section", null, el("h3", null, t("Spread of the index"), el("small", null, kind === "cell" ? t("{n} cells", { n: num(n) }) : t("{n} units", { n: num(n) }), log ? " · " + t("heights logarithmic") : "")),
    chart(shown, low, high, breaks));
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
    let c = breaks.length ? 1 : 0;
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

/** Where the rest stands. */
function foot() {
  return el("p", { class: "hint" }, t("Screening estimate for ranking and inspection; not a survey, a forecast or a design document."), " ",
    el("button", { id: "open-about", class: "link", onclick: () => emit("about") }, t("Method, data and limits")));
}

/** A preset's value; a table as "key → value" pairs. @param {any} value @returns {string} */
function inWords(value) {
  if (Array.isArray(value)) return value.map(inWords).join(t(", "));
  return value && typeof value === "object" ? Object.entries(value).map(([key, part]) => `${key} → ${inWords(part)}`).join(t(", ")) : String(value);
}

/** Date, reference system, presets, what is screening grade. */
export function about() {
  const { facts, notes, presets, returned, unusable } = app.model;
  const weak = presets.filter((/** @type {any} */ p) => p.status !== "sourced");
  const unverified = weak.filter((/** @type {any} */ p) => p.status === "unverified").length;
  const line = (/** @type {any} */ name, /** @type {any} */ value) => value ? [el("dt", null, name), el("dd", null, value)] : null;
  return el("section", { class: "about" },
    el("dl", null,
      line(t("Data date"), facts.date || t("not declared")),
      line(t("Edition"), facts.profile === "public" ? t("public edition") : t("internal edition")),
      line(t("Drawn up by"), facts.issuer),
      line(t("Reference system"), t("CGCS2000 / WGS-84; computed in {crs}", { crs: facts.crs })),
      line(t("Grid"), app.model.grid ? t("{n} cells of {m} m", { n: num(app.model.grid.n), m: num(facts.size_m) }) : ""),
      line(t("Rows returned"), returned ? t("{n} rows could not be used, see data_gaps.xlsx", { n: num(returned) }) : ""),
      line(t("Not usable"), unusable.map(nameOf).join(t(", "))),
      line(t("Programme"), "riskmap " + facts.version)),
    notes.length ? el("div", { class: "notes" }, el("h4", null, t("To be said beside the numbers")), el("ul", null, [...new Set(notes.map(nameOf))].map((n) => el("li", null, n)))) : null,
    weak.length ? el("details", { class: "notes" }, el("summary", null, t("{n} of {m} presets are not verified", { n: unverified, m: presets.length }), weak.length > unverified ? t("; {n} more are to be checked", { n: weak.length - unverified }) : ""),
      el("ul", null, weak.map((/** @type {any} */ p) => el("li", null, `${nameOf(p)}: ${inWords(p.value)} ${p.unit} `, el("small", null, p.status === "check" ? t("to be checked") : t("unverified"), p.source ? ` · ${p.source}` : ""))))) : null,
    el("p", { class: "hint" }, t("Screening estimate for ranking and inspection; not a survey, a forecast or a design document.")));
}

on("language palette view scenario filter town weights tab surface why compared", renderOverview);
