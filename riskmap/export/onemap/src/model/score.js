// @ts-check
/** The index's arithmetic, the same as Python's. */
import { app, el, emit, nameOf, num, score3, state, t } from "./core.js";
import { earlier, inTown, loadTable, table, values } from "../data/model.js";
import { className, levelName, unitLevelName } from "../draw/labels.js";

const CLOSE = 1e-9;

/**
 * Aggregate columns, leaving out what is unknown.
 * @param {string} method
 * @param {ArrayLike<number>[]} columns
 * @param {number[]} weights
 * @param {number} n
 */
export function combine(method, columns, weights, n) {
  const out = new Float64Array(n);
  const total = new Float64Array(n);
  const logs = method === "geometric" || method === "product";
  if (method === "max") out.fill(-Infinity);
  for (let k = 0; k < columns.length; k++) {
    const w = weights[k];
    const column = columns[k];
    if (!(w > 0) && method !== "union") continue;
    for (let i = 0; i < n; i++) {
      const v = column[i];
      if (v !== v) continue;
      if (method === "union") {
        total[i] = 1;
        out[i] += (1 - out[i]) * w * v;
        continue;
      }
      total[i] += w;
      if (logs) out[i] += w * Math.log(v);
      else if (method === "harmonic") out[i] += w / v;
      else if (method === "max") out[i] = Math.max(out[i], v);
      else out[i] += w * v;
    }
  }
  for (let i = 0; i < n; i++) {
    if (!total[i]) out[i] = NaN;
    else if (method === "geometric") out[i] = Math.exp(out[i] / total[i]);
    else if (method === "product") out[i] = Math.exp(out[i]);
    else if (method === "harmonic") out[i] = total[i] / out[i];
    else if (method === "arithmetic") out[i] /= total[i];
  }
  return out;
}

/**
 * Weight of a code: as moved, else as given.
 * @param {any} tab
 * @param {string} code
 * @param {Record<string, number>} weights
 */
export function weightOf(tab, code, weights = state.weights) {
  const moved = weights[code];
  return moved === undefined ? tab.nodes.get(code).weight : moved;
}

/**
 * Scores of all groups of a table with these weights.
 * @param {any} tab
 * @param {Record<string, number>} weights
 * @returns {Record<string, Float64Array>}
 */
export function groupsOf(tab, weights) {
  /** @type {Record<string, any>} */
  const pool = {};
  /** @type {Record<string, string>} */
  const keys = {};
  for (const group of tab.tree.groups) {
    const given = group.children.map((/** @type {string} */ c) => weightOf(tab, c, weights));
    const key = given.join() + group.children.map((/** @type {string} */ c) => keys[c] || "").join("|");
    keys[group.code] = key;
    const kept = tab.cache.get(group.code);
    if (kept && kept.key === key) {
      pool[group.code] = kept.out;
      continue;
    }
    const columns = group.children.map((/** @type {string} */ c) => pool[c] || values(tab, c));
    const out = combine(group.method, columns, given, tab.n);
    if (group.low !== 0 || group.slope !== 1) for (let i = 0; i < tab.n; i++) out[i] = group.low + group.slope * out[i];
    tab.cache.set(group.code, { key, out });
    pool[group.code] = out;
  }
  return pool;
}

/**
 * Class of a score: 1 + number of limits below it.
 * @param {number} score
 * @param {number[]} breaks upper limits, inclusive
 */
export function classOf(score, breaks) {
  if (score !== score || !breaks.length) return 0;
  let c = 1;
  for (const limit of breaks) if (score > limit + CLOSE) c++;
  return c;
}

/** Have the weights been moved? */
export function moved() {
  return Object.keys(state.weights).length > 0;
}

/**
 * Scores and classes of a table as shown now.
 * @param {any} tab
 */
export function live(tab) {
  if (!moved() || !tab.ready || !tab.tree.exact) return tab.base;
  const key = JSON.stringify(state.weights);
  if (tab.liveKey === key) return tab.live;
  const groups = groupsOf(tab, state.weights);
  const score = groups[tab.tree.root];
  const cls = new Uint8Array(tab.n);
  const { breaks } = tab.tree;
  const before = tab.exact ? null : baseRoot(tab);
  for (let i = 0; i < tab.n; i++) {
    cls[i] = before && Math.abs(score[i] - before[i]) < 4e-5 ? tab.base.cls[i] : Math.max(classOf(score[i], breaks), flagged(tab, i));
  }
  tab.liveKey = key;
  tab.live = { score, cls, groups };
  return tab.live;
}

