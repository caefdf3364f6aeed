// @ts-check
/** The time slider, for data that carry times: what has happened by then is drawn. */
import { app, byId, el, emit, fill, num, on, state, t } from "../model/core.js";
import { byDate } from "../draw/plans.js";
import { icon } from "../draw/symbols.js";

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
function render() {
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
  render();
  on("furniture layers scenario", render);
}
