// @ts-check
/** The layer tree: switches, opacity, legend rows that count and filter. */
import { app, byId, el, emit, figures, fill, isPhone, nameOf, num, on, state, t } from "../model/core.js";
import { depthRows, hasBackdrop, tiandituForm, waterNow } from "../draw/ground.js";
import { cellCounts, layerCounts, unitCounts } from "../model/counts.js";
import { fillKind, table } from "../data/model.js";
import { classColours, levelName, surfaceColours, unitLevelName } from "../draw/labels.js";
import { bandColour, planColour, planIsArea, planIsDashed, planMark, shownCount, whenSwitch } from "../draw/plans.js";
import { prepare, QUARTERS } from "../model/score.js";
import { icon, symbolIcon } from "../draw/symbols.js";
import { hasStates, unlisted, whyUnlisted } from "../data/items.js";

/** @type {Record<string, any>} */
let rows = {};
/** Opacity of the surface under coverage. */
const FAINT = 0.3;
/** Groups that are open at the start. */
const OPEN = ["surface", "scenario", "risk"];
/** Rows whose levels and opacity are unfolded. @type {Set<string>} */
const unfolded = new Set();

/** Is the panel drawn for the first picture, without what is folded? */
let brief = false;

/** Draw the whole panel again, as far down and as folded as it was. @param {boolean} [whole] false for what is open at the start alone, without counts */
export function renderTree(whole = true) {
  rows = {};
  brief = !whole;
  const body = document.querySelector("#left .panel-body");
  const top = body ? body.scrollTop : 0;
  /** @type {Map<string, boolean>} */
  const open = new Map(Array.from(document.querySelectorAll("#left details.group"), (d) => [/** @type {HTMLElement} */ (d).dataset.group || "", /** @type {HTMLDetailsElement} */ (d).open]));
  const { model } = app;
  /** @type {[string, string, () => any[]][]} */
  const groups = [
    ["surface", t("Risk surface"), surfaceRows],
    ["scenario", t("Scenario"), scenarioRows],
    ["risk", t("Risk points"), () => model.things.filter((/** @type {any} */ l) => l.group === "risk").map(layerRow)],
    ["element", t("Emergency resources"), () => model.things.filter((/** @type {any} */ l) => l.group === "element" || l.group === "base").map(layerRow)],
    ["plan", t("Plans"), () => [...model.things.filter((/** @type {any} */ l) => l.group === "plan").map(layerRow), ...planRows()]],
    ["base", t("Base map"), baseRows],
    ["filter", t("Filters and colours"), filters],
  ];
  const shown = groups.filter(([key]) => whole || OPEN.includes(key)).map(([key, name, rowsOf]) => {
    const list = rowsOf();
    return list.length ? group(key, name, list, open.has(key) ? open.get(key) : OPEN.includes(key)) : null;
  });
  fill(byId("left"),
    el("div", { class: "panel-head" },
      el("h2", null, t("Layers")),
      el("button", { class: "plain", "aria-label": t("Close the layers"), title: t("Close the layers"), onclick: () => emit("left", false) }, icon("close"))),
    el("div", { class: "panel-body" }, shown),
  );
  /** @type {Element} */ (document.querySelector("#left .panel-body")).scrollTop = top;
  if (whole) updateCounts();
}

/** @param {any} key @param {any} name @param {any} list @param {any} open */
function group(key, name, list, open) {
  return el("details", { open, class: "group", "data-group": key }, el("summary", null, name), list);
}

/**
 * A layer's switch with name and count; levels and opacity are folded behind a button.
 * @param {string} id
 * @param {any} name
 * @param {any} mark
 * @param {any[]} [legend]
 */
function row(id, name, mark, legend = []) {
  const count = el("span", { class: "count" });
  rows[id] = rows[id] || { legend: {} };
  rows[id].count = count;
  const label = el("label", { class: "layer" },
    el("input", { type: "checkbox", checked: !!state.shown[id], "data-layer": id, onchange: (/** @type {any} */ e) => toggle(id, e.target.checked) }),
    mark, el("span", { class: "name" }, name), count);
  const more = el("div", { class: "more", hidden: !unfolded.has(id) }, brief ? null : [
    legend.length ? el("div", { class: "legend", role: "group", "aria-label": name }, legend) : null,
    el("label", { class: "pick" }, t("Opacity"), el("input", {
      type: "range", min: 0.1, max: 1, step: 0.05, value: state.opacity[id], class: "opacity",
      "aria-label": t("Opacity of {name}", { name }), oninput: (/** @type {any} */ e) => setOpacity(id, Number(e.target.value)),
    }))]);
  const button = el("button", { class: "plain fold", "data-more": id, "aria-expanded": String(unfolded.has(id)), "aria-label": t("More of {name}", { name }), title: t("Levels and opacity"), onclick: () => {
    if (!unfolded.delete(id)) unfolded.add(id);
    more.hidden = !unfolded.has(id);
    button.setAttribute("aria-expanded", String(!more.hidden));
  } }, icon("more"));
  return el("div", { class: "row" + (state.shown[id] ? "" : " off") }, el("div", { class: "line" }, label, button), more);
}

