// @ts-check
/** 清单: all objects as a table; the map's equal in words. */
import { app, byId, download, el, emit, fileName, fill, nameOf, num, on, percent, score3, state, t } from "../model/core.js";
import { csvText, fieldOf, itemName, listTest, matchesFilter, overdueTest, shown, unlisted, whyUnlisted } from "../data/items.js";
import { farKm, hasRefuges, hasStability, isFar, isUnsure, nearLimit, peopleFar, reasonOf, sureOf } from "../model/counts.js";
import { inTown, table } from "../data/model.js";
import { classColours, levelName, unitLevelName } from "../draw/labels.js";
import { live, moved } from "../model/score.js";
import { chips } from "./chips.js";

const HEIGHT = 44;
/** What is listed, in which order, and what is typed above it: part of the state. */
const { list } = state;
const own = { active: 0, rows: /** @type {any[]} */ ([]), hidden: 0, asked: false };

/** Draw the tab again. */
export function renderList(anyway = false) {
  const node = byId("panel-list");
  if (!node || (state.tab !== "list" && !anyway)) return;
  const { things, units } = app.model;
  if (!list.what || !known(list.what)) listWhat(things.some((/** @type {any} */ l) => l.item) ? "items" : things.length ? things[0].id : "unit:" + (units.levels.length - 1));
  const choices = [
    ...(things.some((/** @type {any} */ l) => l.item) ? [["items", t("All items of the list")]] : []),
    ...things.map((/** @type {any} */ l) => [l.id, nameOf(l)]),
    ...(table("unit") ? units.levels.map((/** @type {string} */ l, /** @type {number} */ i) => ["unit:" + i, unitLevelName(l)]) : []),
    ...(table("unit") ? [["major", t("{level} at major risk", { level: unitLevelName(units.levels[units.levels.length - 1]) })], ["high", t("{level} of larger and major risk", { level: unitLevelName(units.levels[units.levels.length - 1]) })]] : []),
    ...(table("unit") ? [["unsure", t("Major {level} that are unsure", { level: unitLevelName(units.levels[units.levels.length - 1]) })]] : []),
    ...(table("unit") && hasRefuges() ? [["far", t("{level} with people who have no refuge within {km} km", { km: farKm(), level: unitLevelName(units.levels[units.levels.length - 1]) })]] : []),
  ];
  const body = el("div", { class: "window", id: "list-window", role: "group", "aria-label": t("List"), onscroll: drawRows, onkeydown: keys });
  fill(node,
    el("div", { class: "list-tools" },
      el("label", { class: "pick" }, t("Show"), el("select", { id: "list-what", onchange: (/** @type {any} */ e) => {
        listWhat(e.target.value);
        refresh();
      } }, choices.map(([v, n]) => el("option", { value: v, selected: v === list.what }, n)))),
      el("input", { type: "search", value: list.text, placeholder: t("Filter the list"), "aria-label": t("Filter the list"), oninput: (/** @type {any} */ e) => {
        list.text = e.target.value.trim().toLowerCase();
        refresh();
      } }),
      el("button", { class: "small", id: "csv", onclick: saveCsv }, "CSV")),
    el("div", { class: "list-head", id: "list-head" }), body, el("p", { class: "hint", id: "list-note", role: "status" }));
  refresh();
  if (own.asked) holdChosen();
  follow();
}

/** Show a list that holds what was chosen on the map. */
function holdChosen() {
  own.asked = false;
  const s = state.selected;
  const what = !s ? "" : s.kind === "item" ? s.layer : s.kind === "unit" ? "unit:" + app.model.units.level[s.at] : "";
  if (!what || own.rows.some(isChosen)) return;
  listWhat(what);
  list.text = "";
  renderList();
}

/** Show this, in the order that answers its question. @param {string} what */
function listWhat(what) {
  list.what = what;
  const measure = measureOf(ungraded());
  list.sort = what === "far" ? "refuge" : what === "unsure" ? "sure" : isUnits() ? "score" : measure ? "value" : ungraded() ? "name" : "rank";
  list.down = (isUnits() && what !== "unsure") || !!measure;
}

/** The layer that is listed, if none of its objects has a level. */
function ungraded() {
  const layer = app.model.layer.get(list.what);
  return layer && layer.name && layer.counts[0] === layer.n ? layer : null;
}

/** The number that tells the objects of a layer without levels apart: places of a refuge, beds of a hospital. @param {any} layer */
function measureOf(layer) {
  return (layer && layer.fields.find((/** @type {any} */ f) => f.column.num && f.column.num.some(Number.isFinite))) || null;
}

