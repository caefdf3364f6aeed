// @ts-check
/** Objects of the layers: their values as shown, filters, neighbours. */
import { app, figures, nameOf, num, state, t } from "../model/core.js";
import { insideShape, latitude, metres } from "./geo.js";
import { cellAt, cellCentre } from "./model.js";
import { className, levelName } from "../draw/labels.js";

/**
 * A field or list column of a layer, or null.
 * @param {any} layer
 * @param {string} name
 */
export function fieldOf(layer, name) {
  let found = byName.get(layer);
  if (!found) byName.set(layer, (found = new Map([...layer.fields, ...layer.extra].map((f) => [f.name, f]))));
  return found.get(name) || null;
}
/** @type {WeakMap<any, Map<string, any>>} */
const byName = new WeakMap();

const YES = () => ({ true: t("yes"), false: t("no"), True: t("yes"), False: t("no") });

/**
 * A value as the page shows it, "" when it is blank.
 * @param {any} field
 * @param {number} row
 */
export function shown(field, row) {
  const { num: numbers, text } = field.column;
  const unit = nameOf(field.unit);
  if (numbers) return Number.isFinite(numbers[row]) ? quantity(numbers[row], unit) : "";
  const raw = text(row, state.lang);
  if (!raw) return "";
  const choice = field.choices && field.choices[raw];
  if (choice) return nameOf(choice);
  const word = field.type === "boolean" || field.name === "overdue" || field.name === "demo" ? YES() : {};
  return (/** @type {any} */ (word)[raw] || raw) + (unit && /^[\d.,]+$/.test(raw) ? " " + unitWord(unit) : "");
}

/**
 * A number with its unit; long times in minutes.
 * @param {number} value
 * @param {string} unit
 */
export function quantity(value, unit) {
  if (unit === "s" && value >= 90) return num(value / 60, 1) + " " + t("min");
  const shown_ = Number.isInteger(value) ? num(value) : figures(value);
  const word = unitWord(unit);
  return word ? shown_ + (word === "%" ? "" : " ") + word : shown_;
}

/** How to tell that an object of a layer is on the list. @param {any} layer @returns {(row: number) => boolean} */
export function listTest(layer) {
  if (!layer.item) return () => false;
  const rank = fieldOf(layer, "rank");
  const places = rank && rank.column.num;
  return places ? (row) => Number.isFinite(places[row]) : () => true;
}

/** How many objects of a layer of the list stand in no list, being out of use or without dangerous goods. @param {any} layer */
export function unlisted(layer) {
  if (!layer.item || !layer.idle) return 0;
  if (layer.notListed === undefined) {
    const on = listTest(layer);
    layer.notListed = 0;
    for (let i = 0; i < layer.n; i++) if (!on(i)) layer.notListed++;
  }
  return layer.notListed;
}

/** Why, in words. @param {any} layer */
export function whyUnlisted(layer) {
  return fieldOf(layer, "has_storage") ? t("out of use or without dangerous goods") : t("out of use");
}

/** Units of measure in the page's language. @param {string} unit */
export function unitWord(unit) {
  const words = {
    m2: "m²",
    km2: "km²",
    m3: "m³",
    hm2: "hm²",
    "km/km2": "km/km²",
    "10k m3": t("10,000 m³"),
    CNY: t("yuan"),
    "10k CNY": t("10,000 yuan"),
    s: t("s"),
    h: t("h"),
    a: t("years"),
    floor: t("floors"),
    item: "",
    unit: "",
    level: "",
    "1/km2": t("per km²"),
    "person/km2": t("persons/km²"),
    "1/100 person": t("places per 100 persons"),
    person: t("persons"),
    persons: t("persons"),
    min: t("min"),
    d: t("days"),
    day: t("days"),
    year: t("years"),
    household: t("households"),
    "1": "",
  };
  const found = words[/** @type {keyof typeof words} */ (unit)];
  return found === undefined ? unit : found;
}

/** The name of an object, with its number where it has none. @param {any} layer @param {number} row */
export function itemName(layer, row) {
  return layer.name(row) || `${t("(no name)")} ${layer.idOf(row)}`;
}

const CLOSED = new Set(["closed", "signed off", "销号", "已销号"]);

/** Does an object pass the filter open / overdue? Resources, which have no state, always do. @param {any} layer @param {number} row */
export function matchesFilter(layer, row) {
  if (!state.filter) return true;
  const status = fieldOf(layer, "status");
  if (!status && !layer.item) return true;
  const word = status ? status.column.text && status.column.text(row, "zh") : "";
  if (!word) return false;
  if (state.filter === "open") return !CLOSED.has(word);
  return overdueTest(layer)(row);
}

/** How to tell that an object's deadline lies before the date of the data. @param {any} layer @returns {(row: number) => boolean} */
export function overdueTest(layer) {
  let test = late.get(layer);
  if (!test) late.set(layer, (test = lateness(layer)));
  return test;
}
/** @type {WeakMap<any, (row: number) => boolean>} */
const late = new WeakMap();
const NEVER = () => false;

/** How to tell that an object of a layer is overdue. @param {any} layer @returns {(row: number) => boolean} */
function lateness(layer) {
  const flag = textOf(layer, "overdue");
  if (flag) return (row) => /^(true|yes|1|是)$/i.test(flag(row, "zh"));
  const status = textOf(layer, "status");
  const deadline = textOf(layer, "deadline");
  const { date } = app.model.facts;
  if (!deadline || !date) return NEVER;
  return (row) => {
    if (status && CLOSED.has(status(row, "zh"))) return false;
    const day = deadline(row, "zh");
    return !!day && day.slice(0, 10) < date;
  };
}

