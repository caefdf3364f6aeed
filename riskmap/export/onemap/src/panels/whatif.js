// @ts-check
/** 推演: move the weights, see what changes, hand the weights back. */
import { app, byId, download, el, emit, figures, fill, framed, nameOf, num, on, percent, say, state, t } from "../model/core.js";
import { changes, live, moved, prepare, unitChanges, weightOf } from "../model/score.js";
import { card, changeText } from "./overview.js";
import { earlier, inTown, table } from "../data/model.js";
import { redraw } from "../draw/canvas.js";
import { splitAt } from "../draw/cells.js";
import { plansSplit } from "../draw/plans.js";
import { scenarioNames } from "./frame.js";

/** The table whose weights are moved: the baseline's, which has the codes of the project. */
function weighed() {
  return table("unit", "") || table("cell", "");
}

/** Draw the tab again. */
export async function renderWhatif() {
  const node = byId("panel-whatif");
  if (!node || state.tab !== "whatif") return;
  const tab = weighed();
  if (!tab || !tab.tree.exact) {
    fill(node, el("p", { class: "empty" }, t("The method of this index cannot be recomputed in the page, so its weights cannot be moved here.")));
    return;
  }
  await prepare();
  fill(node,
    el("p", { class: "hint" }, t("Move the weights; index and classes are recomputed on this machine. The class limits stay fixed.")),
    el("div", { id: "sliders" }, tab.components.map((/** @type {any} */ n) => component(tab, n))),
    el("div", { id: "effects" }),
    el("div", { class: "buttons" },
      el("button", { id: "reset", onclick: () => setWeights({}, true) }, t("Back to the start")),
      el("button", { id: "whatif-compare", "aria-pressed": String(state.compare), onclick: () => emit("compare") }, t("Compare")),
      el("button", { id: "save-weights", onclick: save }, t("Save weights.yaml"))),
    el("p", { class: "hint" }, t("riskmap run PROJECT --weights weights.yaml repeats it exactly.")));
  effects();
}

/** Sum of the weights of a code's siblings and itself. @param {any} tab @param {any} node */
function siblings(tab, node) {
  return tab.tree.nodes.filter((/** @type {any} */ n) => n.parent === node.parent && n.code !== n.parent);
}

/** @param {any} tab @param {any} node */
function share(tab, node) {
  const total = siblings(tab, node).reduce((/** @type {number} */ s, /** @type {any} */ n) => s + weightOf(tab, n.code), 0);
  return total ? weightOf(tab, node.code) / total : 0;
}

/** @param {any} tab @param {any} node */
function slider(tab, node) {
  const value = el("output", { "data-share": node.code }, percent(share(tab, node)));
  const top = Math.max(1, 2 * node.weight);
  const input = el("input", {
    type: "range", min: 0, max: top, step: top / 100, value: weightOf(tab, node.code), "data-weight": node.code, "aria-label": t("Weight of {name}", { name: nameOf(node) }),
    "aria-valuetext": percent(share(tab, node)), oninput: () => setWeights({ ...state.weights, [node.code]: Number(input.value) }, false),
  });
  return el("div", { class: "slider" }, el("span", { class: "name" }, isGroup(node) && node.parent !== tab.tree.root ? onOff(tab, node) : null, nameOf(node)), value, input);
}

/** @param {any} node */
function isGroup(node) {
  return node.kind === "group";
}

/** Counts a part at all? Off is a weight of nothing; on again is the weight of the project. @param {any} tab @param {any} node */
function onOff(tab, node) {
  const box = el("input", { type: "checkbox", checked: weightOf(tab, node.code) > 0, "data-switch": node.code, "aria-label": t("Count {name}", { name: nameOf(node) }),
    onchange: () => setWeights({ ...state.weights, [node.code]: box.checked ? node.weight || 1 : 0 }, true) });
  return box;
}

/** @param {any} tab @param {any} node */
function component(tab, node) {
  const below = tab.tree.nodes.filter((/** @type {any} */ n) => n.parent === node.code && n.code !== node.code);
  return el("div", { class: "component" }, slider(tab, node),
    below.length > 1 ? el("details", { open: below.some(isGroup) }, el("summary", null, below.some(isGroup) ? t("{n} parts", { n: below.length }) : t("{n} indicators", { n: below.length })), below.map((/** @type {any} */ n) => (isGroup(n) ? component(tab, n) : slider(tab, n)))) : null);
}

