// @ts-check
/** What changes against the baseline: units whose class rises or falls, and by how much. */
import { app, el, emit, num, score3, state, t } from "./core.js";
import { table } from "./model.js";
import { className, levelName, unitLevelName } from "./palette.js";
import { live, moved } from "./score.js";

const LONG = 40;

/**
 * Units of the finest level whose class changes, those that change most first.
 * @param {any} units
 * @param {number} [most]
 */
export function unitChanges(units, most = LONG) {
  const tab = table("unit");
  const now = live(tab);
  const start = table("unit", "").base;
  const level = units.levels.length - 1;
  const changed = units.rows[level].filter((/** @type {number} */ u) => now.cls[u] !== start.cls[u]);
  const rise = (/** @type {number} */ u) => Math.abs(now.score[u] - start.score[u]) || 0;
  const limit = changed.length > most ? Float64Array.from(changed, rise).sort()[changed.length - most] : 0;
  const first = changed.filter((/** @type {number} */ u) => rise(u) >= limit).sort((/** @type {number} */ a, /** @type {number} */ b) => rise(b) - rise(a));
  const title = el("h3", null, t("{n} of {m} {level} change class", { n: num(changed.length), m: num(units.rows[level].length), level: unitLevelName(units.levels[level]) }));
  if (!changed.length) return el("section", null, title, el("p", { class: "hint" }, moved() || state.scenario ? t("The order may change, the classes do not.") : t("The weights are those of the project.")));
  return el("section", { class: "changes" }, title, el("ul", { class: "things" }, first.slice(0, most).map((/** @type {number} */ u) => el("li", null,
    el("span", { class: now.cls[u] > start.cls[u] ? "up" : "down" }, now.cls[u] > start.cls[u] ? "▲" : "▼"),
    el("button", { class: "link", onclick: () => emit("select", { kind: "unit", at: u, go: true, stay: true }) }, units.names[u]),
    el("small", null, `${levelName(start.cls[u])} → ${levelName(now.cls[u])} · ${score3(start.score[u])} → ${score3(now.score[u])}`))),
    changed.length > most ? el("li", { class: "hint" }, t("{n} more in the list", { n: changed.length - most })) : null));
}

/** The overview's part about the scenario chosen. */
export function scenarioChanges() {
  return state.scenario && table("unit") !== table("unit", "") ? unitChanges(app.model.units, 12) : null;
}

/**
 * Class and index without the scenario, beside those shown now.
 * @param {any} tab
 * @param {"unit" | "cell"} kind
 * @param {number} row
 */
export function beforeAfter(tab, kind, row) {
  const before = table(kind, "");
  if (!before || before === tab) return null;
  const now = live(tab);
  const rise = now.score[row] - before.base.score[row];
  const sign = rise > 0.0005 ? "▲" : rise < -0.0005 ? "▼" : "";
  const same = Number.isFinite(rise) ? t("unchanged") : t("not comparable");
  return el("p", { class: "facts before" }, el("span", null, t("Without the scenario:")), el("span", { class: "tag pale" }, className(before.base.cls[row])),
    el("span", null, t("Index {score}", { score: score3(before.base.score[row]) })),
    el("span", { class: rise > 0 ? "up" : "down" }, sign ? `${sign} ${Math.abs(rise).toFixed(3)}` : same));
}