/** Lists of units of the finest level. */
const FINEST = ["major", "high", "unsure", "far"];

/** Are units listed, not objects? */
function isUnits() {
  return list.what.startsWith("unit:") || FINEST.includes(list.what);
}

/** Is there such a list in this page? @param {string} what */
function known(what) {
  const { model } = app;
  return what === "items" || FINEST.includes(what) || (model.layer.has(what) && !!model.layer.get(what).name) || (/^unit:\d$/.test(what) && Number(what.slice(5)) < model.units.levels.length);
}

/** Units that are listed. */
function listed() {
  if (list.what.startsWith("unit:")) return unitRows(Number(list.what.slice(5)));
  const rows = unitRows(app.model.units.levels.length - 1);
  return rows.filter((/** @type {any} */ r) => (list.what === "far" ? r.refuge >= 0.5 || isFar(r.unit) : list.what === "high" ? r.level >= 3 : r.level === 4 && (list.what === "major" || isUnsure(r.unit))));
}

/** Collect, sort and draw. */
function refresh() {
  if (!byId("list-window")) return;
  own.rows = isUnits() ? listed() : itemRows();
  const all = own.rows.length;
  own.rows = own.rows.filter(legendShows);
  own.hidden = all - own.rows.length;
  if (list.text) own.rows = own.rows.filter((r) => (r.name + " " + r.id + " " + r.town + (r.layer ? " " + nameOf(r.layer) : "")).toLowerCase().includes(list.text));
  sortRows();
  head();
  byId("list-window").scrollTop = 0;
  own.active = 0;
  fill(byId("list-note"), el("b", null, t("{n} rows", { n: num(own.rows.length) })), leftOut(), own.hidden ? " · " + t("{n} rows hidden: their class is switched off in the legend", { n: num(own.hidden) }) : "", moved() && !isUnits() ? " · " + t("Ranks and scores of items are those of the project's weights.") : "", isUnits() && hasRefuges() ? " · " + t("People far from refuges: they live farther than {km} km from every refuge in use, in a straight line.", { km: farKm() }) : "");
  drawRows();
  emit("listed");
}

/** How many objects of the layers stand in no list, and why: the layers count them. */
function leftOut() {
  const layers = list.what === "items" ? app.model.things.filter(unlisted) : [];
  return layers.map((/** @type {any} */ l) => " · " + t("{layer}: {n} more are not on the list ({why})", { layer: nameOf(l), n: num(unlisted(l)), why: whyUnlisted(l) })).join("");
}

/** Is the class of a row switched on in the legends? @param {any} r */
function legendShows(r) {
  return !(r.layer ? state.levelOff[r.layer.id + r.level] : !state.view && state.classOff[r.level]);
}

function sortRows() {
  const key = list.sort;
  const sign = list.down ? -1 : 1;
  own.rows.sort((a, b) => {
    const x = a[key];
    const y = b[key];
    if (typeof x === "string" || typeof y === "string") return sign * String(x).localeCompare(String(y), "zh");
    return (Number.isFinite(x) ? (Number.isFinite(y) ? sign * (x - y) : -1) : Number.isFinite(y) ? 1 : 0) || a.order - b.order;
  });
}

function itemRows() {
  const out = [];
  for (const layer of app.model.things) {
    if (list.what === "items" ? !layer.item : layer.id !== list.what) continue;
    const rank = layer.extra.find((/** @type {any} */ f) => f.name === "rank");
    const onList = listTest(layer);
    const measure = measureOf(ungraded());
    for (let i = 0; i < layer.n; i++) {
      if (list.what === "items" && !onList(i)) continue;
      if (!inTown(layer.unit[i]) || !matchesFilter(layer, i)) continue;
      out.push({ order: out.length, layer, row: i, id: layer.ids[i], name: itemName(layer, i), level: layer.level[i], town: townOf(layer.unit[i]), rank: rank && rank.column.num ? rank.column.num[i] : NaN, value: measure ? measure.column.num[i] : NaN });
    }
  }
  return out;
}

/** @param {number} level */
function unitRows(level) {
  const { units } = app.model;
  const { score, cls } = live(table("unit"));
  return units.rows[level].filter((/** @type {number} */ u) => inTown(u) || level < units.level[Math.max(0, state.town)]).map((/** @type {number} */ u, /** @type {number} */ i) => ({
    order: i, unit: u, id: units.ids[u], name: units.names[u], level: cls[u], score: score[u], refuge: peopleFar(u), sure: sureOf(u), close: nearLimit(u), town: units.parent[u] >= 0 ? units.names[units.parent[u]] : "" }));
}