/** The texts of a column, or null. @param {any} layer @param {string} name */
function textOf(layer, name) {
  const field = fieldOf(layer, name);
  return field ? field.column.text : null;
}

/** Do the layers carry control states? */
export function hasStates() {
  return app.model.things.some((/** @type {any} */ l) => fieldOf(l, "status"));
}

/**
 * The nearest objects of a layer to a place, straight line; those out of use are passed over.
 * @param {any} layer
 * @param {number} lon
 * @param {number} lat
 * @param {number} n
 */
export function nearest(layer, lon, lat, n) {
  const found = [];
  for (let i = 0; i < layer.n; i++) if (!layer.outOfUse.has(i)) found.push({ row: i, d: metres(lon, lat, layer.lon[i], layer.lat[i]) });
  found.sort((a, b) => a.d - b.d);
  return found.slice(0, n);
}

/**
 * Objects inside a cell, and areas that its middle lies in.
 * @param {number} cell
 */
export function itemsInCell(cell) {
  const [cx, cy] = cellCentre(cell);
  const reach = app.model.facts.size_m / (40075016 * Math.cos((latitude(cy) * Math.PI) / 180));
  const out = [];
  for (const layer of app.model.things) {
    const rows = [];
    const { x, y, n } = layer;
    for (let i = 0; i < n; i++) {
      const near = Math.abs(x[i] - cx) < reach && Math.abs(y[i] - cy) < reach && cellAt(x[i], y[i]) === cell;
      if (near || (layer.kind === "area" && insideShape(layer.shape, i, cx, cy))) rows.push(i);
    }
    if (rows.length) out.push({ layer, rows });
  }
  return out;
}

/**
 * Objects inside a unit.
 * @param {number} unit
 */
export function itemsWithin(unit) {
  const { model } = app;
  const level = model.units.level[unit];
  const out = [];
  for (const layer of model.things) {
    const rows = [];
    for (let i = 0; i < layer.n; i++) {
      const u = layer.unit[i];
      if (u >= 0 && model.units.above[level][u] === unit) rows.push(i);
    }
    if (rows.length) out.push({ layer, rows });
  }
  return out;
}

// The list as a file that spreadsheets open.

/**
 * One field of a CSV file, blank for an unknown number; a leading sign, also a full-width one, is
 * kept from being read as a formula.
 * @param {any} value
 */
function csvField(value) {
  let text = value === null || value === undefined || Number.isNaN(value) ? "" : String(value);
  if (typeof value !== "number" && /^\s*[=+\-@\uff1d\uff0b\uff0d\uff20]|^[\t\r\n]/.test(text)) text = "'" + text;
  return /[",\r\n]/.test(text) ? '"' + text.replace(/"/g, '""') + '"' : text;
}

/** A number as short as its column holds it: 0.85, not 0.850000024. @param {any} column @param {number} row */
function shortest(column, row) {
  const value = column[row];
  if (!(column instanceof Float32Array) || !Number.isFinite(value)) return Number(value.toPrecision(15));
  for (let digits = 1; digits < 7; digits++) if (Math.fround(Number(value.toPrecision(digits))) === value) return Number(value.toPrecision(digits));
  return Number(value.toPrecision(7));
}

/** Heading of a field with its unit, in which the file has bare numbers. @param {any} field */
function csvHead(field) {
  const unit = field.column.num ? unitWord(nameOf(field.unit)) : "";
  return nameOf(field) + (unit ? ` (${unit})` : "");
}

/**
 * The list as CSV text with a byte order mark.
 * @param {any[]} rows
 * @param {boolean} units units are listed, not objects
 * @param {string} townHead heading of the town
 */
export function csvText(rows, units, townHead) {
  /** @type {any[][]} */
  const lines = [];
  if (units) {
    lines.push([t("Code"), t("Name"), t("Part of"), t("Index"), t("Class"), t("People far from refuges"), t("Stability")]);
    for (const r of rows) lines.push([r.id, r.name, r.town, Number(r.score.toFixed(6)), className(r.level), Number.isFinite(r.refuge) ? Math.round(r.refuge) : "", Number.isFinite(r.sure) ? Number(r.sure.toFixed(3)) : ""]);
  } else {
    const names = [];
    const seen = new Set();
    for (const layer of new Set(rows.map((r) => r.layer))) for (const f of [...layer.extra, ...layer.fields]) if (!seen.has(f.name)) names.push(f), seen.add(f.name);
    lines.push([t("Number on the map"), t("Layer"), t("Name"), t("Level"), townHead, t("Longitude"), t("Latitude"), ...names.map(csvHead)]);
    for (const r of rows) {
      const fields = [...r.layer.extra, ...r.layer.fields];
      lines.push([r.id, nameOf(r.layer), r.layer.name(r.row), levelName(r.level), r.town, Number(r.layer.lon[r.row].toFixed(6)), Number(r.layer.lat[r.row].toFixed(6)),
        ...names.map((n) => {
          const field = fields.find((f) => f.name === n.name);
          return !field ? "" : field.column.num ? shortest(field.column.num, r.row) : shown(field, r.row);
        })]);
    }
  }
  return "\ufeff" + lines.map((line) => line.map(csvField).join(",")).join("\r\n") + "\r\n";
}
