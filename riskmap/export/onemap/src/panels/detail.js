// @ts-check
/** 详情: why a unit, a cell or an object stands where it stands. */
import { latitude, longitude } from "../data/geo.js";
import { fieldOf, itemName, itemsInCell, itemsWithin, nearest, overdueTest, quantity, shown } from "../data/items.js";
import { cellCentre, loadTable, rawValues, table, values } from "../data/model.js";
import { loadBlocks, read } from "../data/read.js";
import { classColours, className, inkOn, levelName, PARTS, unitLevelOne } from "../draw/labels.js";
import { notUsed, plansAt } from "../draw/plans.js";
import { itemColour } from "../draw/points.js";
import { icon, symbolIcon } from "../draw/symbols.js";
import { app, byId, distance, el, emit, figures, fill, nameOf, num, on, percent, score3, state, t } from "../model/core.js";
import { nearLimit, reasonOf, sureOf, UNSURE } from "../model/counts.js";
import { beforeAfter, groupNow, live, partsOf, weightOf } from "../model/score.js";

// Pieces that the details of places and of objects share.

/** Roles whose nearest objects are named, with what they are for. */
const HELP = ["refuge", "rescue_station", "rescue_team", "supply_depot"];

/** @param {number} cls */
export function chip(cls) {
  const colour = classColours()[cls];
  return el("span", { class: "tag", style: `background:${colour};color:${inkOn(colour)}` }, className(cls));
}

/** The chain of units a place stands in, as links. @param {number} unit */
export function path(unit) {
  const out = [];
  for (let u = unit, n = 0; u >= 0 && n < 9; u = app.model.units.parent[u], n++) out.unshift(unitLink(u));
  return out.map((link, i) => [i ? " › " : "", link]);
}

/** @param {number} u */
export function unitLink(u) {
  return el("button", { class: "link", onclick: () => emit("select", { kind: "unit", at: u, go: true }) }, app.model.units.names[u]);
}

/** @param {number} lon @param {number} lat */
export function coordinates(lon, lat) {
  return el("span", { class: "coordinates" }, `${lon.toFixed(5)}, ${lat.toFixed(5)}`);
}

/** @param {any} layer @param {number} row */
export function itemLink(layer, row) {
  return el("button", { class: "link", onclick: () => emit("select", { kind: "item", layer: layer.id, at: row, go: true }) }, itemName(layer, row));
}

/** A remark where the plan does not use a refuge. @param {any} layer @param {number} row */
export function unused(layer, row) {
  const why = layer.id === "refuge" ? notUsed(layer, row) : "";
  return why ? el("small", { class: "up unused" }, " " + t("not used by the plan: {why}", { why })) : null;
}

/** Nearest refuges and stations; straight line, and said so. @param {number} lon @param {number} lat @param {any} [but] */
export function around(lon, lat, but) {
  const out = [];
  for (const id of HELP) {
    const layer = app.model.layer.get(id);
    if (!layer || !layer.ids || layer === but) continue;
    const found = nearest(layer, lon, lat, 2);
    if (!found.length) continue;
    out.push(el("tr", null, el("th", { scope: "row" }, nameOf(layer)), el("td", null, found.map((f, i) => [i ? el("br") : null, itemLink(layer, f.row), " ", el("small", null, distance(f.d)), unused(layer, f.row)]))));
  }
  if (!out.length) return null;
  return el("section", null, el("h4", null, t("Nearest help"), el("small", null, t("straight line, not by road"))), el("table", { class: "plain-table nearest" }, el("tbody", null, out)));
}

const LONG = 12;

let turn = 0;
/** @type {any} */
let last = null;
/** What the plans say at the place that is shown. */
let plansHere = () => /** @type {any} */ (null);

