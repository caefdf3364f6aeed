// @ts-check
/** The page's frame: header, panels, tabs, what stands on the map's edges. */
import { icon } from "../draw/symbols.js";
import { app, byId, el, emit, fill, isPhone, nameOf, num, on, say, state, t } from "../model/core.js";
import { searchBox } from "./search.js";

/** 考核: what the offices count, for the whole place or one reporting unit. */

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
    el("td", null, r.value === null ? (r.below === 0 ? t("nothing to count") : t("unknown")) : `${num(r.value, 4)} ${r.unit}`),
    el("td", null, r.target === null ? "" : num(r.target, 2), said && el("small", null, said)));
}

on("language tab", renderScorecard);

/** The tabs of this result. */
export const tabNames = () => ["overview", "list", ...(hasScorecard() ? ["scorecard"] : []), "whatif", "detail"];
const names = () => ({ overview: t("Overview"), list: t("List"), scorecard: t("Scorecard"), whatif: t("What-if"), detail: t("Details") });

/** Build the frame around folium's map. */
export function buildFrame() {
  const carrier = /** @type {HTMLElement} */ (document.getElementById("map_riskmap"));
  document.body.append(
    el("a", { href: "#panel-overview", class: "skip", onclick: (/** @type {Event} */ e) => {
      e.preventDefault();
      openTab("overview", true);
    } }, "↦"),
    el("header", { id: "top" }),
    el("div", { id: "banner", hidden: true }),
    el("div", { id: "work" },
      el("aside", { id: "left" }),
      el("main", { id: "stage" }, carrier, el("div", { id: "furniture" }), el("div", { id: "chips", role: "group", hidden: true }), el("div", { id: "toast", "aria-hidden": "true" }), el("div", { id: "tip", hidden: true, "aria-hidden": "true" })),
      el("aside", { id: "right" })),
    el("div", { id: "live", class: "hidden", role: "status", "aria-live": "polite" }),
    el("div", { id: "paper", "aria-hidden": "true" }),
  );
  renderFrame();
}

/** Draw header, tabs and edges again. */
export function renderFrame() {
  const held = document.activeElement && document.activeElement.id;
  closeMore();
  document.documentElement.lang = state.lang === "zh" ? "zh-CN" : "en";
  header();
  banner();
  tabs();
  furniture();
  byId("left").setAttribute("aria-label", t("Layers"));
  byId("right").setAttribute("aria-label", t("Figures and details"));
  byId("stage").setAttribute("aria-label", t("Map"));
  byId("chips").setAttribute("aria-label", t("What is set"));
  byId("map_riskmap").setAttribute("aria-label", t("Map; the list says the same in words"));
  byId("map_riskmap").setAttribute("role", "application");
  const again = held && document.activeElement === document.body ? byId(held) : null;
  if (again) again.focus();
}

/**
 * A button of the header.
 * @param {string} id
 * @param {any} sign
 * @param {string} name
 * @param {() => void} act
 * @param {boolean} [pressed]
 */
function tool(id, sign, name, act, pressed) {
  return el("button", { id: "tool-" + id, class: "tool", title: name, "aria-pressed": pressed === undefined ? null : String(pressed), onclick: act }, icon(sign), el("span", null, name));
}

function header() {
  const { model } = app;
  fill(byId("top"),
    el("button", { id: "tool-layers", class: "tool", "aria-label": t("Layers"), title: t("Layers"), "aria-expanded": String(document.body.classList.contains("left-open")), onclick: () => emit("left") }, icon("layers")),
    el("h1", { title: model.facts.name }, model.facts.name),
    scenarios(),
    searchBox(),
    el("div", { class: "tools", role: "toolbar", "aria-label": t("Tools") },
      tool("compare", "compare", t("Compare"), () => emit("compare"), state.compare),
      moreTools(
        tool("measure", "measure", t("Measure"), () => emit("measure"), app.measuring),
        tool("png", "png", "PNG", () => emit("png")),
        tool("print", "print", t("Print"), () => emit("print")),
        tool("link", "link", t("Link"), () => emit("link")),
        tool("screen", "screen", t("Big screen"), () => emit("screen"), document.body.classList.contains("big")),
        tool("about", "about", t("Method"), () => emit("about")),
        tool("help", "help", t("Help"), () => emit("help"))),
      el("button", { id: "tool-lang", class: "tool lang", lang: state.lang === "zh" ? "en" : "zh", title: state.lang === "zh" ? "English" : "中文", onclick: () => emit("setLanguage", state.lang === "zh" ? "en" : "zh") }, state.lang === "zh" ? "EN" : "中文")));
}

