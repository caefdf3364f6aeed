// @ts-check
/** Search by part of a name, pinyin initials, town, number or coordinates. */
import { app, byId, el, emit, fill, nameOf, on, t } from "./core.js";
import { townOf } from "./list.js";
import { unitLevelOne } from "./palette.js";

const MOST = 30;
/** @type {{text: string, name: string, kind: string, at: number, layer?: any}[]} */
let index = [];
let active = -1;
/** @type {any[]} */
let found = [];

function buildIndex() {
  const { units, things } = app.model;
  index = [];
  for (let u = 0; u < units.n; u++) index.push({ text: (units.names[u] + " " + units.ids[u]).toLowerCase(), name: units.names[u], kind: "unit", at: u });
  for (const layer of things) for (let i = 0; i < layer.n; i++) index.push({ text: (layer.name(i) + " " + layer.ids[i]).toLowerCase(), name: layer.name(i), kind: "item", at: i, layer });
}

/**
 * Do these letters stand in the name as pinyin initials?
 * @param {string} name
 * @param {string} letters
 */
export function matchesInitials(name, letters) {
  const { initials } = app.model;
  const n = letters.length;
  for (let from = 0; from + n <= name.length; from++) {
    let i = 0;
    for (; i < n; i++) {
      const c = name[from + i];
      const options = initials[c] || c.toLowerCase();
      if (!options.includes(letters[i])) break;
    }
    if (i === n) return true;
  }
  return false;
}

/**
 * Coordinates typed in as "lon, lat" (or the other way round, where that is the only reading).
 * @param {string} text
 */
export function coordinatesIn(text) {
  const m = /^\s*(-?\d{1,3}(?:\.\d+)?)\s*[,,\s]\s*(-?\d{1,3}(?:\.\d+)?)\s*$/.exec(text);
  if (!m) return null;
  const [a, b] = [Number(m[1]), Number(m[2])];
  if (Math.abs(b) <= 90 && Math.abs(a) <= 180 && !(Math.abs(a) <= 60 && Math.abs(b) > 70)) return { lon: a, lat: b };
  return Math.abs(a) <= 90 && Math.abs(b) <= 180 ? { lon: b, lat: a } : null;
}

/**
 * What fits a question, best first.
 * @param {string} question
 */
export function lookUp(question) {
  const q = question.trim().toLowerCase();
  if (!q) return [];
  const place = coordinatesIn(question);
  if (place) return [{ kind: "place", name: `${place.lon}, ${place.lat}`, ...place }];
  if (!index.length) buildIndex();
  const letters = /^[a-z0-9]+$/.test(q);
  const first = [];
  const then = [];
  for (const entry of index) {
    const at = entry.text.indexOf(q);
    if (at === 0) first.push(entry);
    else if (at > 0 || (letters && matchesInitials(entry.name, q))) then.push(entry);
    if (first.length >= MOST) break;
  }
  return [...first, ...then].slice(0, MOST);
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
  } }, el("span", { class: "name" }, f.name || t("(no name)")), el("small", null, about(f)))),
  !found.length && question.trim() ? el("li", { role: "option", "aria-disabled": "true", "aria-selected": "false", class: "empty" }, t("Nothing found")) : null);
  list.hidden = !question.trim();
  byId("search").setAttribute("aria-expanded", String(!list.hidden));
  byId("search").removeAttribute("aria-activedescendant");
  const live = byId("live");
  if (live) live.textContent = question.trim() ? t("{n} found", { n: found.length }) : "";
}

/** @param {any} f */
function about(f) {
  if (f.kind === "place") return t("Coordinates");
  if (f.kind === "unit") {
    const { units } = app.model;
    return unitLevelOne(units.levels[units.level[f.at]]);
  }
  return [nameOf(f.layer), townOf(f.layer.unit[f.at])].filter(Boolean).join(" · ");
}

/** @param {KeyboardEvent} e */
function keys(e) {
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
  byId("search").value = f.name;
  if (f.kind === "place") emit("goto", f);
  else emit("select", f.kind === "unit" ? { kind: "unit", at: f.at, go: true } : { kind: "item", layer: f.layer.id, at: f.at, go: true });
}

function close() {
  const list = byId("search-list");
  if (!list) return;
  list.hidden = true;
  byId("search").setAttribute("aria-expanded", "false");
}

on("model", () => (index = []));
