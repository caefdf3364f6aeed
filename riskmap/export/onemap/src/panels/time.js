// @ts-check
/** The time slider, for data that carry times: what has happened by then is drawn. */
import { app, byId, el, emit, fill, num, on, state, t } from "../model/core.js";
import { icon } from "../draw/symbols.js";

const STEP_MS = 800;
/** @type {any} */
let playing = 0;

/** All times of the data [min], ascending; empty when there are none. @returns {number[]} */
export function allTimes() {
  const { model } = app;
  if (!model.times) {
    const found = new Set();
    for (const plan of model.plans) if (plan.time) for (const v of plan.time) if (Number.isFinite(v)) found.add(v);
    model.times = [...found].sort((a, b) => a - b);
  }
  return model.times;
}

/** A time after the start in words. @param {number} minutes */
export function timeText(minutes) {
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
  if (!box || !times.length) return;
  box.hidden = false;
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
  const times = allTimes();
  if (times.length && !times.includes(state.time)) state.time = times[times.length - 1];
  render();
  on("furniture", render);
}