/** The scenarios that have an index or a plan of their own, as radios. */
export function scenarioNames() {
  const keys = Object.keys(app.model.tables).filter((k) => k.includes("@")).map((k) => k.slice(k.indexOf("@") + 1));
  const plans = app.model.plans.map((/** @type {any} */ p) => (p.n ? p.scenario(0) : ""));
  return [...new Set([...keys, ...plans])].filter(Boolean);
}

function scenarios() {
  const list = scenarioNames();
  if (!list.length) return null;
  const group = el("div", { class: "radios", role: "radiogroup", "aria-label": t("Scenario") }, ["", ...list].map((name) => el("button", {
    role: "radio", title: name || t("Baseline"), "aria-checked": String(state.scenario === name), tabindex: state.scenario === name ? 0 : -1, "data-scenario": name, onclick: () => emit("setScenario", name) }, name || t("Baseline"))));
  group.addEventListener("keydown", (/** @type {KeyboardEvent} */ e) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[e.key];
    if (!step) return;
    e.preventDefault();
    const all = ["", ...list];
    const next = all[(all.indexOf(state.scenario) + step + all.length) % all.length];
    emit("setScenario", next);
    const now = group.querySelector(`[data-scenario="${CSS.escape(next)}"]`);
    if (now) /** @type {HTMLElement} */ (now).focus();
  });
  const pick = el("select", { id: "scenario", "aria-label": t("Scenario"), onchange: () => emit("setScenario", pick.value) },
    ["", ...list].map((name) => el("option", { value: name, selected: name === state.scenario }, name || t("Baseline"))));
  return el("div", { class: "scenarios" + (list.length > 3 ? " many" : "") }, group, pick);
}

function banner() {
  const { facts } = app.model;
  const node = byId("banner");
  const said = [];
  if (facts.demo) said.push([t("Demo data"), t("The ledgers are made up for demonstration; not for decisions.")]);
  if (facts.sketch) said.push([t("Sketch areas"), t("Units without boundary show the land nearest to a point each; these are no boundaries.")]);
  node.hidden = !said.length;
  node.setAttribute("role", "region");
  node.setAttribute("aria-label", said.map((part) => part[0]).join(" · "));
  fill(node, said.length ? said.flatMap(([head, body], n) => [n ? " · " : "", el("b", null, head), " ", body]) : null);
}

function tabs() {
  const all = tabNames();
  const list = el("div", { role: "tablist", id: "tabs", "aria-label": t("Figures and details") }, all.map((name) => el("button", {
    role: "tab", id: "tab-" + name, "aria-controls": "panel-" + name, "aria-selected": String(state.tab === name), tabindex: state.tab === name ? 0 : -1, onclick: () => openTab(name) },
    /** @type {any} */ (names())[name])));
  list.addEventListener("keydown", (/** @type {KeyboardEvent} */ e) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[e.key];
    const to = step ? all[(all.indexOf(state.tab) + step + all.length) % all.length] : e.key === "Home" ? all[0] : e.key === "End" ? all[all.length - 1] : "";
    if (!to) return;
    e.preventDefault();
    openTab(to);
    byId("tab-" + to).focus();
  });
  fill(byId("right"), el("h2", { class: "hidden" }, t("Figures and details")), el("button", { id: "grip", "aria-label": t("Make the panel larger or smaller"), onclick: () => emit("grip") }, el("i")), list,
    all.map((name) => el("section", { role: "tabpanel", id: "panel-" + name, class: "panel", "aria-labelledby": "tab-" + name, tabindex: 0, hidden: state.tab !== name })));
}

/**
 * Show a tab.
 * @param {string} name
 * @param {boolean} [focus]
 */
