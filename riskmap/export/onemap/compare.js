// @ts-check
/** The swipe: the start on the left, the present on the right. */
import { app, byId, el, emit, on, state, t } from "./core.js";
import { redraw } from "./canvas.js";
import { splitAt } from "./cells.js";
import { plansSplit } from "./plans.js";
import { moved } from "./score.js";

/** Draw or remove the handle. */
function render() {
  const old = byId("swipe");
  if (old) old.remove();
  for (const id of ["tool-compare", "whatif-compare"]) if (byId(id)) byId(id).setAttribute("aria-pressed", String(state.compare));
  if (!state.compare) return;
  const handle = el("div", { id: "swipe", role: "slider", tabindex: 0, "aria-label": t("Compare"), "aria-orientation": "horizontal", "aria-valuemin": 0, "aria-valuemax": 100, onkeydown: keys },
    el("i"), el("span", { class: "side before" }, t("Baseline")), el("span", { class: "side now" }, rightName()));
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

/** What stands on the right. */
function rightName() {
  return [state.scenario || t("Baseline"), moved() ? t("moved weights") : ""].filter(Boolean).join(" · ");
}

/** Draw again what the swipe cuts. */
function again() {
  redraw("surface");
  if (plansSplit()) redraw("points");
}

/**
 * The dividing line with its two names, on a picture.
 * @param {import("./canvas.js").View} view
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
  for (const [name, side] of /** @type {[string, number][]} */ ([[t("Baseline"), -1], [rightName(), 1]])) {
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

/** Make the comparison work. */
export function startCompare() {
  let open = state.compare;
  on("compare", () => {
    open = !open;
    state.compare = open;
    render();
    if (!open) redraw("points");
  });
  on("language scenario weights", render);
  app.map.on("move", () => state.compare && again());
  if (open) render();
}
