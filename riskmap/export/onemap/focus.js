// @ts-check
/** Keeps the keyboard's place when a part of the page is drawn again. */

/**
 * Where the focus stands inside an element: a selector, "" when it has no name, null when it is elsewhere.
 * @param {Element} node
 * @returns {string | null}
 */
export function heldIn(node) {
  const active = document.activeElement;
  if (!active || active === node || !node.contains(active)) return null;
  if (active.id) return "#" + CSS.escape(active.id);
  for (const { name, value } of active.attributes) if (name.startsWith("data-")) return `[${name}="${CSS.escape(value)}"]`;
  return "";
}

/**
 * Put the focus back on what stands in the same place now, else on the panel around it.
 * @param {Element} node
 * @param {string} held
 */
export function takeUp(node, held) {
  const found = (held && node.querySelector(held)) || node.closest('[role="tabpanel"]');
  if (found) /** @type {HTMLElement} */ (found).focus({ preventScroll: true });
}
