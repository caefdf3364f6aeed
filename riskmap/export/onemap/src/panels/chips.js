// @ts-check
/** What narrows or changes the picture, said over the map with a cross each, and on every paper. */
import { matchesFilter } from "../data/items.js";
import { inTown, table } from "../data/model.js";
import { levelName, unitLevelOne } from "../draw/labels.js";
import { byDate } from "../draw/plans.js";
import { icon } from "../draw/symbols.js";
import { app, byId, el, emit, fill, nameOf, num, on, state, t } from "../model/core.js";
import { moved } from "../model/score.js";

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

// The time slider, for data that carry times: what has happened by then is drawn.

const STEP_MS = 800;
/** @type {any} */
let playing = 0;

/** Layers with times that are on; those of minutes go before those of dates. */
function timed() {
  const dates = byDate();
  return app.model.plans.filter((/** @type {any} */ p) => p.time && !!p.since === dates && state.shown["plan:" + p.id]);
}

/** All times of the layers that are on [min], ascending; empty when there are none. @returns {number[]} */
export function allTimes() {
  const found = new Set();
  for (const plan of timed()) for (const v of plan.time) if (Number.isFinite(v)) found.add(v);
  return [...found].sort((a, b) => a - b);
}

/** A time in words: after the start, or its date. @param {number} minutes */
export function timeText(minutes) {
  if (byDate()) return new Date(Date.parse(timed()[0].since) + minutes * 60000).toISOString().slice(0, 10);
  return minutes < 120 ? t("{n} min after the start", { n: num(minutes, 1) }) : t("{n} h after the start", { n: num(minutes / 60, 1) });
}

/** @param {number} minutes */
function set(minutes) {
  state.time = minutes;
  const range = byId("time-range");
  if (range) {
    range.value = String(allTimes().indexOf(minutes));
    range.setAttribute("aria-valuetext", timeText(minutes));
    byId("time-now").textContent = timeText(minutes);
  }
  emit("time");
}

function stop() {
  clearInterval(playing);
  playing = 0;
}

function play() {
  if (playing) stop();
  else {
    const times = allTimes();
    if (state.time >= times[times.length - 1]) set(times[0]);
    playing = setInterval(() => {
      const next = times.find((v) => v > state.time);
      if (next !== undefined) set(next);
      if (next === undefined || next === times[times.length - 1]) {
        stop();
        sign();
      }
    }, STEP_MS);
  }
  sign();
}

/** Show on the button what it does next. */
function sign() {
  const button = byId("time-play");
  if (!button) return;
  button.setAttribute("aria-label", playing ? t("Stop") : t("Play"));
  button.title = playing ? t("Stop") : t("Play");
  fill(button, icon(playing ? "pause" : "play"));
}

/** Draw the slider; without times it stays away. */
function renderTime() {
  const box = byId("time");
  const times = allTimes();
  if (!box) return;
  box.hidden = !times.length;
  if (!times.length) return stop();
  if (!times.includes(state.time)) state.time = times[times.length - 1];
  const at = Math.max(0, times.indexOf(state.time));
  fill(box,
    el("button", { id: "time-play", onclick: play }),
    el("input", { id: "time-range", type: "range", min: 0, max: times.length - 1, step: 1, value: at, "aria-label": t("Time"), "aria-valuetext": timeText(times[at]), oninput: (/** @type {any} */ e) => {
      stop();
      sign();
      set(times[Number(e.target.value)]);
    } }),
    el("output", { id: "time-now" }, timeText(times[at])));
  sign();
}

/** Make the slider work; the start shows everything. */
export function startTime() {
  renderTime();
  on("furniture layers scenario", renderTime);
}
