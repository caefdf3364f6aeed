// @ts-check
/** Link, big screen, help, the sheet of the phone, the small legend. */
import { mercatorX, mercatorY, metres, ringArea } from "../data/geo.js";
import { surfaceKind, table, wholeBox } from "../data/model.js";
import { addCanvas, redraw } from "../draw/canvas.js";
import { className, surfaceColours } from "../draw/labels.js";
import { icon } from "../draw/symbols.js";
import { app, byId, distance, el, emit, figures, fill, isPhone, nameOf, on, say, state, t } from "../model/core.js";
import { allTimes } from "./chips.js";
import { scenarioNames } from "./frame.js";
import { about } from "./overview.js";
import { initialsExample } from "./search.js";

// The state in the address: a link reopens the same picture.

let quiet = true;

/** A key with the signs that part keys written as codes; names of scenarios may hold them. @param {string} key */
function pack(key) {
  return key.replace(/[%,~]/g, (c) => "%" + c.charCodeAt(0).toString(16));
}

/** @param {string} key */
function unpack(key) {
  return key.replace(/%(25|2c|7e)/g, (_, code) => String.fromCharCode(parseInt(code, 16)));
}

/** @param {Record<string, boolean>} set */
function keysOf(set) {
  return Object.keys(set).filter((k) => set[k]).join(",");
}

/** The state as the part after #. */
export function toHash() {
  const { map, model } = app;
  const c = map.getCenter();
  const p = new URLSearchParams();
  p.set("map", [map.getZoom().toFixed(2), c.lng.toFixed(5), c.lat.toFixed(5)].join("/"));
  p.set("tab", state.tab);
  p.set("lang", state.lang);
  const hidden = Object.keys(state.shown).filter((k) => state.shown[k] !== app.startShown[k]);
  if (hidden.length) p.set("layers", hidden.map((k) => (state.shown[k] ? "+" : "-") + pack(k)).join(","));
  const dim = Object.keys(state.opacity).filter((k) => state.opacity[k] !== app.startOpacity[k]);
  if (dim.length) p.set("opacity", dim.map((k) => pack(k) + "~" + state.opacity[k]).join(","));
  if (state.palette !== "four") p.set("palette", state.palette);
  if (state.view) p.set("view", state.view);
  if (state.surface !== "auto") p.set("surface", state.surface);
  if (!document.body.classList.contains("left-open") && window.innerWidth > 1100) p.set("panel", "closed");
  if (isPhone() && document.body.dataset.sheet && document.body.dataset.sheet !== "half") p.set("sheet", document.body.dataset.sheet);
  const { what, sort, down, text } = state.list;
  if (what) p.set("list", [what, sort, down ? "down" : "up"].join("~"));
  if (text) p.set("find", text);
  if (state.scenario) p.set("scenario", state.scenario);
  if (state.level !== model.units.levels.length - 1) p.set("level", String(state.level));
  if (keysOf(state.classOff)) p.set("classes", keysOf(state.classOff));
  if (keysOf(state.levelOff) !== keysOf(app.startOff)) p.set("grades", keysOf(state.levelOff) || "none");
  if (state.town >= 0) p.set("town", model.units.ids[state.town]);
  if (state.filter) p.set("items", state.filter);
  const times = allTimes();
  if (times.length && state.time !== times[times.length - 1]) p.set("time", String(state.time));
  if (state.when !== "before") p.set("when", state.when);
  if (state.compare) p.set("compare", state.split.toFixed(3));
  const weights = Object.entries(state.weights);
  if (weights.length) p.set("weights", weights.map(([k, v]) => pack(k) + "~" + Number(v.toPrecision(12))).join(","));
  const s = state.selected;
  if (s && s.kind === "unit") p.set("at", "unit/" + model.units.ids[s.at]);
  if (s && s.kind === "cell") p.set("at", "cell/" + s.at);
  if (s && s.kind === "item") p.set("at", s.layer + "/" + model.layer.get(s.layer).ids[s.at]);
  return p.toString();
}

/** @param {string | null} text @param {(key: string) => void} each */
function every(text, each) {
  if (text) text.split(",").forEach(each);
}

/** A whole number below a limit, else -1. @param {string | null} text @param {number} limit */
function whole(text, limit) {
  return text && /^\d{1,9}$/.test(text) && Number(text) < limit ? Number(text) : -1;
}

/**
 * Take the state from the part after #; what does not fit is passed over.
 * @param {string} hash
 * @returns {{zoom: number, lon: number, lat: number} | null} the view, if there is one
 */