export function openTab(name, focus = false) {
  if (!tabNames().includes(name)) return;
  state.tab = name;
  for (const tab of tabNames()) {
    byId("tab-" + tab).setAttribute("aria-selected", String(tab === name));
    byId("tab-" + tab).tabIndex = tab === name ? 0 : -1;
    byId("panel-" + tab).hidden = tab !== name;
  }
  if (focus) byId("tab-" + name).focus();
  if (isPhone() && name === "list") document.body.dataset.sheet = "tall";
  else if (isPhone() && document.body.dataset.sheet === "low") document.body.dataset.sheet = "half";
  emit("tab");
}

/** What stands on the edges of the map. */
function furniture() {
  const { facts } = app.model;
  fill(byId("furniture"),
    el("div", { class: "zoom" },
      el("button", { "aria-label": t("Zoom in"), title: t("Zoom in"), onclick: () => app.map.zoomIn(1) }, "+"),
      el("button", { "aria-label": t("Zoom out"), title: t("Zoom out"), onclick: () => app.map.zoomOut(1) }, "−"),
      el("button", { id: "home", "aria-label": t("Show the whole area"), title: t("Show the whole area"), onclick: () => emit("home") }, icon("home"))),
    el("div", { class: "north", role: "img", "aria-label": t("North is up") }, "N", el("i")),
    el("div", { id: "mini", class: "mini" }),
    el("div", { id: "time", class: "time", role: "group", "aria-label": t("Time"), hidden: true }),
    el("div", { id: "measure-box", role: "status", hidden: true }),
    el("div", { class: "foot" },
      el("div", { id: "scale", "aria-hidden": "true" }),
      el("div", { id: "review", class: facts.review ? "reviewed" : null }, reviewText()),
      el("div", { id: "where", "aria-hidden": "true" }, facts.date ? t("Data of {date}", { date: facts.date }) : "")));
  emit("furniture");
}

/** The line about the map's review, lower left. */
export function reviewText() {
  const { facts } = app.model;
  return facts.review ? t("Map review number {n}", { n: facts.review }) : t("Not reviewed; not to be published");
}

/** A bar of round length and its text. @param {number} metresPerPixel */
export function scaleBar(metresPerPixel, most = 110) {
  const far = metresPerPixel * most;
  const power = 10 ** Math.floor(Math.log10(far));
  const lead = [5, 2, 1].find((n) => n * power <= far) || 1;
  const length = lead * power;
  return { width: length / metresPerPixel, text: length >= 1000 ? length / 1000 + " km" : length + " m" };
}

/** Ground metres of one pixel in the middle of the map. */
export function metresPerPixel(map = app.map, zoom = app.map.getZoom()) {
  return (40075016.686 * Math.cos((map.getCenter().lat * Math.PI) / 180)) / (256 * 2 ** zoom);
}

function drawScale() {
  const bar = scaleBar(metresPerPixel() * app.scale);
  fill(byId("scale"), el("i", { style: `width:${bar.width}px` }), bar.text);
}

on("openTab", openTab);
on("scenario", () => byId("scenario") && (byId("scenario").value = state.scenario));
on("moved furniture", drawScale);
on("tab", () => say(""));

// The tools that a narrow screen keeps in a menu.

/**
 * The tools, open on wide screens, behind a button on narrow ones.
 * @param {...HTMLElement} tools
 */
export function moreTools(...tools) {
  const box = el("div", { id: "more", role: "group", "aria-label": t("More") }, tools);
  box.addEventListener("click", (/** @type {Event} */ e) => /** @type {HTMLElement} */ (e.target).closest("button") && closeMore());
  const button = el("button", { id: "tool-more", class: "tool", "aria-label": t("More"), title: t("More"), "aria-expanded": "false", "aria-controls": "more", onclick: () => {
    const open = document.body.classList.toggle("more-open");
    button.setAttribute("aria-expanded", String(open));
    if (open) tools[0].focus();
  } }, icon("more"));
  return [button, box];
}

/** Close the menu. */
export function closeMore() {
  if (!document.body.classList.contains("more-open")) return;
  document.body.classList.remove("more-open");
  const button = byId("tool-more");
  if (button) button.setAttribute("aria-expanded", "false");
}

document.addEventListener("keydown", (e) => {
  if (e.key !== "Escape" || !document.body.classList.contains("more-open")) return;
  closeMore();
  byId("tool-more").focus();
});
document.addEventListener("pointerdown", (e) => {
  if (!(/** @type {HTMLElement} */ (e.target).closest("#more, #tool-more"))) closeMore();
});