/** Draw the details of what is chosen. */
export async function renderDetail() {
  const node = byId("panel-detail");
  if (!node || state.tab !== "detail") return;
  const chosen = state.selected;
  const mine = ++turn;
  if (!chosen) {
    fill(node, el("p", { class: "empty" }, t("Click a unit, a cell or a point on the map, or find one by its name.")));
    return;
  }
  if (chosen.kind === "item") fill(node, itemDetail(app.model.layer.get(chosen.layer), chosen.at));
  else {
    const tab = table(/** @type {any} */ (chosen.kind));
    if (tab && !tab.ready) await loadTable(tab);
    const parts = tab ? await placeDetail(tab, chosen) : el("h3", { class: "title" }, chosen.kind === "unit" ? app.model.units.names[chosen.at] : t("Cell {n}", { n: chosen.at + 1 }));
    if (mine !== turn) return;
    fill(node, parts);
  }
  if (last !== chosen) node.scrollTop = 0;
  last = chosen;
}

/** How sure the class of a row is. @param {any} tab @param {number} unit */
function sureness(tab, unit) {
  const share = tab.kind === "unit" ? sureOf(unit) : NaN;
  const gap = nearLimit(unit, tab);
  return [
    Number.isFinite(share) ? el("span", { class: "tag pale" + (share < UNSURE ? " unsure" : ""), title: t("Share of random draws of weights and methods that give the same class") }, t("stability {share}", { share: percent(share) })) : null,
    Number.isFinite(gap) ? el("span", { class: "tag pale unsure" }, t("near a class limit ({gap})", { gap: gap.toFixed(3) })) : null,
  ];
}

/** @param {any} tab @param {any} chosen */
async function placeDetail(tab, chosen) {
  const { model } = app;
  const { units, grid } = model;
  const unit = chosen.kind === "unit";
  const at = chosen.at;
  const now = live(tab);
  const home = unit ? at : grid.unit[at];
  const [x, y] = unit ? [units.x(at), units.y(at)] : cellCentre(at);
  const lon = longitude(x);
  const lat = latitude(y);
  const reach = unit ? 5e-7 : (0.36 * model.facts.size_m) / (40075016 * Math.cos((lat * Math.PI) / 180));
  plansHere = () => planList(x, y, reach);
  const size = unit ? units.rows[units.level[at]].length : 0;
  return [
    title(null, unit ? units.names[at] : t("Cell {n}", { n: at + 1 })),
    el("p", { class: "facts" }, chip(now.cls[at]), el("b", null, t("Index {score}", { score: score3(now.score[at]) })),
      unit && tab.rank && tab.rank[at] && now === tab.base ? el("span", null, t("rank {n} of {m}", { n: tab.rank[at], m: size })) : null, sureness(tab, at)),
    unit && reasonOf(at) ? el("p", { class: "reason" }, reasonOf(at)) : null,
    beforeAfter(tab, chosen.kind, at),
    el("p", { class: "facts" }, el("span", null, path(unit ? units.parent[at] : home)), (unit ? [
      Number.isFinite(units.population[at]) ? t("{n} residents", { n: num(units.population[at]) }) : "",
      Number.isFinite(units.area[at]) ? figures(units.area[at]) + " km²" : "", t("code {code}", { code: units.ids[at] })] : [
      grid.population ? t("{n} residents", { n: num(grid.population[at]) }) : "", t("{m} m cell", { m: num(model.facts.size_m) }), coordinates(lon, lat)]).filter(Boolean).map((x) => el("span", null, x))),
    why(tab, at),
    el("div", { id: "plans-here" }, plansHere()),
    await indicatorTable(tab, at),
    await byRoad(tab, at),
    around(lon, lat),
    unit ? withinList(itemsWithin(at), t("What stands here")) : withinList(itemsInCell(at), t("In this cell")),
    unit ? childList(at) : null,
  ];
}

/** The name of what is chosen, with a cross that lets it go. @param {any} sign @param {string} name */
function title(sign, name) {
  return el("div", { class: "title-line" }, el("h3", { class: "title" }, sign, name),
    el("button", { class: "plain", id: "unselect", "aria-label": t("Choose nothing"), title: t("Choose nothing"), onclick: () => emit("unselect") }, icon("close")));
}

/** What the plans that are switched on say here. @param {number} x @param {number} y @param {number} reach */
function planList(x, y, reach) {
  const labels = plansAt(x, y, reach);
  return labels.length ? el("section", null, el("h4", null, t("Plans here")), el("ul", { class: "things" }, labels.map((l) => el("li", null, l)))) : null;
}

