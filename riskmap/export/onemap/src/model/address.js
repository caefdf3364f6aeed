// @ts-check
/** The state in the address: a link reopens the same picture. */
import { app, isPhone, on, state } from "./core.js";
import { mercatorX, mercatorY } from "../data/geo.js";
import { scenarioNames } from "../panels/frame.js";
import { table, wholeBox } from "../data/model.js";
import { allTimes } from "../panels/time.js";

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
  if (tab && tab.nodes.has(p.get("view"))) state.view = /** @type {string} */ (p.get("view"));
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
