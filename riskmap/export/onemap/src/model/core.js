// @ts-check
/** Shared state, events, texts and small DOM helpers. */

/**
 * @typedef {{zh: string, en: string}} Names
 * @typedef {{kind: string, at: number, layer?: string}} Selection
 */

/** What the user has chosen; everything that the address can carry. */
export const state = {
  lang: "zh",
  tab: "overview",
  palette: "four",
  scenario: "",
  view: "",
  /** what fills the map: "auto" (units, cells from nearby), "units" or "grid" */ surface: "auto",
  level: 0,
  /** @type {Record<string, boolean>} */ shown: {},
  /** @type {Record<string, number>} */ opacity: {},
  /** @type {Record<number, boolean>} */ classOff: {},
  /** @type {Record<string, boolean>} */ levelOff: {},
  town: -1,
  filter: "",
  /** @type {Record<string, number>} */ weights: {},
  /** is the layer panel open, and how high is the phone's sheet */ layers: true,
  sheet: "half",
  compare: false,
  split: 0.5,
  /** the list: what, in which order, what is typed above it */ list: { what: "", sort: "rank", down: false, text: "" },
  /** @type {Selection | null} */ selected: null,
  /** minutes shown, -1 while nobody has chosen */ time: -1,
  /** rescue stations "before" or "after" the proposed sites */ when: "before",
};

/** Things made once: the model, the map, the panes. */
export const app = {
  /** @type {any} */ model: null,
  /** @type {any} */ map: null,
  /** @type {Record<string, any>} */ canvas: {},
  /** @type {Record<string, Record<string, string>>} */ texts: {},
  /** @type {Record<string, boolean>} */ startShown: {},
  /** @type {Record<string, number>} */ startOpacity: {},
  /** @type {Record<string, boolean>} */ startOff: {},
  measuring: false,
  /** how much the big screen enlarges the page */ scale: 1,
};

/** @type {Record<string, Function[]>} */
const listeners = {};

/**
 * Call a function whenever something happens.
 * @param {string} names events, separated by spaces
 * @param {Function} fn
 */
export function on(names, fn) {
  for (const name of names.split(" ")) (listeners[name] = listeners[name] || []).push(fn);
}

/**
 * Say that something happened.
 * @param {string} name
 * @param {any} [detail]
 */
export function emit(name, detail) {
  for (const fn of listeners[name] || []) fn(detail);
}

/**
 * Show a text in the current language.
 * @param {string} msgid English, with {name} where a value stands
 * @param {Record<string, any>} [params]
 */
export function t(msgid, params) {
  const found = (app.texts[state.lang] || {})[msgid] || msgid;
  return params ? found.replace(/\{(\w+)\}/g, (_, key) => String(params[key])) : found;
}

/**
 * Show a name that data carry in both languages.
 * @param {any} names
 */
export function nameOf(names) {
  if (!names) return "";
  return typeof names === "string" ? names : names[state.lang] || names.zh || names.en || "";
}

/**
 * Make an element; strings become text, never markup.
 * @param {string} tag
 * @param {Record<string, any> | null} [attrs]
 * @param {...any} children
 * @returns {any}
 */
export function el(tag, attrs, ...children) {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(attrs || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (key === "style") node.style.cssText = value;
    else if (key in PROPS) /** @type {any} */ (node)[key] = value;
    else node.setAttribute(key, value === true ? "" : String(value));
  }
  return put(node, children);
}
const PROPS = { value: 1, checked: 1, disabled: 1, hidden: 1, indeterminate: 1, selected: 1, readOnly: 1 };

/**
 * Append children, flattening lists and leaving out blanks.
 * @param {Node} node
 * @param {any[]} children
 */
function put(node, children) {
  for (const child of children) {
    if (child === null || child === undefined || child === false || child === "") continue;
    if (Array.isArray(child)) put(node, child);
    else node.appendChild(child instanceof Node ? child : document.createTextNode(String(child)));
  }
  return node;
}

/**
 * Replace everything inside an element; the keyboard keeps its place.
 * @param {any} node
 * @param {...any} children
 */
export function fill(node, ...children) {
  const held = heldIn(node);
  node.textContent = "";
  put(node, children);
  if (held !== null) takeUp(node, held);
  return node;
}

/**
 * An element of the page's frame.
 * @param {string} id
 * @returns {any}
 */
export function byId(id) {
  return document.getElementById(id);
}

/**
 * A number with at most so many decimals, thousands separated (by hand: the browser's own table of
 * languages takes 70 ms to load).
 * @param {number} value
 * @param {number} [digits]
 */
export function num(value, digits = 0) {
  if (!Number.isFinite(value)) return t("unknown");
  const [whole, part = ""] = value.toFixed(digits).split(".");
  const tail = part.replace(/0+$/, "");
  const shown = whole.replace(/\B(?=(\d{3})+$)/g, ",") + (tail && "." + tail);
  return shown === "-0" ? "0" : shown;
}

/**
 * A number with three figures or so.
 * @param {number} value
 */
export function figures(value) {
  if (!Number.isFinite(value)) return t("unknown");
  const size = Math.abs(value);
  return num(value, size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3);
}

/** @param {number} value */
export function score3(value) {
  return Number.isFinite(value) ? value.toFixed(3) : t("unknown");
}

/**
 * A distance [m] in words.
 * @param {number} metres
 */
export function distance(metres) {
  if (!Number.isFinite(metres)) return t("unknown");
  return metres < 1000 ? num(metres) + " m" : num(metres / 1000, metres < 10000 ? 2 : 1) + " km";
}

/** @param {number} share */
export function percent(share, digits = 0) {
  return Number.isFinite(share) ? (share * 100).toFixed(digits) + "%" : t("unknown");
}

/**
 * Say something to those who listen to the page.
 * @param {string} message
 */
export function say(message) {
  const live = byId("live");
  if (live) live.textContent = message;
  const toast = byId("toast");
  if (!toast) return;
  toast.textContent = message;
  toast.classList.add("on");
  clearTimeout(toast.timer);
  toast.timer = setTimeout(() => toast.classList.remove("on"), 2600);
}

/**
 * Run a function once per frame however often it is asked for.
 * @param {Function} fn
 */
export function framed(fn) {
  let asked = false;
  return () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => {
      asked = false;
      fn();
    });
  };
}

/**
 * Hand a file to the user.
 * @param {Blob} blob
 * @param {string} name
 */
export function download(blob, name) {
  const url = URL.createObjectURL(blob);
  const link = el("a", { href: url, download: name });
  document.body.appendChild(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), 10000);
}

/**
 * A file name from the title: no character that a system forbids or that hides another, no leading dot, not too long.
 * @param {string} ending
 * @param {string} [what] what of the page the file holds
 */
export function fileName(ending, what = "") {
  const tail = what ? "_" + Array.from(plain(what)).slice(0, 40).join("") : "";
  return (Array.from(plain(app.model.facts.name)).slice(0, 80 - Array.from(tail).length).join("") || "riskmap") + tail + "." + ending;
}

/** @param {string} name */
function plain(name) {
  return name.replace(/[\\/:*?"<>|\u0000-\u001f\u007f\u200b-\u200f\u202a-\u202e\u2066-\u2069]/g, "_").replace(/^[.\s]+/, "");
}

/** True on narrow screens. */
export function isPhone() {
  return window.matchMedia("(max-width: 760px)").matches;
}

// Keeps the keyboard's place when a part of the page is drawn again.

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
