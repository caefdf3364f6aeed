// @ts-check
/** The tools that a narrow screen keeps in a menu. */
import { byId, el, t } from "./core.js";
import { icon } from "./symbols.js";

/**
 * The tools, open on wide screens, behind a button on narrow ones.
 * @param {...HTMLElement} tools
 */
export function moreTools(...tools) {
  const box = el("div", { id: "more", role: "group", "aria-label": t("More") }, tools);
  box.addEventListener("click", (/** @type {Event} */ e) => /** @type {HTMLElement} */ (e.target).closest("button") && closeMore());
  const button = el("button", { id: "tool-more", class: "tool", "aria-label": t("More"), title: t("More"), "aria-expanded": "false", "aria-controls": "more", onclick: () => {
    const open = document.body.classList.toggle("more-open");
    button.setAttribute("aria-expanded", String(open));
    if (open) tools[0].focus();
  } }, icon("more"));
  return [button, box];
}

/** Close the menu. */
export function closeMore() {
  if (!document.body.classList.contains("more-open")) return;
  document.body.classList.remove("more-open");
  const button = byId("tool-more");
  if (button) button.setAttribute("aria-expanded", "false");
}

document.addEventListener("keydown", (e) => {
  if (e.key !== "Escape" || !document.body.classList.contains("more-open")) return;
  closeMore();
  byId("tool-more").focus();
});
document.addEventListener("pointerdown", (e) => {
  if (!(/** @type {HTMLElement} */ (e.target).closest("#more, #tool-more"))) closeMore();
});