/** @param {string} id @param {boolean} shown */
function toggle(id, shown) {
  state.shown[id] = shown;
  const plan = app.model.plans.find((/** @type {any} */ p) => "plan:" + p.id === id);
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
  const [from, to] = any ? [app.startOpacity.surface, FAINT] : [FAINT, app.startOpacity.surface];
  if (state.opacity.surface === from) state.opacity.surface = to;
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
    el("span", { class: "swatch" + (colour ? "" : " hatched"), style: colour ? `background:${colour}` : null }), el("span", { class: "name" }, name, range ? el("small", null, range) : null), count);
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
  const tab = table(fillKind() || "unit");
  if (!tab) return [];
  rows.surface = { legend: {} };
  const breaks = state.view ? QUARTERS : tab.tree.breaks;
  const legend = [4, 3, 2, 1, 0].map((c) => legendRow("surface", c, state.view && c ? t("Quarter {n}", { n: c }) : levelName(c, true), rangeText(breaks, c), c ? surfaceColours()[c] : "",
    () => !!state.classOff[c], () => (state.classOff[c] = !state.classOff[c])));
  const node = row("surface", fillName(), null);
  return [fillSelect(), viewSelect(), node, el("div", { class: "legend" + (state.shown.surface ? "" : " off"), role: "group", "aria-label": t("Classes") }, legend)];
}

/** What fills the map now, in words. */
function fillName() {
  const { units } = app.model;
  return fillKind() === "cell" ? t("Risk grid") : t("Risk of {level}", { level: unitLevelName(units.levels[state.level]) });
}

/** What fills the map: the finest units and, from nearby, cells; or always this. */
function fillSelect() {
  const { units, grid } = app.model;
  const cells = grid && table("cell");
  if (!table("unit") || (!cells && units.levels.length < 2)) return null;
  const last = units.levels.length - 1;
  const choices = [
    ...(cells ? [["auto", t("By scale")]] : []),
    ...units.levels.map((/** @type {string} */ l, /** @type {number} */ i) => ["unit:" + i, unitLevelName(l)]).reverse(),
    ...(cells ? [["grid", t("Grid cells")]] : []),
  ];
  const now = state.surface === "grid" ? "grid" : state.surface === "auto" && cells ? "auto" : "unit:" + state.level;
  return el("label", { class: "pick" }, t("Fill"),
    el("select", { id: "fill", onchange: (/** @type {any} */ e) => {
      const { value } = e.target;
      state.surface = value.startsWith("unit:") ? "units" : value;
      state.level = value.startsWith("unit:") ? Number(value.slice(5)) : last;
      state.shown.surface = true;
      emit("layers");
      emit("filter");
      emit("surface");
    } }, choices.map(([value, name]) => el("option", { value, selected: value === now }, name))));
}

/** Which score the surface shows. */
function viewSelect() {
  const tab = table("cell") || table("unit");
  if (!tab) return null;
  const choices = [["", t("Composite risk")], ...tab.parts.map((/** @type {any} */ p) => [p.node.code, "　".repeat(p.depth) + nameOf(p.node)])];
  return el("label", { class: "pick" }, t("Show"),
    el("select", { id: "view", onchange: async (/** @type {any} */ e) => {
      if (e.target.value) await prepare();
      state.view = e.target.value;
      emit("view");
    } }, choices.map(([value, name]) => el("option", { value, selected: value === state.view }, name))));
}

