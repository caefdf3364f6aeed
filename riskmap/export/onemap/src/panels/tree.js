// @ts-check
/** The layer tree: switches, opacity, legend rows that count and filter. */
import { app, byId, el, emit, figures, fill, isPhone, nameOf, num, on, state, t } from "../model/core.js";
import { hasBackdrop, tiandituForm } from "../draw/backdrop.js";
import { cellCounts, layerCounts, unitCounts } from "../model/counts.js";
import { table } from "../data/model.js";
import { classColours, levelName, surfaceColours, unitLevelName } from "../draw/labels.js";
import { bandColour, planColour, planIsArea, planIsDashed, planMark, shownCount, whenSwitch } from "../draw/plans.js";
import { prepare, QUARTERS } from "../model/score.js";
import { icon, symbolIcon } from "../draw/symbols.js";
import { depthRows, waterNow } from "../draw/water.js";
import { hasStates } from "../data/items.js";

/** @type {Record<string, any>} */
let rows = {};
/** Opacity of the surface under coverage. */
const FAINT = { grid: 0.3, units: 0.3 };

/** Draw the whole panel again, as far down and as folded as it was. */
export function renderTree() {
  rows = {};
  const body = document.querySelector("#left .panel-body");
  const top = body ? body.scrollTop : 0;
  const folded = new Set(Array.from(document.querySelectorAll("#left details.group:not([open])"), (d) => /** @type {HTMLElement} */ (d).dataset.group));
  const { model } = app;
  const groups = [
    [t("Risk surface"), surfaceRows()],
    [t("Scenario"), scenarioRows()],
    [t("Risk points"), model.things.filter((/** @type {any} */ l) => l.group === "risk").map(layerRow)],
    [t("Emergency resources"), model.things.filter((/** @type {any} */ l) => l.group === "element" || l.group === "base").map(layerRow)],
    [t("Plans"), [...model.things.filter((/** @type {any} */ l) => l.group === "plan").map(layerRow), ...planRows()]],
    [t("Base map"), baseRows()],
  ];
  fill(byId("left"),
    el("div", { class: "panel-head" },
      el("h2", null, t("Layers")),
      el("button", { class: "plain", "aria-label": t("Close the layers"), onclick: () => emit("left", false) }, icon("close"))),
    el("div", { class: "panel-body" }, groups.map(([name, list], i) => (/** @type {any} */ (list).length ? group(name, list, i, !folded.has(String(i))) : null)), filters()),
  );
  /** @type {Element} */ (document.querySelector("#left .panel-body")).scrollTop = top;
  updateCounts();
}

/** @param {any} name @param {any} list @param {number} key @param {boolean} open */
function group(name, list, key, open) {
  return el("details", { open, class: "group", "data-group": key }, el("summary", null, name), list);
}

/**
 * A layer's switch with name, count and opacity.
 * @param {string} id
 * @param {any} name
 * @param {any} mark
 * @param {any[]} [legend]
 */
function row(id, name, mark, legend = []) {
  const count = el("span", { class: "count" });
  rows[id] = { count, legend: {} };
  const label = el("label", { class: "layer" },
    el("input", { type: "checkbox", checked: !!state.shown[id], "data-layer": id, onchange: (/** @type {any} */ e) => toggle(id, e.target.checked) }),
    mark, el("span", { class: "name" }, name), count);
  const opacity = el("input", {
    type: "range", min: 0.1, max: 1, step: 0.05, value: state.opacity[id], class: "opacity", title: t("Opacity"),
    "aria-label": t("Opacity of {name}", { name }), oninput: (/** @type {any} */ e) => setOpacity(id, Number(e.target.value)),
  });
  return el("div", { class: "row" + (state.shown[id] ? "" : " off") }, el("div", { class: "line" }, label, opacity), legend.length ? el("div", { class: "legend", role: "group", "aria-label": name }, legend) : null);
}

/** @param {string} id @param {boolean} shown */
function toggle(id, shown) {
  state.shown[id] = shown;
  const plan = app.model.plans.find((/** @type {any} */ p) => "plan:" + p.id === id);
  if (shown && plan && scenarioOf(plan) && scenarioOf(plan) !== state.scenario) emit("setScenario", scenarioOf(plan));
  if (plan && isCover(plan)) fade();
  emit("layers");
}