/**
 * Take these weights; those as at the start are forgotten.
 * @param {Record<string, number>} weights
 * @param {boolean} redraw draw the sliders again
 */
export function setWeights(weights, redraw) {
  const tab = weighed();
  /** @type {Record<string, number>} */
  const kept = {};
  for (const [code, value] of Object.entries(weights)) {
    const node = tab.nodes.get(code);
    if (node && Number.isFinite(value) && value >= 0 && Math.abs(value - node.weight) > 1e-12) kept[code] = value;
  }
  state.weights = kept;
  if (redraw) renderWhatif();
  apply();
}

const apply = framed(() => {
  emit("weights");
  shares();
  effects();
});

/** Write the shares beside the sliders. */
function shares() {
  const tab = weighed();
  for (const node of document.querySelectorAll("#sliders [data-share]")) {
    const found = tab.nodes.get(/** @type {HTMLElement} */ (node).dataset.share);
    const shown = percent(share(tab, found));
    if (node.textContent !== shown) {
      node.textContent = shown;
      const input = document.querySelector(`#sliders [data-weight="${CSS.escape(found.code)}"]`);
      if (input) input.setAttribute("aria-valuetext", shown);
    }
  }
}

/** Groups whose weights are all zero: nothing can be computed of them. @param {any} tab */
function empty(tab) {
  return tab.tree.groups.filter((/** @type {any} */ g) => g.method !== "union" && g.children.every((/** @type {string} */ c) => !(weightOf(tab, c) > 0)));
}

/** What the moved weights change. */
function effects() {
  const node = byId("effects");
  if (!node) return;
  const none = empty(weighed());
  byId("save-weights").disabled = none.length > 0;
  if (none.length) return void fill(node, el("p", { class: "hint", role: "alert" }, none.map((/** @type {any} */ g) => t("All weights of “{name}” are zero, so there is no index; raise one of them.", { name: nameOf(weighed().nodes.get(g.code)) }))));
  const { units, grid } = app.model;
  const out = [];
  const cell = table("cell");
  if (cell && grid) {
    const { up, down } = changes(cell, (i) => grid.unit[i]);
    const red = count(live(cell).cls) - count(cell.base.cls);
    out.push(card(t("Area raised"), [figures(up * grid.cell_km2), el("small", null, " km²")], t("{n} cells", { n: num(up) }), "raised"), card(t("Area lowered"), [figures(down * grid.cell_km2), el("small", null, " km²")], t("{n} cells", { n: num(down) }), "lowered"),
      card(t("Major-risk area"), [figures(count(live(cell).cls) * grid.cell_km2), el("small", null, " km²")], changeText(red * grid.cell_km2, "km²") || t("as at the start"), "c4"));
  }
  fill(node, el("div", { class: "cards", "aria-live": "polite" }, out), table("unit") ? unitChanges(units) : null);
}

/** @param {Uint8Array} cls */
function count(cls) {
  let n = 0;
  const { unit } = app.model.grid;
  for (let i = 0; i < cls.length; i++) if (cls[i] === 4 && inTown(unit[i])) n++;
  return n;
}

/** The weights as the command line reads them. */
export function weightsYaml() {
  const tab = weighed();
  const lines = tab.tree.nodes.filter((/** @type {any} */ n) => n.code !== tab.tree.root).map((/** @type {any} */ n) => `  ${JSON.stringify(n.code)}: ${weightOf(tab, n.code)}`);
  return ["# riskmap run PROJECT --weights weights.yaml", "weights:", ...lines, ""].join("\n");
}

function save() {
  download(new Blob([weightsYaml()], { type: "text/yaml" }), "weights.yaml");
}

on("language tab scenario town", renderWhatif);

// The swipe: the start on the left, the present on the right.