/** Name of the town a unit stands in. @param {number} unit */
export function townOf(unit) {
  const { units } = app.model;
  if (unit < 0) return "";
  const level = units.levels.indexOf("town");
  const at = level >= 0 ? units.above[level][unit] : unit;
  return at >= 0 ? units.names[at] : units.names[unit];
}

/** What `townOf` names: towns, or units where there are no towns. */
function townHead() {
  return app.model.units.levels.includes("town") ? t("Town") : t("Unit");
}

function columns() {
  if (isUnits()) return [["name", t("Name")], ...(hasRefuges() ? [["refuge", t("People far from refuges")]] : []), ...(hasStability() ? [["sure", t("Stability")]] : []), ["score", t("Index")]];
  const measure = measureOf(ungraded());
  if (ungraded()) return [["name", t("Name")], ["town", townHead()], ...(measure ? [["value", nameOf(measure)]] : [])];
  return [["rank", t("Rank")], ["name", t("Name")], ["town", townHead()], ["level", t("Level")]];
}

function head() {
  fill(byId("list-head"), columns().map(([key, name]) => el("button", { class: "col " + key, "data-sort": key, "aria-pressed": String(list.sort === key), onclick: () => {
    list.down = list.sort === key ? !list.down : ["score", "level", "refuge", "value"].includes(key);
    list.sort = key;
    refresh();
  } }, name, list.sort === key ? (list.down ? " ▼" : " ▲") : "")));
}

/** Draw the rows that can be seen. */
function drawRows() {
  const view = byId("list-window");
  if (!view) return;
  const from = Math.max(0, Math.floor(view.scrollTop / HEIGHT) - 4);
  const to = Math.min(own.rows.length, from + Math.ceil((view.clientHeight || 600) / HEIGHT) + 9);
  const held = view.contains(document.activeElement);
  own.active = Math.max(from, Math.min(own.active, to - 1));
  const spacer = el("div", { style: `height:${own.rows.length * HEIGHT}px;position:relative` });
  const plain = !!ungraded();
  const measure = measureOf(ungraded());
  for (let i = from; i < to; i++) {
    const r = own.rows[i];
    const on_ = isChosen(r);
    spacer.appendChild(el("button", { class: "list-row" + (on_ ? " on" : ""), "aria-current": on_ ? "true" : null, "data-row": i, tabindex: i === own.active ? 0 : -1, style: `top:${i * HEIGHT}px;height:${HEIGHT}px`, onclick: () => {
      own.active = i;
      choose(r);
    } }, r.layer ? itemCells(r, measure, plain) : unitCells(r)));
  }
  fill(view, own.rows.length ? spacer : el("p", { class: "empty" }, t("Nothing fits these filters.")));
  if (held) focusRow();
}

/** @param {any} r @param {any} measure @param {boolean} plain */
function itemCells(r, measure, plain) {
  const name = el("span", { class: "col name" }, r.name, list.what === "items" ? el("small", null, nameOf(r.layer)) : null);
  const town = el("span", { class: "col town" }, r.town);
  if (plain) return [name, town, measure ? el("span", { class: "col value" }, shown(measure, r.row) || "–") : null];
  return [el("span", { class: "col rank" }, Number.isFinite(r.rank) ? num(r.rank) : "·"), name, town, levelCell(r.level, overdueTest(r.layer)(r.row) ? t("Overdue") : levelName(r.level))];
}

/** @param {any} r */
function unitCells(r) {
  return [
    el("span", { class: "col name" }, r.name, el("small", { title: reasonOf(r.unit) || null }, [r.town, Number.isFinite(r.close) ? t("near a class limit ({gap})", { gap: r.close.toFixed(3) }) : "", reasonOf(r.unit)].filter(Boolean).join(" · "))),
    hasRefuges() ? el("span", { class: "col refuge" }, num(r.refuge)) : null,
    hasStability() ? el("span", { class: "col sure" }, Number.isFinite(r.sure) ? percent(r.sure) : "–") : null,
    levelCell(r.level, score3(r.score)),
  ];
}

/** @param {number} level @param {string} words */
function levelCell(level, words) {
  return el("span", { class: "col level" }, el("span", { class: "dot", style: `background:${classColours()[level]}` }), words);
}

