// @ts-check
/** The swipe: the start on the left, the present on the right. */
import { app, byId, el, emit, on, state, t } from "./core.js";
import { redraw } from "./canvas.js";
import { moved } from "./score.js";

/** Draw or remove the handle. */
function render() {
  const old = byId("swipe");
  if (old) old.remove();
  for (const id of ["tool-compare", "whatif-compare"]) if (byId(id)) byId(id).setAttribute("aria-pressed", String(state.compare));
  if (!state.compare) return;
  const right = [state.scenario || t("Baseline"), moved() ? t("moved weights") : ""].filter(Boolean).join(" · ");
  const handle = el("div", { id: "swipe", role: "slider", tabindex: 0, "aria-label": t("Compare"), "aria-orientation": "horizontal", "aria-valuemin": 0, "aria-valuemax": 100, onkeydown: keys },
    el("i"), el("span", { class: "side before" }, t("Baseline")), el("span", { class: "side now" }, right));
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

/** @param {number} share */
function place(share) {
  state.split = Math.min(0.98, Math.max(0.02, share));
  const handle = byId("swipe");
  handle.style.left = state.split * 100 + "%";
  handle.setAttribute("aria-valuenow", String(Math.round(state.split * 100)));
  redraw("surface");
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
  });
  on("language scenario weights", render);
  app.map.on("move", () => state.compare && redraw("surface"));
  if (open) render();
}