/** Draw or remove the handle. */
function render() {
  const old = byId("swipe");
  if (old) old.remove();
  for (const id of ["tool-compare", "whatif-compare"]) if (byId(id)) byId(id).setAttribute("aria-pressed", String(state.compare));
  if (!state.compare) return;
  const handle = el("div", { id: "swipe", role: "slider", tabindex: 0, "aria-label": t("Compare"), "aria-orientation": "horizontal", "aria-valuemin": 0, "aria-valuemax": 100, onkeydown: keys },
    el("i"), el("span", { class: "side before" }, leftName()), el("span", { class: "side now" }, rightName()));
  handle.addEventListener("pointerdown", (/** @type {PointerEvent} */ e) => {
    handle.setPointerCapture(e.pointerId);
    e.stopPropagation();
    handle.onpointermove = (/** @type {PointerEvent} */ m) => {
      const box = byId("stage").getBoundingClientRect();
      place((m.clientX - box.left) / box.width);
    };
  });
  handle.addEventListener("pointerup", () => (handle.onpointermove = null));
  byId("stage").appendChild(handle);
  place(state.split);
}

/** What stands on the left. */
function leftName() {
  const old = earlier();
  return old ? old.name : t("Baseline");
}

/** What stands on the right. */
function rightName() {
  if (earlier()) return app.model.facts.date || t("now");
  return [state.scenario || t("Baseline"), moved() ? t("moved weights") : ""].filter(Boolean).join(" · ");
}

/** Draw again what the swipe cuts. */
function again() {
  redraw("surface");
  if (plansSplit()) redraw("points");
}

/**
 * The dividing line with its two names, on a picture.
 * @param {import("../draw/canvas.js").View} view
 * @param {string} font
 */
export function drawDivide(view, font) {
  const x = splitAt(view);
  if (!state.compare || x < 0 || x > view.w) return;
  const { ctx } = view;
  ctx.fillStyle = "#ffffff";
  ctx.fillRect(x - 2, 0, 4, view.h);
  ctx.fillStyle = "#0d2f4f";
  ctx.fillRect(x - 0.75, 0, 1.5, view.h);
  ctx.font = `600 13px ${font}`;
  ctx.textBaseline = "middle";
  for (const [name, side] of /** @type {[string, number][]} */ ([[leftName(), -1], [rightName(), 1]])) {
    const wide = ctx.measureText(name).width + 18;
    const left = side < 0 ? x - 6 - wide : x + 6;
    ctx.fillStyle = "#0d2f4f";
    ctx.fillRect(left, view.h - 36, wide, 24);
    ctx.fillStyle = "#ffffff";
    ctx.textAlign = "left";
    ctx.fillText(name, left + 9, view.h - 24);
  }
}

/** @param {number} share */
function place(share) {
  state.split = Math.min(0.98, Math.max(0.02, share));
  const handle = byId("swipe");
  handle.style.left = state.split * 100 + "%";
  handle.setAttribute("aria-valuenow", String(Math.round(state.split * 100)));
  again();
  emit("split");
}

/** @param {KeyboardEvent} e */
function keys(e) {
  const to = { ArrowLeft: state.split - 0.02, ArrowRight: state.split + 0.02, PageDown: state.split - 0.1, PageUp: state.split + 0.1, Home: 0, End: 1 }[e.key];
  if (to === undefined) return;
  e.preventDefault();
  e.stopPropagation();
  place(to);
}

/** Do the two sides differ? */
function twoSides() {
  return !!state.scenario || moved() || !!earlier();
}

/** Scenarios that have an index of their own, those first that can be seen on the surface. */
function firstScenario() {
  const names = scenarioNames();
  return names.find((name) => app.model.tables["unit@" + name] || app.model.tables["cell@" + name]) || names[0] || "";
}

/** Show or hide the comparison. @param {boolean} open */
function show(open) {
  state.compare = open;
  render();
  redraw("surface", "water", "points");
  emit("compared");
}

/** Make the comparison work. */
export function startCompare() {
  on("compare", () => {
    if (state.compare) return show(false);
    if (twoSides()) return show(true);
    const name = firstScenario();
    if (!name) return say(t("Nothing to compare: choose a scenario or move the weights first"));
    state.compare = true;
    emit("setScenario", name);
    say(t("Compared: baseline and {name}", { name }));
  });
  on("scenario weights view", () => {
    if (state.compare && !twoSides()) {
      show(false);
      say(t("Comparison closed: both sides are the same"));
    }
  });
  on("resetWeights", () => setWeights({}, true));
  on("language scenario weights view", render);
  app.map.on("move", () => state.compare && again());
  if (state.compare && !twoSides()) state.compare = false;
  if (state.compare) render();
}