/** @param {any} plan */
function isCover(plan) {
  return plan.kinds[0] === "coverage";
}

/** Coverage reads only over a pale surface: pale while any is on, as it was when none is, unless somebody chose otherwise. */
function fade() {
  const any = app.model.plans.some((/** @type {any} */ p) => isCover(p) && state.shown["plan:" + p.id]);
  const [from, to] = any ? [app.startOpacity, FAINT] : [FAINT, app.startOpacity];
  for (const id of /** @type {("grid" | "units")[]} */ (["grid", "units"])) if (state.opacity[id] === from[id]) state.opacity[id] = to[id];
}

/** @param {string} id @param {number} value */
function setOpacity(id, value) {
  state.opacity[id] = value;
  emit("opacity");
}

/**
 * A legend row that filters its class.
 * @param {string} id
 * @param {number} level
 * @param {any} name
 * @param {string} range
 * @param {string} colour
 * @param {() => boolean} off
 * @param {() => void} flip
 */
function legendRow(id, level, name, range, colour, off, flip) {
  const count = el("span", { class: "count" });
  rows[id].legend[level] = count;
  const node = el("button", { class: "class", "aria-pressed": String(!off()), "data-class": id + ":" + level, title: t("Click to hide or show this class"),
    onclick: () => {
      flip();
      node.setAttribute("aria-pressed", String(!off()));
      emit("filter");
    } },
    el("span", { class: "swatch", style: `background:${colour}` }), el("span", { class: "name" }, name, range ? el("small", null, range) : null), count);
  return node;
}

/** Ranges of the classes in words. @param {number[]} breaks @param {number} level */
export function rangeText(breaks, level) {
  if (!breaks.length || !level) return "";
  const f = (/** @type {number} */ v) => figures(v);
  if (level === 1) return "≤ " + f(breaks[0]);
  if (level > breaks.length) return "> " + f(breaks[breaks.length - 1]);
  return f(breaks[level - 2]) + "–" + f(breaks[level - 1]);
}

function surfaceRows() {
  const { model } = app;
  const out = [viewSelect()];
  for (const [id, kind, name] of [["grid", "cell", t("Risk grid")], ["units", "unit", t("Risk of units")]]) {
    const tab = table(/** @type {any} */ (kind));
    if (!tab || (id === "grid" && !model.grid)) continue;
    rows[id] = { legend: {} };
    const breaks = state.view ? QUARTERS : tab.tree.breaks;
    const list = [4, 3, 2, 1, 0].map((c) => () => legendRow(id, c, state.view && c ? t("Quarter {n}", { n: c }) : levelName(c, true), rangeText(breaks, c), surfaceColours()[c],
      () => !!state.classOff[c], () => (state.classOff[c] = !state.classOff[c])));
    const node = row(id, name, null, []);
    const legend = el("div", { class: "legend", role: "group", "aria-label": name }, list.map((make) => make()));
    if (id === "units" && model.units.levels.length > 1) node.appendChild(levelSelect());
    node.appendChild(legend);
    out.push(node);
  }
  return out;
}

/** Which score the surface shows. */
function viewSelect() {
  const tab = table("cell") || table("unit");
  if (!tab) return null;
  const choices = [["", t("Composite risk")], ...tab.components.map((/** @type {any} */ n) => [n.code, nameOf(n)])];
  return el("label", { class: "pick" }, t("Show"),
    el("select", { id: "view", onchange: async (/** @type {any} */ e) => {
      if (e.target.value) await prepare();
      state.view = e.target.value;
      emit("view");
    } }, choices.map(([value, name]) => el("option", { value, selected: value === state.view }, name))));
}

function levelSelect() {
  const { levels } = app.model.units;
  return el("label", { class: "pick" }, t("Level of units"),
    el("select", { id: "level", onchange: (/** @type {any} */ e) => {
      state.level = Number(e.target.value);
      emit("filter");
    } }, levels.map((/** @type {string} */ l, /** @type {number} */ i) => el("option", { value: i, selected: i === state.level }, unitLevelName(l)))));
}