/** Put the focus on the row that keys have reached. */
function focusRow() {
  const node = document.querySelector(`#list-window [data-row="${own.active}"]`);
  if (node) /** @type {HTMLElement} */ (node).focus({ preventScroll: true });
}

/** Arrow keys move through the rows; Enter chooses. @param {KeyboardEvent} e */
function keys(e) {
  const page = Math.max(1, Math.floor(byId("list-window").clientHeight / HEIGHT) - 1);
  const last = own.rows.length - 1;
  const to = { ArrowDown: own.active + 1, ArrowUp: own.active - 1, PageDown: own.active + page, PageUp: own.active - page, Home: 0, End: last }[e.key];
  if (to === undefined) return;
  e.preventDefault();
  own.active = Math.max(0, Math.min(last, to));
  const view = byId("list-window");
  const top = own.active * HEIGHT;
  if (top < view.scrollTop) view.scrollTop = top;
  else if (top + HEIGHT > view.scrollTop + view.clientHeight) view.scrollTop = top + HEIGHT - view.clientHeight;
  drawRows();
  focusRow();
}

/** @param {any} r */
function isChosen(r) {
  const s = state.selected;
  return !!s && (r.layer ? s.kind === "item" && s.layer === r.layer.id && s.at === r.row : s.kind === "unit" && s.at === r.unit);
}

/** @param {any} r */
function choose(r) {
  emit("select", r.layer ? { kind: "item", layer: r.layer.id, at: r.row, go: true, stay: true } : { kind: "unit", at: r.unit, go: true, stay: true });
}

/** Bring the chosen row into sight. */
function follow() {
  if (state.tab !== "list" || !byId("list-window")) return;
  const i = own.rows.findIndex(isChosen);
  const view = byId("list-window");
  if (i >= 0 && (i * HEIGHT < view.scrollTop || (i + 1) * HEIGHT > view.scrollTop + view.clientHeight)) view.scrollTop = Math.max(0, i * HEIGHT - view.clientHeight / 2);
  drawRows();
}

function saveCsv() {
  download(new Blob([csvText(own.rows, isUnits(), townHead())], { type: "text/csv;charset=utf-8" }), fileName("csv", listName()));
}

/** What is listed, in words. */
export function listName() {
  const pick = byId("list-what");
  const name = pick && pick.selectedIndex >= 0 ? pick.options[pick.selectedIndex].text : t("List");
  return [name, ...chips().filter((chip) => chip.key === "town" || chip.key === "filter").map((chip) => chip.text)].join(" ");
}

/** The list as it stands, as a table of words for the paper. */
export function listTable() {
  if (!byId("list-window")) renderList(true);
  const name = listName();
  if (isUnits()) {
    const rows = own.rows.map((r, i) => [String(i + 1), r.name, r.town, levelName(r.level, true), score3(r.score), ...(hasRefuges() ? [num(r.refuge)] : []), reasonOf(r.unit)]);
    return { name, head: [t("Rank"), t("Name"), t("Part of"), t("Class"), t("Index"), ...(hasRefuges() ? [t("People far from refuges")] : []), t("Why")], lines: rows };
  }
  const fields = ["status", "deadline", "duty_unit", "person", "phone", "reason"];
  const all = fields.map((f) => app.model.things.map((/** @type {any} */ l) => fieldOf(l, f)).find(Boolean));
  const there = fields.filter((_, i) => all[i]);
  return {
    name,
    head: [t("Rank"), t("Name"), t("Layer"), townHead(), t("Level"), ...there.map((f) => nameOf(all[fields.indexOf(f)]))],
    lines: own.rows.map((r) => [Number.isFinite(r.rank) ? num(r.rank) : "", r.name, nameOf(r.layer), r.town, levelName(r.level), ...there.map((f) => {
      const field = fieldOf(r.layer, f);
      return field ? shown(field, r.row) : "";
    })]),
  };
}

on("listOf", (/** @type {string} */ what) => {
  listWhat(what);
  list.text = "";
  own.asked = false;
  emit("openTab", "list");
  const pick = byId("list-what");
  if (pick) pick.focus({ preventScroll: true });
});
on("language tab palette", () => renderList());
on("why", () => state.tab === "list" && drawRows());
on("filter town weights scenario", () => state.tab === "list" && refresh());
on("selected", (/** @type {any} */ chosen) => {
  own.asked = state.tab !== "list" && !chosen.stay;
  follow();
});
