// @ts-check
/** Details of an object: whom to phone, its control entry, its place on the list, its ledger. */
import { app, el, nameOf, t } from "./core.js";
import { loadBlocks, read } from "./data.js";
import { fieldOf, itemName, overdueTest, shown } from "./items.js";
import { around, chip, coordinates, path, unused } from "./links.js";
import { table } from "./model.js";
import { inkOn, levelName, unitLevelOne } from "./palette.js";
import { itemColour } from "./points.js";
import { live } from "./score.js";
import { symbolIcon } from "./symbols.js";

const CONTACT = ["duty_unit", "person", "phone"];
const CONTROL = ["status", "deadline", "control_tier", "listed", "closed_on", "patrol_days", "measure", "emergency", "missing", "overdue"];

/** @param {any} layer @param {number} row */
export function itemDetail(layer, row) {
  const { units } = app.model;
  const level = layer.level[row];
  const colour = itemColour(layer, row);
  return [
    el("h3", { class: "title" }, symbolIcon(layer.symbol, colour), itemName(layer, row)),
    el("p", { class: "facts" }, el("span", { class: "tag pale" }, nameOf(layer)), level ? el("span", { class: "tag", style: `background:${colour};color:${inkOn(colour)}` }, levelName(level)) : null,
      overdueTest(layer)(row) ? el("span", { class: "tag late" }, t("Overdue")) : null),
    el("p", { class: "facts" }, el("span", null, layer.unit[row] >= 0 ? path(layer.unit[row]) : t("outside all units")), el("span", null, t("No. {id}", { id: layer.ids[row] })), coordinates(layer.lon[row], layer.lat[row])),
    layer.unit[row] >= 0 && table("unit") ? el("p", { class: "facts" }, t("Risk of the {level}:", { level: unitLevelOne(units.levels[units.level[layer.unit[row]]]) }), chip(live(table("unit")).cls[layer.unit[row]])) : null,
    unused(layer, row) && el("p", { class: "facts" }, unused(layer, row)),
    contact(layer, row),
    photo(layer, row),
    part(layer, row, t("Control"), layer.extra.filter((/** @type {any} */ f) => CONTROL.includes(f.name))),
    part(layer, row, t("On the list"), layer.extra.filter((/** @type {any} */ f) => !CONTROL.includes(f.name) && !CONTACT.includes(f.name))),
    part(layer, row, t("Ledger"), layer.fields.filter((/** @type {any} */ f) => !CONTACT.includes(f.name) && !layer.extra.some((/** @type {any} */ e) => e.name === f.name))),
    around(layer.lon[row], layer.lat[row], layer),
    layer.source ? el("p", { class: "hint" }, t("From {file}, row {row}", { file: layer.source.file(row), row: layer.source.row[row] })) : null,
  ];
}

/** Who answers for it; the public edition has none of this. @param {any} layer @param {number} row */
function contact(layer, row) {
  const [unit, person, phone] = CONTACT.map((name) => {
    const field = fieldOf(layer, name);
    return field ? shown(field, row) : "";
  });
  if (!unit && !person && !phone) return null;
  return el("div", { class: "contact" }, el("div", null, unit ? el("div", null, unit) : null, person ? el("b", null, person) : null), phone ? phones(phone) : null);
}

/** Phone numbers as links. @param {string} value */
function phones(value) {
  const number = value.replace(/[^\d+*#-]/g, "");
  return /^\+?[\d-]{5,}$/.test(number) ? el("a", { class: "call", href: "tel:" + number, "aria-label": t("Phone {number}", { number: value }) }, value) : el("span", null, value);
}

/** A picture that the page carries; it is unpacked now. @param {any} layer @param {number} row */
function photo(layer, row) {
  const kept = layer.photo;
  const which = kept ? read(kept.of)[row] : 0;
  if (!which) return null;
  const picture = el("img", { class: "photo", alt: t("Photo of {name}", { name: itemName(layer, row) }) });
  loadBlocks([kept.bytes.b]).then(() => {
    const sizes = Array.from(read(kept.sizes));
    const from = sizes.slice(0, which - 1).reduce((a, b) => a + b, 0);
    const raw = read(kept.bytes).subarray(from, from + sizes[which - 1]);
    const url = URL.createObjectURL(new Blob([raw], { type: "image/" + kept.kinds[which - 1] }));
    picture.onload = () => URL.revokeObjectURL(url);
    picture.src = url;
  });
  return picture;
}

/** A named part of the fields. @param {any} layer @param {number} row @param {string} name @param {any[]} fields */
function part(layer, row, name, fields) {
  const lines = fields.map((field) => [nameOf(field), shown(field, row)]).filter(([, value]) => value);
  if (!lines.length) return null;
  return el("section", null, el("h4", null, name), el("table", { class: "plain-table fields" }, el("tbody", null, lines.map(([head, value]) => el("tr", null, el("th", { scope: "row" }, head), el("td", null, value))))));
}