/**
 * The class that a red flag gives a row whatever its score, 0 for none.
 * @param {any} tab
 * @param {number} i
 */
function flagged(tab, i) {
  const given = tab.base.cls[i];
  return given > classOf(tab.base.score[i], tab.tree.breaks) && (tab.exact || given > classOf(tab.base.score[i] + 4e-5, tab.tree.breaks)) ? given : 0;
}

/**
 * Scores with the given weights from the quantised indicators.
 * @param {any} tab
 */
function baseRoot(tab) {
  if (!tab.baseRoot) tab.baseRoot = groupsWithout(tab)[tab.tree.root];
  return tab.baseRoot;
}

/**
 * Scores of a group now.
 * @param {any} tab
 * @param {string} code
 */
export function groupNow(tab, code) {
  if (code === tab.tree.root) return live(tab).score;
  return toldOf(tab, groupsOf(tab, tab.tree.exact ? state.weights : {}), code);
}

/**
 * Scores of a part of the index, a group or an indicator without one; unknown where an edition withholds it.
 * @param {any} tab
 * @param {Record<string, Float64Array>} groups
 * @param {string} code
 */
function toldOf(tab, groups, code) {
  return groups[code] || (tab.values[code] ? values(tab, code) : new Float64Array(tab.n).fill(NaN));
}

/** Is there no index at all, since all weights of a group are zero? @param {any} tab */
export function noIndex(tab) {
  return moved() && tab.tree.exact && !live(tab).score.some((/** @type {number} */ v) => v === v);
}

/**
 * What a table is compared with: under a scenario the same without it, with the weights as they stand; else the
 * same with the weights of the project, or the earlier result.
 * @param {any} tab
 */
export function reference(tab) {
  const plain = table(tab.kind, "");
  return plain && plain !== tab ? live(plain) : (tab.kind === "unit" && earlier()) || tab.base;
}

/**
 * Classes on the left of a comparison: without scenario and with the project's weights, of what is shown.
 * @param {"unit" | "cell"} kind
 * @returns {Uint8Array | null}
 */
export function classesBefore(kind) {
  const tab = table(kind, "");
  if (!tab) return null;
  const old = earlier();
  if (old) return kind === "unit" ? old.cls : tab.base.cls;
  if (!state.view || !tab.ready) return tab.base.cls;
  tab.firstView = tab.firstView || {};
  if (!tab.firstView[state.view]) {
    const score = state.view === tab.tree.root ? tab.base.score : toldOf(tab, groupsWithout(tab), state.view);
    tab.firstView[state.view] = Uint8Array.from(score, (v) => classOf(v, QUARTERS));
  }
  return tab.firstView[state.view];
}

/** Scores of all groups with the project's weights. @param {any} tab */
function groupsWithout(tab) {
  const kept = tab.cache;
  tab.cache = new Map();
  const out = groupsOf(tab, {});
  tab.cache = kept;
  return out;
}

/** Quarters of a component that has no classes of its own. */
export const QUARTERS = [0.25, 0.5, 0.75];

/**
 * Class, score and limits of what the surface shows: the risk, or one component.
 * @param {any} tab
 */
export function shownOf(tab) {
  if (!state.view || !tab.ready) {
    const now = live(tab);
    return { cls: now.cls, breaks: tab.tree.breaks, get score() { return now.score; } }; // the scores of cells come later than their classes
  }
  const key = state.view + JSON.stringify(state.weights);
  if (tab.viewKey !== key) {
    const score = groupNow(tab, state.view);
    const cls = new Uint8Array(tab.n);
    for (let i = 0; i < tab.n; i++) cls[i] = classOf(score[i], QUARTERS);
    tab.viewKey = key;
    tab.viewed = { score, cls, breaks: QUARTERS };
  }
  return tab.viewed;
}

