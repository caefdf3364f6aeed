// @ts-check
/** Search by part of a name, pinyin initials, town, number or coordinates. */
import { app, byId, el, emit, fill, nameOf, on, say, t } from "../model/core.js";
import { coordinatesIn } from "../data/geo.js";
import { itemName } from "../data/items.js";
import { townOf } from "./list.js";
import { unhide } from "./chips.js";
import { wholeBox } from "../data/model.js";
import { unitLevelOne } from "../draw/labels.js";

const MOST = 30;
/** Lines of the index that are made before the page is asked whether it has something else to do. */
const AT_ONCE = 2000;
/**
 * What can be found: all names (and numbers) of one kind in one text, a line each.
 * @typedef {{kind: string, layer: any, n: number, nameOf: (at: number) => string, lines: Lines}} Part
 * @typedef {{text: string, starts: Uint32Array}} Lines
 * @typedef {{kind: string, name: string, at: number, layer?: any, lon?: number, lat?: number}} Found
 */
/** @type {Part[]} */
let index = [];
const work = making();
let active = -1;
/** @type {Found[]} */
let found = [];

/** The line that a place of the text belongs to. @param {Uint32Array} starts @param {number} place */
function lineAt(starts, place) {
  let low = 0;
  let high = starts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (starts[middle] <= place) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** Make the index, handing the page back after every so many lines. @returns {Generator<void>} */
function* making() {
  const { units, things } = app.model;
  const kinds = [{ kind: "unit", layer: null, from: units }, ...things.map((/** @type {any} */ layer) => ({ kind: "item", layer, from: layer }))];
  const made = [];
  for (const { kind, layer, from } of kinds) {
    const starts = new Uint32Array(from.n);
    const parts = new Array(from.n);
    for (let i = 0, at = 0; i < from.n; i++) {
      parts[i] = (from.name(i) + " " + from.idOf(i)).replace(/\s/g, " ").toLowerCase();
      starts[i] = at;
      at += parts[i].length + 1;
      if (i % AT_ONCE === AT_ONCE - 1) yield;
    }
    made.push({ kind, layer, n: from.n, nameOf: from.name, lines: { text: "\n" + parts.join("\n"), starts } });
    yield;
  }
  index = made;
}

/** Have the whole index. */
function finishIndex() {
  while (!work.next().done);
}

/**
 * Lines that hold what a pattern describes, each once.
 * @param {Lines} lines
 * @param {RegExp} pattern with the flag g
 * @param {(line: number) => boolean} take false to stop
 */
function everyLine({ text, starts }, pattern, take) {
  pattern.lastIndex = 0;
  for (let hit = pattern.exec(text); hit; hit = pattern.exec(text)) {
    const line = lineAt(starts, hit.index);
    if (!take(line) || line + 1 >= starts.length) return;
    pattern.lastIndex = starts[line + 1];
  }
}

/** A text as a pattern for itself. @param {string} text */
function literally(text) {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

/**
 * Lines in which some characters one after the other may be spelt with these letters, as pinyin initials.
 * @param {Lines} lines
 * @param {string} letters
 * @param {(line: number) => boolean} take false to stop
 */
function everySpelt({ text, starts }, letters, take) {
  const { initials } = app.model;
  const n = letters.length;
  /** @type {Map<string, string>} */
  const known = new Map(Object.entries(initials));
  for (let at = 0; at + n <= text.length; at++) {
    let k = 0;
    while (k < n) {
      const c = text[at + k];
      if (c !== letters[k] && !(known.get(c) || "").includes(letters[k])) break;
      k++;
    }
    if (k < n) continue;
    const line = lineAt(starts, Math.max(0, at - 1));
    if (!take(line) || line + 1 >= starts.length) return;
    at = starts[line + 1];
  }
}

/** A name of the page with its initials, as an example. */
export function initialsExample() {
  const { units, initials } = app.model;
  for (const name of [...units.names].reverse()) {
    const letters = Array.from(/** @type {string} */ (name)).slice(0, 4).map((c) => (initials[c] || "")[0] || "");
    if (letters.length === 4 && letters.every(Boolean)) return { letters: letters.join(""), name };
  }
  return null;
}

/**
 * What fits a question, best first.
 * @param {string} question
 * @returns {Found[]}
 */
export function lookUp(question) {
  const q = question.trim().toLowerCase();
  if (!q) return [];
  const place = coordinatesIn(question, wholeBox());
  if (place) return [{ kind: "place", name: `${place.lon}, ${place.lat}`, at: -1, ...place }];
  finishIndex();
  /** @type {Map<string, Found>} */
  const out = new Map();
  /** @param {Part} part */
  const taker = (part) => (/** @type {number} */ at) => {
    const key = index.indexOf(part) + "/" + at;
    if (!out.has(key)) out.set(key, { name: part.nameOf(at), kind: part.kind, at, layer: part.layer });
    return out.size < MOST;
  };
  const plain = literally(q);
  const patterns = [new RegExp("\n" + plain, "g"), new RegExp(plain, "g")];
  if (/^\d+$/.test(q)) patterns.unshift(new RegExp("(?:^|\\D)0*" + plain + "(?!\\d)", "g"));
  for (const pattern of patterns) for (const part of index) if (out.size < MOST) everyLine(part.lines, pattern, taker(part));
  if (/^[a-z0-9]+$/.test(q)) for (const part of index) if (out.size < MOST) everySpelt(part.lines, q, taker(part));
  return [...out.values()];
}

/** The box with its list. */
export function searchBox() {
  const input = el("input", {
    id: "search", type: "search", role: "combobox", "aria-expanded": "false", "aria-controls": "search-list", "aria-autocomplete": "list", autocomplete: "off", spellcheck: "false",
    "aria-label": t("Search"), placeholder: t("Search name / pinyin initials / lon, lat"), oninput: () => show(input.value), onfocus: () => input.value && show(input.value), onkeydown: keys, onblur: () => setTimeout(close, 180),
  });
  return el("div", { class: "search" }, input, el("ul", { id: "search-list", role: "listbox", "aria-label": t("Found"), hidden: true }));
}

/** @param {string} question */
function show(question) {
  found = lookUp(question);
  active = -1;
  const list = byId("search-list");
  fill(list, found.map((f, i) => el("li", { id: "found-" + i, role: "option", "aria-selected": "false", onmousedown: (/** @type {Event} */ e) => {
    e.preventDefault();
    take(i);
  } }, el("span", { class: "name" }, nameFound(f)), el("small", null, about(f)))),
  found.length >= MOST ? el("li", { role: "option", "aria-disabled": "true", "aria-selected": "false", class: "empty" }, t("The first {n}; type more of the name", { n: MOST })) : null,
  !found.length && question.trim() ? el("li", { role: "option", "aria-disabled": "true", "aria-selected": "false", class: "empty" }, t("Nothing found")) : null);
  list.hidden = !question.trim();
  byId("search").setAttribute("aria-expanded", String(!list.hidden));
  byId("search").removeAttribute("aria-activedescendant");
  const live = byId("live");
  if (live) live.textContent = !question.trim() ? "" : found.length < MOST ? t("{n} found", { n: found.length }) : t("The first {n}; type more of the name", { n: MOST });
}

/** @param {Found} f */
function nameFound(f) {
  return f.kind === "item" ? itemName(f.layer, f.at) : f.name || t("(no name)");
}

/** @param {any} f */
function about(f) {
  if (f.kind === "place") return t("CGCS2000 coordinates");
  if (f.kind === "unit") {
    const { units } = app.model;
    return unitLevelOne(units.levels[units.level[f.at]]);
  }
  return [nameOf(f.layer), townOf(f.layer.unit[f.at])].filter(Boolean).join(" · ");
}

/** @param {KeyboardEvent} e */
function keys(e) {
  if (e.isComposing || e.keyCode === 229) return; // the key belongs to the input method
  if (e.key === "Escape") return close();
  if (e.key === "Enter") return void (found.length && take(Math.max(0, active)));
  if (e.key !== "ArrowDown" && e.key !== "ArrowUp") return;
  e.preventDefault();
  if (!found.length) return;
  active = (active + (e.key === "ArrowDown" ? 1 : -1) + found.length) % found.length;
  byId("search").setAttribute("aria-activedescendant", "found-" + active);
  for (let i = 0; i < found.length; i++) byId("found-" + i).setAttribute("aria-selected", String(i === active));
  byId("found-" + active).scrollIntoView({ block: "nearest" });
}

/** @param {number} i */
function take(i) {
  const f = found[i];
  close();
  byId("search").value = nameFound(f);
  if (f.kind === "place") return emit("goto", f);
  const gone = unhide({ kind: f.kind, layer: f.layer ? f.layer.id : "", at: f.at });
  emit("select", f.kind === "unit" ? { kind: "unit", at: f.at, go: true } : { kind: "item", layer: f.layer.id, at: f.at, go: true });
  if (gone.length) say(t("Taken off, since it hid what was looked for: {names}", { names: gone.join(t(", ")) }));
}

function close() {
  const list = byId("search-list");
  if (!list) return;
  list.hidden = true;
  byId("search").setAttribute("aria-expanded", "false");
}

on("ready", () => {
  if (!window.requestIdleCallback) return void setTimeout(finishIndex, 200);
  const go = (/** @type {IdleDeadline} */ left) => {
    while (left.timeRemaining() > 3) if (work.next().done) return;
    requestIdleCallback(go);
  };
  requestIdleCallback(go);
});
