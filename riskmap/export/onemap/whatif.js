// @ts-check
/** 推演: move the weights, see what changes, hand the weights back. */
import { app, byId, download, el, emit, figures, fill, framed, nameOf, num, on, percent, state, t } from "./core.js";
import { unitChanges } from "./changes.js";
import { card, changeText } from "./overview.js";
import { table } from "./model.js";
import { changes, live, prepare, weightOf } from "./score.js";

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
  return el("div", { class: "slider" }, el("span", { class: "name" }, nameOf(node)), value, input);
}

/** @param {any} tab @param {any} node */
function component(tab, node) {
  const below = tab.tree.nodes.filter((/** @type {any} */ n) => n.parent === node.code && n.code !== node.code);
  return el("div", { class: "component" }, slider(tab, node),
    below.length > 1 ? el("details", null, el("summary", null, t("{n} indicators", { n: below.length })), below.map((/** @type {any} */ n) => slider(tab, n))) : null);
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
    const { up, down } = changes(cell);
    const red = count(live(cell).cls) - count(table("cell", "").base.cls);
    out.push(card(t("Area raised"), [figures(up * grid.cell_km2), el("small", null, " km²")], t("{n} cells", { n: num(up) }), "raised"), card(t("Area lowered"), [figures(down * grid.cell_km2), el("small", null, " km²")], t("{n} cells", { n: num(down) }), "lowered"),
      card(t("Major-risk area"), [figures(count(live(cell).cls) * grid.cell_km2), el("small", null, " km²")], changeText(red * grid.cell_km2, "km²") || t("as at the start"), "c4"));
  }
  fill(node, el("div", { class: "cards", "aria-live": "polite" }, out), table("unit") ? unitChanges(units) : null);
}

/** @param {Uint8Array} cls */
function count(cls) {
  let n = 0;
  for (let i = 0; i < cls.length; i++) if (cls[i] === 4) n++;
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
