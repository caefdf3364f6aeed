// @ts-check
/** What narrows or changes the picture, said over the map with a cross each, and on every paper. */
import { app, byId, el, emit, fill, nameOf, on, state, t } from "../model/core.js";
import { inTown, table } from "../data/model.js";
import { matchesFilter } from "../data/items.js";
import { levelName, unitLevelOne } from "../draw/labels.js";
import { moved } from "../model/score.js";
import { icon } from "../draw/symbols.js";

/** @typedef {{key: string, text: string, clear: () => void}} Chip */

/** Everything that is set, in words. @returns {Chip[]} */
export function chips() {
  const { model } = app;
  /** @type {Chip[]} */
  const out = [];
  const add = (/** @type {string} */ key, /** @type {string} */ text, /** @type {() => void} */ clear) => out.push({ key, text, clear });
  if (state.scenario) add("scenario", t("Scenario: {name}", { name: state.scenario }), () => emit("setScenario", ""));
  if (state.view) {
    const tab = table("cell") || table("unit");
    add("view", t("Shown: {name}", { name: nameOf(tab.nodes.get(state.view)) }), () => {
      state.view = "";
      emit("view");
    });
  }
  if (moved()) add("weights", t("Weights moved"), () => emit("resetWeights"));
  if (state.town >= 0) add("town", t("Only {level}: {name}", { level: unitLevelOne(model.units.levels[model.units.level[state.town]]), name: model.units.names[state.town] }), () => emit("pickTown", -1));
  if (state.filter) add("filter", state.filter === "open" ? t("Open only") : t("Overdue only"), () => {
    state.filter = "";
    emit("filter");
  });
  const hidden = [4, 3, 2, 1, 0].filter((c) => state.classOff[c]);
  if (hidden.length) add("classes", t("Hidden classes: {names}", { names: hidden.map((c) => levelName(c, true)).join(t(", ")) }), () => {
    for (const c of hidden) delete state.classOff[c];
    emit("filter");
  });
  for (const layer of model.things) {
    const off = [4, 3, 2, 1, 0].filter((c) => state.levelOff[layer.id + c] && !app.startOff[layer.id + c]);
    if (off.length && state.shown[layer.id]) add("levels:" + layer.id, t("{layer} hidden: {names}", { layer: nameOf(layer), names: off.map((c) => levelName(c)).join(t(", ")) }), () => {
      for (const c of off) delete state.levelOff[layer.id + c];
      emit("filter");
    });
  }
  return out;
}

/** Draw the chips. */
function render() {
  const box = byId("chips");
  if (!box) return;
  const list = chips();
  box.hidden = !list.length;
  fill(box, list.map((chip) => el("button", { class: "filter-chip", "data-chip": chip.key, title: t("Take this off"), onclick: () => {
    chip.clear();
    const next = document.querySelector("#chips button");
    /** @type {HTMLElement} */ (next || app.map.getContainer()).focus({ preventScroll: true });
  } }, el("span", null, chip.text), icon("close"), el("span", { class: "hidden" }, t("Take this off")))));
}

/**
 * Take off whatever would hide an object or a unit; what was taken off, in words.
 * @param {any} chosen
 */
export function unhide(chosen) {
  const { model } = app;
  const layer = chosen.kind === "item" ? model.layer.get(chosen.layer) : null;
  const unit = layer ? layer.unit[chosen.at] : chosen.at;
  /** @type {string[]} */
  const off = [];
  if (state.town >= 0 && !inTown(unit) && !(chosen.kind === "unit" && model.units.above[model.units.level[unit]][state.town] === unit)) off.push("town");
  if (layer && state.filter && !matchesFilter(layer, chosen.at)) off.push("filter");
  if (layer && state.levelOff[layer.id + layer.level[chosen.at]]) off.push("levels:" + layer.id);
  const gone = chips().filter((chip) => off.includes(chip.key));
  for (const chip of gone) chip.clear();
  if (layer && state.levelOff[layer.id + layer.level[chosen.at]]) {
    delete state.levelOff[layer.id + layer.level[chosen.at]];
    emit("filter");
  }
  return gone.map((chip) => chip.text);
}

on("furniture scenario view weights town filter layers", render);