export function fromHash(hash) {
  const p = new URLSearchParams(hash.replace(/^#/, ""));
  const { model } = app;
  if (["zh", "en"].includes(p.get("lang") || "")) state.lang = /** @type {string} */ (p.get("lang"));
  if (["overview", "list", "whatif", "detail", ...(model.scorecard && model.scorecard.length ? ["scorecard"] : [])].includes(p.get("tab") || "")) state.tab = /** @type {string} */ (p.get("tab"));
  if (["four", "cividis", "pure"].includes(p.get("palette") || "")) state.palette = /** @type {string} */ (p.get("palette"));
  every(p.get("layers"), (k) => unpack(k.slice(1)) in state.shown && (state.shown[unpack(k.slice(1))] = k[0] === "+"));
  every(p.get("opacity"), (k) => {
    const [id, v] = k.split("~").map(unpack);
    if (id in state.opacity && Number(v) > 0 && Number(v) <= 1) state.opacity[id] = Number(v);
  });
  if (["units", "grid"].includes(p.get("surface") || "")) state.surface = /** @type {string} */ (p.get("surface"));
  else if (/(^|,)\+units/.test(p.get("layers") || "")) state.surface = "units";
  if (p.get("panel") === "closed") state.layers = false;
  if (["low", "tall"].includes(p.get("sheet") || "")) state.sheet = /** @type {string} */ (p.get("sheet"));
  const [what, sort, way] = (p.get("list") || "").split("~");
  if (what && /^[a-z]+$/.test(sort || "")) Object.assign(state.list, { what, sort, down: way === "down" });
  state.list.text = (p.get("find") || "").slice(0, 80);
  const tab = table("unit", "") || table("cell", "");
  if (tab && tab.parts.some((/** @type {any} */ part) => part.node.code === p.get("view"))) state.view = /** @type {string} */ (p.get("view"));
  const scenario = p.get("scenario") || "";
  if (scenarioNames().includes(scenario)) state.scenario = scenario;
  const level = whole(p.get("level"), model.units.levels.length);
  if (level >= 0) state.level = level;
  every(p.get("classes"), (k) => /^[0-4]$/.test(k) && (state.classOff[Number(k)] = true));
  if (p.has("grades")) state.levelOff = {};
  every(p.get("grades"), (k) => model.layer.has(k.slice(0, -1)) && (state.levelOff[k] = true));
  if (p.has("town") && model.units.row.has(p.get("town"))) state.town = model.units.row.get(p.get("town"));
  if (["open", "overdue"].includes(p.get("items") || "")) state.filter = /** @type {string} */ (p.get("items"));
  if (p.get("when") === "after") state.when = "after";
  if (p.has("compare")) {
    state.compare = true;
    state.split = Math.min(1, Math.max(0, Number(p.get("compare")) || 0.5));
  }
  if (p.has("time") && allTimes().includes(Number(p.get("time")))) state.time = Number(p.get("time"));
  every(p.get("weights"), (k) => {
    const [code, v] = k.split("~").map(unpack);
    if (tab && tab.nodes.has(code) && Number(v) >= 0) state.weights[code] = Number(v);
  });
  const at = p.get("at") || "";
  const [kind, id] = [at.slice(0, at.indexOf("/")), at.slice(at.indexOf("/") + 1)];
  if (kind === "unit" && model.units.row.has(id)) state.selected = { kind, at: model.units.row.get(id) };
  else if (kind === "cell" && model.grid && whole(id, model.grid.n) >= 0) state.selected = { kind, at: Number(id) };
  else if (model.layer.has(kind) && model.layer.get(kind).rowOf && model.layer.get(kind).rowOf.has(id)) state.selected = { kind: "item", layer: kind, at: model.layer.get(kind).rowOf.get(id) };
  const view = (p.get("map") || "").split("/").map(Number);
  return view.length === 3 && view.every(Number.isFinite) ? sensible(view) : null;
}

/** A view on which something of the place can be seen, else null. @param {number[]} view */
function sensible([zoom, lon, lat]) {
  if (!(zoom >= 3 && zoom <= 19 && Math.abs(lon) <= 180 && Math.abs(lat) <= 85)) return null;
  const [x0, y0, x1, y1] = wholeBox();
  const [x, y] = [mercatorX(lon), mercatorY(lat)];
  const reach = 2000 / (256 * 2 ** zoom);
  return x > x0 - reach && x < x1 + reach && y > y0 - reach && y < y1 + reach ? { zoom, lon, lat } : null;
}

/** @type {any} */
let timer = 0;
/** Keep the address in step, not more than a few times a second; another link put in its place opens that one. */
export function watchAddress() {
  quiet = false;
  window.addEventListener("hashchange", () => {
    quiet = true;
    clearTimeout(timer);
    location.reload();
  });
  on("moved tab language layers opacity palette view scenario filter town weights selected compare compared split time surface listed left grip", () => {
    if (quiet) return;
    clearTimeout(timer);
    timer = setTimeout(() => {
      try {
        history.replaceState(null, "", "#" + toHash());
      } catch {
        quiet = true;
      }
    }, 250);
  });
}

const SHEETS = ["low", "half", "tall"];

async function copyLink() {
  const url = location.href.split("#")[0] + "#" + toHash();
  history.replaceState(null, "", "#" + toHash());
  try {
    await navigator.clipboard.writeText(url);
    say(t("Link copied; it reopens this picture"));
  } catch {
    say(t("The address now holds this picture; copy it from the address bar"));
  }
}

function bigScreen() {
  const on_ = enlarge(!document.body.classList.contains("big"));
  if (on_ && document.documentElement.requestFullscreen) document.documentElement.requestFullscreen().catch(() => {});
  else if (document.fullscreenElement) document.exitFullscreen();
  emit("home");
}

/** A desk's screen; what is larger is enlarged to look like one. */
const DESK = [1500, 840];
/** A wall much wider than high has room for three columns, so its letters may be larger still: a fiftieth of its height and more. */
const WIDE = [2150, 620];
/**
 * Enlarge what is on the page so that it reads from the back of the room, as if the screen were a desk's.
 * The panels are zoomed and the map is drawn larger; its own element is not, for browsers before
 * Chromium 128 put the pointer on the wrong place inside a zoomed one.
 * @param {boolean} big
 */
function enlarge(big) {
  document.body.classList.toggle("big", big);
  const wall = big && window.innerWidth > 2.6 * window.innerHeight;
  const [w, h] = wall ? WIDE : DESK;
  app.scale = big ? Math.max(1, Math.min(window.innerWidth / w, window.innerHeight / h)) : 1;
  document.body.classList.toggle("wall", wall);
  document.body.style.setProperty("--big", app.scale.toFixed(3));
  byId("tool-screen").setAttribute("aria-pressed", String(big));
  app.map.invalidateSize({ animate: false });
  redraw();
  return big;
}

/** A dialog with a title and a cross. @param {string} title @param {...any} body */
export function dialog(title, ...body) {
  const old = document.querySelector("dialog");
  if (old) old.remove();
  const node = el("dialog", { "aria-labelledby": "dialog-title" },
    el("div", { class: "panel-head" }, el("h2", { id: "dialog-title" }, title), el("button", { class: "plain", "aria-label": t("Close"), onclick: () => node.close() }, icon("close"))), body);
  document.body.appendChild(node);
  node.addEventListener("close", () => node.remove());
  node.showModal();
}

function help() {
  const example = initialsExample();
  const lines = [
    t("Click the map: a cell or unit says why it has its class; a point shows its ledger."),
    t("Layers: switch, fade, and click a legend row to hide or show that class."),
    t("Overview: towns from worst to best; a click filters everything to that town."),
    t("List: every object as a row; sort, filter, save as CSV."),
    t("What-if: move weights, see what changes, save weights.yaml for the next run."),
    example ? t("Search: part of a name, pinyin initials ({letters} finds {name}), number, or longitude, latitude.", example) : t("Search: part of a name, number, or longitude, latitude."),
    t("Link: the address holds view, layers, filters, scenario and weights."),
    t("Keys: Tab moves on; arrow keys change tabs, move the map and go through the list; + and - zoom; Enter on the map explains its middle; Esc closes and lets go of what is chosen."),
  ];
  dialog(t("Help"), el("ul", { class: "help" }, lines.map((l) => el("li", null, l))),
    el("p", { class: "hint" }, t("Rings count points by unit where there are points of major level; their colours are the shares of the levels. Symbols: the shape is the kind, the colour is the level.")));
}

/** The legend on the map when the layer panel is closed. */
function mini() {
  const node = byId("mini");
  if (!node) return;
  const kind = surfaceKind();
  const tab = kind && table(kind);
  if (!tab) return fill(node);
  const colours = surfaceColours();
  fill(node, el("b", null, state.view ? nameOf(tab.nodes.get(state.view)) : t("Composite risk")), [4, 3, 2, 1].map((c) => el("span", null, el("i", { style: `background:${colours[c]}` }), state.view ? t("Quarter {n}", { n: c }) : className(c))));
}

/** Drag or press the grip of the phone's sheet. */
function sheet() {
  on("grip", () => {
    const now = SHEETS.indexOf(document.body.dataset.sheet || "half");
    document.body.dataset.sheet = SHEETS[(now + 1) % SHEETS.length];
  });
  const right = byId("right");
  let from = 0;
  let start = 0;
  right.addEventListener("touchstart", (/** @type {TouchEvent} */ e) => {
    const target = /** @type {HTMLElement} */ (e.target);
    start = target.closest("#grip, #tabs") ? Date.now() : 0;
    from = e.touches[0].clientY;
  }, { passive: true });
  right.addEventListener("touchend", (/** @type {TouchEvent} */ e) => {
    const by = e.changedTouches[0].clientY - from;
    if (!start || Math.abs(by) < 24) return;
    const now = SHEETS.indexOf(document.body.dataset.sheet || "half");
    document.body.dataset.sheet = SHEETS[Math.min(2, Math.max(0, now + (by < 0 ? 1 : -1)))];
  }, { passive: true });
}

/** Draw again when the window comes onto a screen with other pixels, or is zoomed, which need not change any size. */
function watchPixels() {
  let last = window.devicePixelRatio;
  const look = () => {
    if (window.devicePixelRatio === last) return;
    last = window.devicePixelRatio;
    redraw();
  };
  for (const name of ["resize", "focus", "pointermove"]) window.addEventListener(name, look, { passive: true });
}

/** Make the tools work. */
export function startTools() {
  on("link", copyLink);
  on("screen", bigScreen);
  on("help", help);
  on("about", () => dialog(t("Method, data and limits"), el("div", { class: "dialog-body" }, about())));
  on("language palette view layers scenario surface", mini);
  document.addEventListener("fullscreenchange", () => {
    if (!document.fullscreenElement && document.body.classList.contains("big")) {
      enlarge(false);
      emit("home");
    }
  });
  document.addEventListener("keydown", (e) => {
    if (e.key === "Escape" && !document.fullscreenElement && !app.measuring && document.body.classList.contains("big") && !document.querySelector("dialog")) bigScreen();
  });
  window.addEventListener("resize", () => {
    if (document.body.classList.contains("big")) enlarge(true);
    else app.map.invalidateSize({ animate: false });
  });
  watchPixels();
  sheet();
  mini();
  if (isPhone()) document.body.classList.remove("left-open");
}

// Measuring distance and area.

/** @type {number[][]} */
let points = [];

/** Length [m] and area [m2] of what has been clicked. */
export function measured(list = points) {
  let length = 0;
  for (let i = 1; i < list.length; i++) length += metres(list[i - 1][0], list[i - 1][1], list[i][0], list[i][1]);
  return { length, area: list.length > 2 ? ringArea(list) : 0 };
}

function render() {
  const box = byId("measure-box");
  box.hidden = !app.measuring;
  const tool = byId("tool-measure");
  tool.classList.toggle("on", !!app.measuring);
  tool.setAttribute("aria-pressed", String(!!app.measuring));
  app.map.getContainer().style.cursor = app.measuring ? "crosshair" : "";
  if (!app.measuring) return;
  const { length, area } = measured();
  fill(box, el("b", null, points.length < 2 ? t("Click points on the map") : distance(length)),
    area ? el("span", null, t("Area {area}", { area: area < 1e5 ? figures(area) + " m²" : figures(area / 1e6) + " km²" })) : null,
    el("button", { id: "measure-undo", class: "small", onclick: () => {
      points.pop();
      update();
    } }, t("Undo")),
    el("button", { id: "measure-done", class: "small", onclick: stop }, t("Done")));
}

function update() {
  render();
  redraw("measure");
}

function stop() {
  const held = byId("measure-box").contains(document.activeElement);
  app.measuring = false;
  points = [];
  app.map.doubleClickZoom.enable();
  update();
  if (held) byId("tool-measure").focus();
}

/** @param {any} view */
function draw(view) {
  const { ctx } = view;
  const at = points.map(([lon, lat]) => [mercatorX(lon) * view.k - view.ox, mercatorY(lat) * view.k - view.oy]);
  ctx.beginPath();
  at.forEach(([x, y], i) => ctx[i ? "lineTo" : "moveTo"](x, y));
  if (at.length > 2) {
    ctx.fillStyle = "rgba(11,45,79,.14)";
    ctx.fill();
  }
  ctx.strokeStyle = "#ffffff";
  ctx.lineWidth = 5;
  ctx.stroke();
  ctx.strokeStyle = "#0b2d4f";
  ctx.lineWidth = 2.4;
  ctx.stroke();
  for (const [x, y] of at) {
    ctx.beginPath();
    ctx.arc(x, y, 4.5, 0, 7);
    ctx.fillStyle = "#ffffff";
    ctx.fill();
    ctx.stroke();
  }
}

/** Make the measuring tool work. */
export function startMeasure() {
  addCanvas("measure", 270, draw, () => points.length > 0);
  on("measure", () => {
    if (app.measuring) return stop();
    app.measuring = true;
    app.map.doubleClickZoom.disable();
    update();
  });
  app.map.on("click", (/** @type {any} */ e) => {
    if (!app.measuring) return;
    points.push([e.latlng.lng, e.latlng.lat]);
    update();
  });
  on("language", () => app.measuring && render());
  document.addEventListener("keydown", (e) => e.key === "Escape" && app.measuring && stop());
}
