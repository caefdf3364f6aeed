// @ts-check
/** The list as a file that spreadsheets open. */
import { nameOf, t } from "./core.js";
import { shown, unitWord } from "./items.js";
import { className, levelName } from "./palette.js";

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
    lines.push([t("Code"), t("Name"), t("Part of"), t("Index"), t("Class"), t("To refuge, straight line [m]"), t("Stability")]);
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
          return !field ? "" : field.column.num ? Number(field.column.num[r.row].toPrecision(9)) : shown(field, r.row);
        })]);
    }
  }
  return "\ufeff" + lines.map((line) => line.map(csvField).join(",")).join("\r\n") + "\r\n";
}