/** The bar of contributions. @param {any} tab @param {number} row */
function why(tab, row) {
  const parts = partsOf(tab, row);
  if (!parts.length) return null;
  const score = live(tab).score[row];
  if (!(score > 0)) return el("section", null, el("h4", null, t("Why")), el("p", { class: "hint" }, t("A component is zero or unknown, so the index is {score}.", { score: score3(score) })));
  return el("details", { class: "why" }, el("summary", null, t("Shares of the components"), el("small", null, t("parts of the index by component"))),
    el("div", { class: "stack", role: "img", "aria-label": parts.map((/** @type {any} */ p) => `${nameOf(tab.nodes.get(p.code))} ${percent((p.part || 0) / score)}`).join(", ") },
      parts.map((/** @type {any} */ p, /** @type {number} */ i) => (p.part > 0 ? el("i", { style: `width:${(100 * p.part) / score}%;background:${PARTS[i % 8]}` }, p.part / score > 0.12 ? percent(p.part / score) : "") : null))),
    el("table", { class: "plain-table" }, el("thead", null, el("tr", null, ["", t("Score"), t("Weight"), t("Part")].map((h) => el("th", { scope: "col" }, h || el("span", { class: "hidden" }, t("Component")))))),
      el("tbody", null, parts.flatMap((/** @type {any} */ p, /** @type {number} */ i) => [el("tr", null, el("th", { scope: "row" }, el("span", { class: "swatch", style: `background:${PARTS[i % 8]}` }), nameOf(tab.nodes.get(p.code))),
        el("td", null, score3(p.value)), el("td", null, percent(p.weight / (parts.reduce((/** @type {number} */ s, /** @type {any} */ q) => s + q.weight, 0) || 1))), el("td", null, score3(p.part || 0))), ...within(tab, row, p.code)]))));
}

/** The groups within a component, such as the kinds of hazard, each with its score and weight. @param {any} tab @param {number} row @param {string} code */
function within(tab, row, code) {
  const groups = tab.tree.nodes.filter((/** @type {any} */ n) => n.parent === code && n.kind === "group" && n.code !== code);
  const total = groups.reduce((/** @type {number} */ s, /** @type {any} */ n) => s + weightOf(tab, n.code), 0) || 1;
  return groups.flatMap((/** @type {any} */ n) => [el("tr", { class: "part", "data-part": n.code }, el("th", { scope: "row" }, "　" + nameOf(n)), el("td", null, score3(groupNow(tab, n.code)[row])),
    el("td", null, onTop(tab, n.code) ? "" : percent(weightOf(tab, n.code) / total)), el("td", null, "")), ...within(tab, row, n.code)]);
}

/** Does an indicator fill what its siblings leave, with no weight among them? @param {any} tab @param {string} code */
function onTop(tab, code) {
  return tab.tree.groups.some((/** @type {any} */ g) => g.method === "union" && g.children.includes(code));
}

/** Indicators with their values in their own units. @param {any} tab @param {number} row */
async function indicatorTable(tab, row) {
  const list = tab.tree.nodes.filter((/** @type {any} */ n) => n.kind === "indicator" && tab.values[n.code]);
  if (!list.length) return null;
  const raw = await Promise.all(list.map((/** @type {any} */ n) => rawValues(tab, n.code)));
  const body = list.map((/** @type {any} */ n, /** @type {number} */ i) => {
    const scaled = values(tab, n.code)[row];
    return el("tr", { class: "metered" },
      el("th", { scope: "row", title: nameOf(n) }, nameOf(n), n.direction < 0 ? el("small", null, " " + t("(the more the safer)")) : null),
      el("td", null, raw[i] && Number.isFinite(raw[i][row]) ? quantity(raw[i][row], n.unit) : t("unknown")),
      el("td", null, el("span", { class: "meter", title: score3(scaled) }, el("i", { style: `width:${Math.round(100 * (scaled || 0))}%` }))),
      el("td", null, onTop(tab, n.code) ? t("on top") : percent(weightOf(tab, n.code))));
  });
  return el("details", { open: list.length <= 14 }, el("summary", null, t("Indicators"), el("small", null, t("value, scaled 0–1, weight in its component"))),
    el("table", { class: "plain-table" }, el("thead", { class: "hidden" }, el("tr", null, [t("Indicator"), t("Value"), t("Scaled"), t("Weight")].map((h) => el("th", { scope: "col" }, h)))), el("tbody", null, body)));
}