/** Have what the moved weights or the chosen component need. */
export async function prepare() {
  for (const kind of /** @type {("unit" | "cell")[]} */ (["unit", "cell"])) {
    const tab = table(kind);
    if (tab && !tab.ready) await loadTable(tab);
  }
}

/** So many of the worst are kept; of more rows than that the best are sifted out before they are sorted. */
const [MOST, SIFTED] = [60, 500];
const worst = { key: "", all: /** @type {number[]} */ ([]) };

/**
 * The units of the finest level that are worst of all, of larger or major risk, within the filtered town.
 * @param {number} n
 */
export function worstUnits(n) {
  const tab = table("unit");
  if (!tab) return [];
  const { units } = app.model;
  const { score, cls } = shownOf(tab);
  const key = [state.scenario, state.town, state.view, JSON.stringify(state.weights), tab.ready].join("/");
  if (worst.key !== key) {
    worst.key = key;
    const finest = units.rows[units.levels.length - 1];
    let major = 0;
    for (const u of finest) if (cls[u] === 4 && inTown(u)) major++;
    const floor = major >= MOST ? 4 : 3;
    const rows = finest.filter((/** @type {number} */ u) => cls[u] >= floor && inTown(u));
    const weight = (/** @type {number} */ u) => 1e3 * cls[u] + (score[u] || 0);
    const least = rows.length > SIFTED ? Float64Array.from(rows, weight).sort()[rows.length - MOST] : -Infinity;
    worst.all = rows.filter((/** @type {number} */ u) => weight(u) >= least).sort((/** @type {number} */ a, /** @type {number} */ b) => cls[b] - cls[a] || score[b] - score[a]).slice(0, MOST);
  }
  return worst.all.slice(0, n);
}

/**
 * Parts of a row's score by component; they sum to the score.
 * @param {any} tab
 * @param {number} row
 */
export function partsOf(tab, row) {
  const { root } = tab.tree;
  const group = tab.tree.groups.find((/** @type {any} */ g) => g.code === root);
  if (!group || !tab.ready) return [];
  const groups = groupsOf(tab, tab.tree.exact ? state.weights : {});
  const children = group.children.map((/** @type {string} */ code) => {
    const column = groups[code] || values(tab, code);
    return { code, value: column[row], weight: weightOf(tab, code) };
  });
  const known = children.filter((/** @type {any} */ c) => c.value === c.value && c.weight > 0);
  const score = live(tab).score[row];
  const total = known.reduce((/** @type {number} */ s, /** @type {any} */ c) => s + c.weight, 0);
  const reference = tab.tree.reference;
  let shares = known.map((/** @type {any} */ c) => share(group.method, c, reference));
  let sum = shares.reduce((/** @type {number} */ s, /** @type {number} */ v) => s + v, 0);
  if (sum <= 0) {
    shares = known.map((/** @type {any} */ c) => c.weight);
    sum = total;
  }
  known.forEach((/** @type {any} */ c, /** @type {number} */ i) => (c.part = (score * shares[i]) / sum));
  return children;
}

/**
 * Unscaled share of one component, as `riskmap.index.steps` splits a score.
 * @param {string} method
 * @param {any} child
 * @param {number} reference the value that counts as nothing
 */
function share(method, child, reference) {
  if (method !== "geometric" && method !== "product") return child.weight * child.value;
  return child.value > reference ? child.weight * Math.log(child.value / reference) : 0;
}

/**
 * Number of rows whose class the moved weights change, within the filtered town.
 * @param {any} tab
 * @param {(row: number) => number} unitOf
 */
export function changes(tab, unitOf) {
  const now = live(tab).cls;
  const was = tab.base.cls;
  let up = 0;
  let down = 0;
  for (let i = 0; i < tab.n; i++) {
    if (now[i] === was[i] || !inTown(unitOf(i))) continue;
    if (now[i] > was[i]) up++;
    else if (now[i] < was[i]) down++;
  }
  return { up, down };
}

/** Unit id -> score, as outside checks read it. */
export function unitScores() {
  const tab = table("unit");
  const { score } = live(tab);
  return Object.fromEntries(app.model.units.ids.map((/** @type {string} */ id, /** @type {number} */ i) => [id, score[i]]));
}

// What changes against the baseline: units whose class rises or falls, and by how much.

const LONG = 40;