/** @param {any} layer */
function layerRow(layer) {
  rows[layer.id] = { legend: {} };
  const colours = classColours();
  const graded = layer.counts[0] < layer.n;
  const node = row(layer.id, nameOf(layer), symbolIcon(layer.symbol, graded ? "#5b6b7e" : layer.colour || "#4a5f78"));
  if (graded) {
    const there = [4, 3, 2, 1, 0].filter((c) => layer.counts[c]);
    node.appendChild(el("div", { class: "legend", role: "group", "aria-label": nameOf(layer) }, there.map((c) =>
      legendRow(layer.id, c, levelName(c), "", c ? colours[c] : layer.colour || "#4a5f78", () => !!state.levelOff[layer.id + c], () => (state.levelOff[layer.id + c] = !state.levelOff[layer.id + c])))));
  }
  if (layer.photos_left_out) node.appendChild(el("p", { class: "hint" }, t("{n} photos left out: missing, no JPEG or PNG, over 200 kB, or not beside the ledger", { n: layer.photos_left_out })));
  if (layer.returned) node.appendChild(el("p", { class: "hint" }, t("{n} rows returned for correction, see data_gaps.xlsx", { n: layer.returned })));
  return node;
}

/** Layers of plans, under the scenario that they are made for. */
function planRows() {
  const plans = app.model.plans.filter((/** @type {any} */ p) => !ofScene(p));
  const names = [...new Set(plans.map(scenarioOf))];
  return [whenSwitch(), ...names.map((name) => [
    names.length > 1 ? el("h4", { class: "sub" }, name || t("Without a scenario")) : null,
    plans.filter((/** @type {any} */ p) => scenarioOf(p) === name).map(planRow),
  ])].filter(Boolean);
}

/** Does a layer show the scenario itself and no plan? @param {any} plan */
function ofScene(plan) {
  return plan.id.startsWith("scenario/");
}

/** Water, closed roads and danger areas of the scenario chosen. */
function scenarioRows() {
  const own = app.model.plans.filter((/** @type {any} */ p) => state.scenario && ofScene(p) && scenarioOf(p) === state.scenario).map(planRow);
  if (!waterNow()) return own;
  const water = row("water", t("Water depth"), null);
  water.appendChild(depthRows());
  return [water, ...own];
}

/** @param {any} plan */
function scenarioOf(plan) {
  return plan.n ? plan.scenario(0) : "";
}

/** @param {any} plan */
function planRow(plan) {
  const node = row("plan:" + plan.id, nameOf(plan), planSign(plan));
  if (isCover(plan) && plan.label) {
    const bands = new Map();
    for (let i = 0; i < plan.n; i++) if (!bands.has(plan.band[i])) bands.set(plan.band[i], plan.label(i, state.lang));
    if (bands.size <= 6) node.appendChild(el("div", { class: "legend bands" }, [...bands].sort((a, b) => a[0] - b[0]).map(([band, label]) => el("div", null, el("span", { class: "swatch", style: `background:${bandColour(band)}` }), label))));
  }
  const n = num(shownCount(plan));
  rows["plan:" + plan.id].count.textContent = !plan.shape ? t("{n} items", { n }) : planIsArea(plan) ? t("{n} areas", { n }) : t("{n} lines", { n });
  return node;
}

/** What an object of a plan looks like on the map. @param {any} plan */
function planSign(plan) {
  const colour = planColour(plan);
  if (!plan.shape) return symbolIcon(planMark(plan.kinds[0], plan.id)[0], colour);
  if (isCover(plan)) return el("span", { class: "swatch", style: `background:${colour}` });
  if (planIsArea(plan)) return el("span", { class: "swatch", style: `background:${colour}2e;border:1.5px dashed ${colour}` });
  return el("span", { class: "bar" + (planIsDashed(plan) ? " dashed" : ""), style: `color:${colour}` });
}

function baseRows() {
  const bar = (/** @type {string} */ colour) => el("span", { class: "bar", style: `background:${colour}` });
  return [
    row("borders", t("Borders"), bar("#263447")),
    ...app.model.base.map((/** @type {any} */ l) => row(l.id, nameOf(l), bar(l.colour || (/water|river/.test(l.id) ? "#2f86c9" : "#8d97a5")))),
    row("labels", t("Place names"), el("span", { class: "bar text", "aria-hidden": "true" }, "A")),
    hasBackdrop() ? row("tiles", t("Picture map"), bar("#7a8b5a")) : null,
    app.model.tianditu ? tiandituForm() : null,
  ].filter(Boolean);
}

