// @ts-check
/** 清单: all objects as a table; the map's equal in words. */
import { app, byId, distance, download, el, emit, fileName, fill, nameOf, num, on, percent, score3, state, t } from "./core.js";
import { FAR_M, hasRefuges, hasStability, isUnsure, nearLimit, sureOf, toRefuge } from "./doubt.js";
import { itemName, listTest, matchesFilter, overdueTest, shown, unitWord } from "./items.js";
import { inTown, table } from "./model.js";
import { className, classColours, levelName, unitLevelName } from "./palette.js";
import { live } from "./score.js";

const HEIGHT = 44;
const own = { active: 0, what: "", sort: "rank", down: false, text: "", rows: /** @type {any[]} */ ([]), hidden: 0, asked: false };

/** Draw the tab again. */
export function renderList() {
  const node = byId("panel-list");
  if (!node || state.tab !== "list") return;
  const { things, units } = app.model;
  if (!own.what) own.what = things.some((/** @type {any} */ l) => l.item) ? "items" : things.length ? things[0].id : "unit:" + (units.levels.length - 1);
  const choices = [
    ...(things.some((/** @type {any} */ l) => l.item) ? [["items", t("All items of the list")]] : []),
    ...things.map((/** @type {any} */ l) => [l.id, nameOf(l)]),
    ...(table("unit") ? units.levels.map((/** @type {string} */ l, /** @type {number} */ i) => ["unit:" + i, unitLevelName(l)]) : []),
    ...(table("unit") ? [["unsure", t("Major {level} that are unsure", { level: unitLevelName(units.levels[units.levels.length - 1]) })]] : []),
    ...(table("unit") && hasRefuges() ? [["far", t("{level} without a refuge within 1 km", { level: unitLevelName(units.levels[units.levels.length - 1]) })]] : []),
  ];
  const body = el("div", { class: "window", id: "list-window", role: "group", "aria-label": t("List"), onscroll: drawRows, onkeydown: keys });
  fill(node,
    el("div", { class: "list-tools" },
      el("label", { class: "pick" }, t("Show"), el("select", { id: "list-what", onchange: (/** @type {any} */ e) => {
        listWhat(e.target.value);
        refresh();
      } }, choices.map(([v, n]) => el("option", { value: v, selected: v === own.what }, n)))),
      el("input", { type: "search", value: own.text, placeholder: t("Filter the list"), "aria-label": t("Filter the list"), oninput: (/** @type {any} */ e) => {
        own.text = e.target.value.trim().toLowerCase();
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
  own.text = "";
  renderList();
}

/** Show this, in the order that answers its question. @param {string} what */
function listWhat(what) {
  own.what = what;
  own.sort = what === "far" ? "refuge" : what === "unsure" ? "sure" : isUnits() ? "score" : "rank";
  own.down = isUnits() && what !== "unsure";
}

/** Are units listed, not objects? */
function isUnits() {
  return own.what.startsWith("unit:") || own.what === "unsure" || own.what === "far";
}

/** Units that are listed. */
function listed() {
  if (own.what.startsWith("unit:")) return unitRows(Number(own.what.slice(5)));
  const rows = unitRows(app.model.units.levels.length - 1);
  return rows.filter((/** @type {any} */ r) => (own.what === "far" ? r.refuge > FAR_M : r.level === 4 && isUnsure(r.unit)));
}

/** Collect, sort and draw. */
function refresh() {
  if (!byId("list-window")) return;
  own.rows = isUnits() ? listed() : itemRows();
  const all = own.rows.length;
  own.rows = own.rows.filter(legendShows);
  own.hidden = all - own.rows.length;
  if (own.text) own.rows = own.rows.filter((r) => (r.name + " " + r.id).toLowerCase().includes(own.text));
  sortRows();
  head();
  byId("list-window").scrollTop = 0;
  own.active = 0;
  fill(byId("list-note"), el("b", null, t("{n} rows", { n: num(own.rows.length) })), own.hidden ? " · " + t("{n} rows hidden: their class is switched off in the legend", { n: num(own.hidden) }) : "", isUnits() && hasRefuges() ? " · " + t("To refuge: straight line from the unit's middle to any refuge of the ledger, not by road.") : "");
  drawRows();
}

/** Is the class of a row switched on in the legends? @param {any} r */
function legendShows(r) {
  return !(r.layer ? state.levelOff[r.layer.id + r.level] : !state.view && state.classOff[r.level]);
}

function sortRows() {
  const key = own.sort;
  const sign = own.down ? -1 : 1;
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
    if (own.what === "items" ? !layer.item : layer.id !== own.what) continue;
    const rank = layer.extra.find((/** @type {any} */ f) => f.name === "rank");
    const listed = listTest(layer);
    for (let i = 0; i < layer.n; i++) {
      if (own.what === "items" && !listed(i)) continue;
      if (!inTown(layer.unit[i]) || !matchesFilter(layer, i)) continue;
      out.push({ order: out.length, layer, row: i, id: layer.ids[i], name: itemName(layer, i), level: layer.level[i], town: townOf(layer.unit[i]), rank: rank && rank.column.num ? rank.column.num[i] : NaN });
    }
  }
  return out;
}

/** @param {number} level */
function unitRows(level) {
  const { units } = app.model;
  const { score, cls } = live(table("unit"));
  return units.rows[level].filter((/** @type {number} */ u) => inTown(u) || level < units.level[Math.max(0, state.town)]).map((/** @type {number} */ u, /** @type {number} */ i) => ({
    order: i, unit: u, id: units.ids[u], name: units.names[u], level: cls[u], score: score[u], refuge: toRefuge(u), sure: sureOf(u), close: nearLimit(u), town: units.parent[u] >= 0 ? units.names[units.parent[u]] : "" }));
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
  return isUnits() ? [["name", t("Name")], ...(hasRefuges() ? [["refuge", t("To refuge")]] : []), ...(hasStability() ? [["sure", t("Stability")]] : []), ["score", t("Index")]] : [["rank", t("Rank")], ["name", t("Name")], ["town", townHead()], ["level", t("Level")]];
}

function head() {
  fill(byId("list-head"), columns().map(([key, name]) => el("button", { class: "col " + key, "data-sort": key, "aria-pressed": String(own.sort === key), onclick: () => {
    own.down = own.sort === key ? !own.down : key === "score" || key === "level" || key === "refuge";
    own.sort = key;
    refresh();
  } }, name, own.sort === key ? (own.down ? " ▼" : " ▲") : "")));
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
  const colours = classColours();
  for (let i = from; i < to; i++) {
    const r = own.rows[i];
    const on_ = isChosen(r);
    spacer.appendChild(el("button", { class: "list-row" + (on_ ? " on" : ""), "aria-current": on_ ? "true" : null, "data-row": i, tabindex: i === own.active ? 0 : -1, style: `top:${i * HEIGHT}px;height:${HEIGHT}px`, onclick: () => {
      own.active = i;
      choose(r);
    } },
      r.layer ? el("span", { class: "col rank" }, Number.isFinite(r.rank) ? num(r.rank) : "·") : null,
      el("span", { class: "col name" }, r.name, r.layer ? (own.what === "items" ? el("small", null, nameOf(r.layer)) : null) : el("small", null, Number.isFinite(r.close) ? t("near a class limit ({gap})", { gap: r.close.toFixed(3) }) : r.town)),
      r.layer ? el("span", { class: "col town" }, r.town) : hasRefuges() ? el("span", { class: "col refuge" }, distance(r.refuge)) : null,
      !r.layer && hasStability() ? el("span", { class: "col sure" }, Number.isFinite(r.sure) ? percent(r.sure) : "–") : null,
      el("span", { class: "col level" }, el("span", { class: "dot", style: `background:${colours[r.level]}` }), r.layer ? (overdueTest(r.layer)(r.row) ? t("Overdue") : levelName(r.level)) : score3(r.score))));
  }
  fill(view, own.rows.length ? spacer : el("p", { class: "empty" }, t("Nothing fits these filters.")));
  if (held) focusRow();
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

/**
 * One field of a CSV file, blank for an unknown number; a leading sign, also a full-width one, is
 * kept from being read as a formula.
 * @param {any} value
 */
export function csvField(value) {
  let text = value === null || value === undefined || Number.isNaN(value) ? "" : String(value);
  if (typeof value !== "number" && /^\s*[=+\-@\uff1d\uff0b\uff0d\uff20]|^[\t\r\n]/.test(text)) text = "'" + text;
  return /[",\r\n]/.test(text) ? '"' + text.replace(/"/g, '""') + '"' : text;
}

/** Heading of a field with its unit, in which the file has bare numbers. @param {any} field */
function csvHead(field) {
  const unit = field.column.num ? unitWord(nameOf(field.unit)) : "";
  return nameOf(field) + (unit ? ` (${unit})` : "");
}

/** The list as CSV text with a byte order mark. */
export function csvText() {
  /** @type {any[][]} */
  const lines = [];
  if (isUnits()) {
    lines.push([t("Code"), t("Name"), t("Part of"), t("Index"), t("Class"), t("To refuge, straight line [m]"), t("Stability")]);
    for (const r of own.rows) lines.push([r.id, r.name, r.town, Number(r.score.toFixed(6)), className(r.level), Number.isFinite(r.refuge) ? Math.round(r.refuge) : "", Number.isFinite(r.sure) ? Number(r.sure.toFixed(3)) : ""]);
  } else {
    const names = [];
    const seen = new Set();
    for (const layer of new Set(own.rows.map((r) => r.layer))) for (const f of [...layer.extra, ...layer.fields]) if (!seen.has(f.name)) names.push(f), seen.add(f.name);
    lines.push([t("Number on the map"), t("Layer"), t("Name"), t("Level"), townHead(), t("Longitude"), t("Latitude"), ...names.map(csvHead)]);
    for (const r of own.rows) {
      const fields = [...r.layer.extra, ...r.layer.fields];
      lines.push([r.id, nameOf(r.layer), r.layer.name(r.row), levelName(r.level), r.town, Number(r.layer.lon[r.row].toFixed(6)), Number(r.layer.lat[r.row].toFixed(6)),
        ...names.map((n) => {
          const field = fields.find((f) => f.name === n.name);
          return !field ? "" : field.column.num ? Number(field.column.num[r.row].toPrecision(9)) : shown(field, r.row);
        })]);
    }
  }
  return "\ufeff" + lines.map((line) => line.map(csvField).join(",")).join("\r\n") + "\r\n";
}

function saveCsv() {
  download(new Blob([csvText()], { type: "text/csv;charset=utf-8" }), fileName("csv"));
}

on("listOf", (/** @type {string} */ what) => {
  listWhat(what);
  own.text = "";
  own.asked = false;
  emit("openTab", "list");
});
on("language tab palette", renderList);
on("filter town weights scenario", () => state.tab === "list" && refresh());
on("selected", (/** @type {any} */ chosen) => {
  own.asked = state.tab !== "list" && !chosen.stay;
  follow();
});