/** Travel times that were computed on the roads. @param {any} tab @param {number} row */
async function byRoad(tab, row) {
  const list = tab.tree.nodes.filter((/** @type {any} */ n) => n.method === "travel_time" && tab.raw[n.code]);
  const found = await Promise.all(list.map((/** @type {any} */ n) => rawValues(tab, n.code)));
  const lines = list.map((/** @type {any} */ n, /** @type {number} */ i) => (found[i] && Number.isFinite(found[i][row]) ? el("tr", null, el("th", { scope: "row" }, nameOf(n)), el("td", null, el("b", null, quantity(found[i][row], n.unit)))) : null));
  if (!lines.some(Boolean)) return null;
  const hour = app.model.facts.hour;
  const busy = Number.isFinite(hour) && list.some((/** @type {any} */ n) => n.layer === "rescue_station");
  return el("section", null, el("h4", null, t("By road"), el("small", null, tab !== table(tab.kind, "") ? t("on the roads of the scenario") : tab.kind === "unit" ? t(busy ? "mean of the unit, traffic of {hour}:00" : "mean of the unit, free flow", { hour }) : t(busy ? "traffic of {hour}:00" : "free flow", { hour }))), el("table", { class: "plain-table nearest" }, el("tbody", null, lines)));
}

/** Objects inside a unit or a cell, gravest first. @param {{layer: any, rows: number[]}[]} found @param {string} title */
function withinList(found, title) {
  if (!found.length) return el("p", { class: "hint" }, t("No objects of any layer stand here."));
  return el("section", null, el("h4", null, title), found.map(({ layer, rows }) => {
    const order = rows.slice().sort((a, b) => layer.level[b] - layer.level[a]);
    return el("details", null, el("summary", null, symbolIcon(layer.symbol, layer.colour || "#5b6b7e"), nameOf(layer), el("small", null, t("{n} items", { n: rows.length }))),
      el("ul", { class: "things" }, order.slice(0, 60).map((i) => el("li", null, el("span", { class: "dot", style: `background:${itemColour(layer, i)}` }), itemLink(layer, i), layer.level[i] ? el("small", null, levelName(layer.level[i])) : null)),
        order.length > 60 ? el("li", { class: "hint" }, t("{n} more in the list", { n: order.length - 60 })) : null));
  }));
}

/** Units below a unit, worst first. @param {number} unit */
function childList(unit) {
  const { units } = app.model;
  const { score, cls } = live(table("unit"));
  const below = [];
  for (let u = 0; u < units.n; u++) if (units.parent[u] === unit) below.push(u);
  if (!below.length) return null;
  below.sort((a, b) => (score[b] || -1) - (score[a] || -1));
  return el("details", { open: below.length <= LONG }, el("summary", null, t("Units below it"), el("small", null, t("worst first"))),
    el("ul", { class: "things" }, below.map((u) => el("li", null, el("span", { class: "dot", style: `background:${classColours()[cls[u]]}` }), unitLink(u), el("small", null, score3(score[u]))))));
}

on("language selected weights scenario tab palette why", renderDetail);
on("layers time when", () => byId("plans-here") && fill(byId("plans-here"), plansHere()));

// Details of an object: whom to phone, its control entry, its place on the list, its ledger.

const CONTACT = ["duty_unit", "person", "phone"];
const CONTROL = ["status", "deadline", "control_tier", "listed", "closed_on", "patrol_days", "measure", "emergency", "missing", "overdue"];