/** Write the counts "in view / all" beside the legends. */
export function updateCounts() {
  const { model } = app;
  if (!byId("left") || (isPhone() && !document.body.classList.contains("left-open"))) return;
  if (rows.grid) {
    const { all, view } = cellCounts();
    const km2 = model.grid.cell_km2;
    const area = (/** @type {number} */ n) => figures(n * km2);
    for (const c of [0, 1, 2, 3, 4]) write(rows.grid.legend[c], `${area(view[c])} / ${area(all[c])} km²`, all[c], t("{n} of {m} cells in view", { n: num(view[c]), m: num(all[c]) }));
    const sum = (/** @type {number[]} */ a) => a.reduce((x, y) => x + y, 0);
    write(rows.grid.count, `${area(sum(all))} km²`);
  }
  if (rows.units) {
    const { all, view } = unitCounts();
    for (const c of [0, 1, 2, 3, 4]) write(rows.units.legend[c], t("{n} / {m} units", { n: num(view[c]), m: num(all[c]) }), all[c]);
  }
  for (const layer of model.things) {
    const found = layerCounts(layer);
    write(rows[layer.id].count, t("{n} / {m} items", { n: num(found.seen), m: num(found.n) }));
    for (const c of Object.keys(rows[layer.id].legend)) write(rows[layer.id].legend[c], t("{n} / {m} items", { n: num(found.view[Number(c)]), m: num(found.all[Number(c)]) }));
  }
}

/** @param {any} node @param {string} text @param {number} [n] @param {string} [title] */
function write(node, text, n = 1, title) {
  if (!node) return;
  node.textContent = text;
  if (title) node.title = title;
  const row_ = node.closest(".class");
  if (row_) row_.classList.toggle("none", !n && row_.dataset.class.endsWith(":0"));
}

on("language palette view scenario when", renderTree);
on("layers", () => {
  for (const box of document.querySelectorAll("#left input[data-layer]")) {
    const input = /** @type {HTMLInputElement} */ (box);
    input.checked = !!state.shown[/** @type {string} */ (input.dataset.layer)];
    const line = /** @type {HTMLElement} */ (input.closest(".row"));
    line.classList.toggle("off", !input.checked);
    /** @type {HTMLInputElement} */ (line.querySelector(".opacity")).value = String(state.opacity[/** @type {string} */ (input.dataset.layer)]);
  }
  updateCounts();
});
on("town", () => byId("town") && (byId("town").value = String(state.town)));
/** @type {any} */
let waiting = 0;
on("moved", () => {
  clearTimeout(waiting);
  waiting = setTimeout(updateCounts, 120);
});
on("filter weights town", updateCounts);

// The foot of the layer tree: filters and palette.

/** Choices of area, state of the items and palette. */
export function filters() {
  const { units } = app.model;
  const out = [];
  const options = [el("option", { value: -1 }, t("Whole area"))];
  for (let l = 0; l < units.levels.length - (units.levels.length > 2 ? 1 : 0); l++) {
    if (units.rows[l].length < 2 && units.levels.length > 1 && l === 0) continue;
    options.push(el("optgroup", { label: unitLevelName(units.levels[l]) }, units.rows[l].map((/** @type {number} */ u) => el("option", { value: u, selected: u === state.town }, units.name(u)))));
  }
  out.push(el("label", { class: "pick" }, t("Area"), el("select", { id: "town", onchange: (/** @type {any} */ e) => emit("pickTown", Number(e.target.value)) }, options)));
  if (hasStates()) {
    out.push(el("label", { class: "pick" }, t("Items"), el("select", { id: "filter", onchange: (/** @type {any} */ e) => {
      state.filter = e.target.value;
      emit("filter");
    } }, [["", t("All")], ["open", t("Open only")], ["overdue", t("Overdue only")]].map(([v, n]) => el("option", { value: v, selected: v === state.filter }, n)))));
  }
  out.push(el("label", { class: "pick" }, t("Palette"), el("select", { id: "palette", onchange: (/** @type {any} */ e) => {
    state.palette = e.target.value;
    emit("palette");
  } }, [["four", t("Four colours")], ["cividis", t("Colour-blind safe")], ["pure", t("Standard pure colours")]].map(([v, n]) => el("option", { value: v, selected: v === state.palette }, n)))));
  return el("div", { class: "group filters" }, el("h3", null, t("Filters and colours")), out);
}
