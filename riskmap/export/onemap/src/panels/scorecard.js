// @ts-check
/** 考核: what the offices count, for the whole place or one reporting unit. */
import { app, byId, el, fill, nameOf, num, on, state, t } from "../model/core.js";

const own = { unit: "" };

/** Has the result a scorecard? */
export const hasScorecard = () => !!(app.model.scorecard && app.model.scorecard.length);

/** Draw the tab again. */
export function renderScorecard() {
  const node = byId("panel-scorecard");
  if (!node || state.tab !== "scorecard") return;
  const rows = app.model.scorecard;
  const units = [...new Set(rows.map((/** @type {any} */ r) => r.of))];
  const missed = (/** @type {any} */ r) => r.met === false;
  const shown = rows.filter((/** @type {any} */ r) => r.of === own.unit);
  fill(node,
    el("label", { class: "pick" }, t("Reporting unit"), el("select", { id: "scorecard-unit", onchange: (/** @type {any} */ e) => {
      own.unit = e.target.value;
      renderScorecard();
      byId("scorecard-unit").focus();
    } }, units.map((name) => el("option", { value: name, selected: name === own.unit }, name || t("The whole place"))))),
    el("p", { class: "hint", role: "status" }, t("{n} measures, {m} miss their target", { n: num(shown.length), m: num(shown.filter(missed).length) })),
    el("table", { class: "plain-table scorecard" },
      el("thead", null, el("tr", null, [t("Name of the measure"), t("Value"), t("Target")].map((name) => el("th", { scope: "col" }, name)))),
      el("tbody", null, [...shown].sort((a, b) => Number(missed(b)) - Number(missed(a))).map(line))));
}

/** One measure. @param {any} r */
function line(r) {
  const parts = r.below === null ? "" : `${num(r.top, 2)} / ${num(r.below, 2)}`;
  const blank = r.dark ? t("{n} not filled in", { n: num(r.dark) }) : "";
  const said = r.met === null ? "" : r.met ? t("met") : t("not met");
  return el("tr", null,
    el("th", { scope: "row" }, nameOf(r), el("small", null, [parts, blank].filter(Boolean).join(" · "))),
    el("td", null, r.value === null ? "—" : `${num(r.value, 4)} ${r.unit}`),
    el("td", null, r.target === null ? "" : num(r.target, 2), said && el("small", null, said)));
}

on("language tab", renderScorecard);