/** @param {any} layer @param {number} row */
export function itemDetail(layer, row) {
  const { units } = app.model;
  const level = layer.level[row];
  const colour = itemColour(layer, row);
  return [
    title(symbolIcon(layer.symbol, colour), itemName(layer, row)),
    el("p", { class: "facts" }, el("span", { class: "tag pale" }, nameOf(layer)), level ? el("span", { class: "tag", style: `background:${colour};color:${inkOn(colour)}` }, levelName(level)) : null,
      overdueTest(layer)(row) ? el("span", { class: "tag late" }, t("Overdue")) : null),
    el("p", { class: "facts" }, el("span", null, layer.unit[row] >= 0 ? path(layer.unit[row]) : t("outside all units")), el("span", null, t("No. {id}", { id: layer.ids[row] })), coordinates(layer.lon[row], layer.lat[row])),
    layer.unit[row] >= 0 && table("unit") ? el("p", { class: "facts" }, t("Risk of the {level}:", { level: unitLevelOne(units.levels[units.level[layer.unit[row]]]) }), unitChips(layer.unit[row])) : null,
    unused(layer, row) && el("p", { class: "facts" }, unused(layer, row)),
    contact(layer, row),
    photo(layer, row),
    part(layer, row, t("Control"), layer.extra.filter((/** @type {any} */ f) => CONTROL.includes(f.name))),
    part(layer, row, t("On the list"), layer.extra.filter((/** @type {any} */ f) => !CONTROL.includes(f.name) && !CONTACT.includes(f.name))),
    part(layer, row, t("Ledger"), layer.fields.filter((/** @type {any} */ f) => !CONTACT.includes(f.name) && !layer.extra.some((/** @type {any} */ e) => e.name === f.name))),
    around(layer.lon[row], layer.lat[row], layer),
    layer.source ? el("p", { class: "hint" }, t("From {file}, row {row}", { file: layer.source.file(row), row: layer.source.row[row] })) : null,
  ];
}

/** The class of a unit as the list has it, and beside it the one that a scenario or moved weights give. @param {number} unit */
function unitChips(unit) {
  const listed = table("unit", "").base.cls[unit];
  const now = live(table("unit")).cls[unit];
  if (now === listed) return chip(listed);
  return [chip(listed), " → ", state.scenario ? t("under {scenario}:", { scenario: state.scenario }) : t("with the moved weights:"), " ", chip(now)];
}

/** Who answers for it; the public edition has none of this. @param {any} layer @param {number} row */
function contact(layer, row) {
  const [unit, person, phone] = CONTACT.map((name) => {
    const field = fieldOf(layer, name);
    return field ? shown(field, row) : "";
  });
  if (!unit && !person && !phone) return null;
  return el("div", { class: "contact" }, el("div", null, unit ? el("div", null, unit) : null, person ? el("b", null, person) : null), phone ? phones(phone) : null);
}

/** Phone numbers as links. @param {string} value */
function phones(value) {
  const number = value.replace(/[^\d+*#-]/g, "");
  return /^\+?[\d-]{5,}$/.test(number) ? el("a", { class: "call", href: "tel:" + number, "aria-label": t("Phone {number}", { number: value }) }, value) : el("span", null, value);
}

/** A picture that the page carries; it is unpacked now. @param {any} layer @param {number} row */
function photo(layer, row) {
  const kept = layer.photo;
  const which = kept ? read(kept.of)[row] : 0;
  if (!which) return null;
  const picture = el("img", { class: "photo", alt: t("Photo of {name}", { name: itemName(layer, row) }) });
  loadBlocks([kept.bytes.b]).then(() => {
    const sizes = Array.from(read(kept.sizes));
    const from = sizes.slice(0, which - 1).reduce((a, b) => a + b, 0);
    const raw = read(kept.bytes).subarray(from, from + sizes[which - 1]);
    const url = URL.createObjectURL(new Blob([raw], { type: "image/" + kept.kinds[which - 1] }));
    picture.onload = () => URL.revokeObjectURL(url);
    picture.src = url;
  });
  return picture;
}

/** A named part of the fields. @param {any} layer @param {number} row @param {string} name @param {any[]} fields */
function part(layer, row, name, fields) {
  const lines = fields.map((field) => [nameOf(field), shown(field, row)]).filter(([, value]) => value);
  if (!lines.length) return null;
  return el("section", null, el("h4", null, name), el("table", { class: "plain-table fields" }, el("tbody", null, lines.map(([head, value]) => el("tr", null, el("th", { scope: "row" }, head), el("td", null, value))))));
}