/** @param {any} layer */
function layerRow(layer) {
  rows[layer.id] = { legend: {} };
  const colours = classColours();
  const graded = layer.counts[0] < layer.n;
  const there = graded && !brief ? [4, 3, 2, 1, 0].filter((c) => layer.counts[c]) : [];
  const node = row(layer.id, nameOf(layer), symbolIcon(layer.symbol, graded ? "#5b6b7e" : layer.colour || "#4a5f78"), there.map((c) =>
    legendRow(layer.id, c, levelName(c), "", c ? colours[c] : layer.colour || "#4a5f78", () => !!state.levelOff[layer.id + c], () => (state.levelOff[layer.id + c] = !state.levelOff[layer.id + c]))));
  const more = node.querySelector(".more");
  if (layer.photos_left_out) more.appendChild(el("p", { class: "hint" }, t("{n} photos left out: missing, no JPEG or PNG, over 200 kB, or not beside the ledger", { n: layer.photos_left_out })));
  const not = brief ? 0 : unlisted(layer);
  if (not) node.insertBefore(el("p", { class: "hint unlisted" }, t("{n} of them are not on the list: {why}", { n: num(not), why: whyUnlisted(layer) })), more);
  if (layer.returned) more.appendChild(el("p", { class: "hint" }, t("{n} rows returned for correction, see data_gaps.xlsx", { n: layer.returned })));
  return node;
}

/** Layers of plans: those of the scenario chosen and those of none. */
function planRows() {
  const plans = app.model.plans.filter((/** @type {any} */ p) => !ofScene(p) && ["", state.scenario].includes(scenarioOf(p)));
  return [plans.length ? whenSwitch() : null, ...plans.map(planRow)].filter(Boolean);
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
    app.model.relief ? row("relief", t("Relief"), bar("#a9a08c")) : null,
    row("labels", t("Place names"), el("span", { class: "bar text", "aria-hidden": "true" }, "A")),
    hasBackdrop() ? row("tiles", t("Picture map"), bar("#7a8b5a")) : null,
    app.model.tianditu ? tiandituForm() : null,
  ].filter(Boolean);
}

/** "12 / 49" where not all are in view, else "49". @param {string} view @param {string} all */
function part(view, all) {
  return view === all ? all : `${view} / ${all}`;
}

/** Write the counts beside the legends: in view and all. */
export function updateCounts() {
  const { model } = app;
  if (!byId("left") || (isPhone() && !document.body.classList.contains("left-open"))) return;
  const kind = fillKind();
  if (rows.surface && kind === "cell") {
    const { all, view } = cellCounts();
    const km2 = model.grid.cell_km2;
    const area = (/** @type {number} */ n) => figures(n * km2);
    for (const c of [0, 1, 2, 3, 4]) write(rows.surface.legend[c], part(area(view[c]), area(all[c])), all[c], t("{n} of {m} cells in view", { n: num(view[c]), m: num(all[c]) }));
    write(rows.surface.count, area(all.reduce((x, y) => x + y, 0)) + " km²");
  } else if (rows.surface) {
    const { all, view } = unitCounts();
    for (const c of [0, 1, 2, 3, 4]) write(rows.surface.legend[c], part(num(view[c]), num(all[c])), all[c], t("{n} of {m} in view", { n: num(view[c]), m: num(all[c]) }));
    write(rows.surface.count, t("{n} units", { n: num(all.reduce((x, y) => x + y, 0)) }));
  }
  for (const layer of model.things) {
    const found = layerCounts(layer);
    write(rows[layer.id].count, t("{n} items", { n: part(num(found.seen), num(found.n)) }));
    for (const c of Object.keys(rows[layer.id].legend)) write(rows[layer.id].legend[c], t("{n} items", { n: part(num(found.view[Number(c)]), num(found.all[Number(c)])) }));
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

on("language palette view scenario when surface compared", () => renderTree());
on("layers", () => {
  for (const box of document.querySelectorAll("#left input[data-layer]")) {
    const input = /** @type {HTMLInputElement} */ (box);
    input.checked = !!state.shown[/** @type {string} */ (input.dataset.layer)];
    const line = /** @type {HTMLElement} */ (input.closest(".row"));
    line.classList.toggle("off", !input.checked);
    const next = line.nextElementSibling;
    if (input.dataset.layer === "surface" && next) next.classList.toggle("off", !input.checked);
    const opacity = /** @type {HTMLInputElement | null} */ (line.querySelector(".opacity"));
    if (opacity) opacity.value = String(state.opacity[/** @type {string} */ (input.dataset.layer)]);
  }
  updateCounts();
});
on("town", () => byId("town") && (byId("town").value = String(state.town)));
/** @type {any} */
let waiting = 0;
let filled = "";
on("moved", () => {
  const now = fillKind();
  if (filled && filled !== now) emit("surface");
  filled = now;
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
  return out;
}