/**
 * Units of the finest level whose class changes, those that change most first.
 * @param {any} units
 * @param {number} [most]
 * @param {any} [start] what they are compared with
 * @param {(unit: number) => string} [why] a sentence for each
 */
export function unitChanges(units, most = LONG, start = table("unit").base, why = () => "") {
  const tab = table("unit");
  const now = live(tab);
  const level = units.levels.length - 1;
  const rows = units.rows[level].filter(inTown);
  const then = start === app.model.earlier;
  const changed = rows.filter((/** @type {number} */ u) => now.cls[u] !== start.cls[u] && (!then || (start.cls[u] && now.cls[u])));
  const rise = (/** @type {number} */ u) => Math.abs(now.score[u] - start.score[u]) || 0;
  const limit = changed.length > most ? Float64Array.from(changed, rise).sort()[changed.length - most] : 0;
  const first = changed.filter((/** @type {number} */ u) => rise(u) >= limit).sort((/** @type {number} */ a, /** @type {number} */ b) => rise(b) - rise(a));
  const title = el("h3", null, t("{n} of {m} {level} change class", { n: num(changed.length), m: num(rows.length), level: unitLevelName(units.levels[level]) }));
  if (!changed.length) return el("section", null, title, el("p", { class: "hint" }, moved() || state.scenario || then ? t("The order may change, the classes do not.") : t("The weights are those of the project.")));
  return el("section", { class: "changes" }, title, el("ul", { class: "things" }, first.slice(0, most).map((/** @type {number} */ u) => el("li", null,
    el("span", { class: now.cls[u] > start.cls[u] ? "up" : "down" }, now.cls[u] > start.cls[u] ? "▲" : "▼"),
    el("button", { class: "link", onclick: () => emit("select", { kind: "unit", at: u, go: true, stay: true }) }, units.names[u]),
    el("small", null, `${levelName(start.cls[u])} → ${levelName(now.cls[u])} · ${score3(start.score[u])} → ${score3(now.score[u])}`),
    why(u) ? el("small", { class: "reason" }, why(u)) : null)),
    changed.length > most ? el("li", { class: "hint" }, t("{n} more in the list", { n: changed.length - most })) : null));
}

/** The overview's part about the earlier result. */
function earlierChanges() {
  const old = earlier();
  return old && el("section", { id: "since" }, el("h3", null, t("Since {name}", { name: old.name })),
    old.items.length ? el("p", { class: "hint" }, t("Items: {list}", { list: old.items.map((/** @type {any} */ k) => `${nameOf(k)} ${num(k.n)}`).join(t(", ")) })) : null,
    old.scale ? null : el("p", { class: "hint", id: "other-scale" }, t("Goalposts or class limits of the two results differ, so a class may change although the place does not.")),
    unitChanges(app.model.units, 12, old));
}

/** So many units that a scenario changes stand with their reason. */
const TOLD = 5;

/** The overview's part about the scenario chosen, or about the earlier result. @param {(unit: number) => string} why */
export function scenarioChanges(why) {
  if (earlier()) return earlierChanges();
  return state.scenario && table("unit") !== table("unit", "") ? unitChanges(app.model.units, moved() ? 12 : TOLD, live(table("unit", "")), why) : null;
}

/**
 * Class and index without the scenario, beside those shown now.
 * @param {any} tab
 * @param {"unit" | "cell"} kind
 * @param {number} row
 */
export function beforeAfter(tab, kind, row) {
  const before = table(kind, "");
  const old = kind === "unit" ? earlier() : null;
  if (!old && (!before || before === tab)) return null;
  const now = live(tab);
  const was = old || live(before);
  const rise = now.score[row] - was.score[row];
  const sign = rise > 0.0005 ? "▲" : rise < -0.0005 ? "▼" : "";
  const same = Number.isFinite(rise) ? t("unchanged") : t("not comparable");
  return el("p", { class: "facts before" }, el("span", null, old ? t("On {name}:", { name: old.name }) : t("Without the scenario:")), el("span", { class: "tag pale" }, className(was.cls[row])),
    el("span", null, t("Index {score}", { score: score3(was.score[row]) })),
    el("span", { class: rise > 0 ? "up" : "down" }, sign ? `${sign} ${Math.abs(rise).toFixed(3)}` : same));
}
