// @ts-check
/** The foot of the layer tree: filters and palette. */
import { app, el, emit, state, t } from "./core.js";
import { hasStates } from "./items.js";
import { unitLevelName } from "./palette.js";

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
