// @ts-check
/** Starts the page and joins its parts. */
import { app, byId, emit, framed, isPhone, on, state } from "./model/core.js";
import { addCanvas, drawLines, redraw } from "./draw/canvas.js";
import { backdropShown, drawBackdrop, drawWater, hasBackdrop, loadRelief, loadWater, waterShown } from "./draw/ground.js";
import { latitude } from "./data/geo.js";
import { loadBlocks, openDocument, SOON, there } from "./data/read.js";
import { fromHash, startMeasure, startTools, watchAddress } from "./panels/tools.js";
import { buildFrame, openTab, renderFrame } from "./panels/frame.js";
import { fitAll, startInteraction } from "./panels/interact.js";
import { makeModel, table, wholeBox } from "./data/model.js";
import { asksPlaces, drawPoints } from "./draw/points.js";
import { staleSurface } from "./draw/cells.js";
import { drawSurface } from "./draw/surface.js";
import { renderTree } from "./panels/tree.js";
import { renderOverview } from "./panels/overview.js";
import { renderList } from "./panels/list.js";
import { renderWhatif, setWeights, startCompare } from "./panels/whatif.js";
import { renderDetail } from "./panels/detail.js";
import { loadReasons } from "./model/counts.js";
import { live, prepare, unitScores } from "./model/score.js";
import { startTime } from "./panels/chips.js";
import { startPicture } from "./draw/picture.js";

/* global L */

/** What is on at the start. */
function startState() {
  const { model } = app;
  /** @type {Record<string, boolean>} */
  const shown = { surface: !!(table("unit") || table("cell")), borders: true, labels: true, relief: true };
  /** @type {Record<string, number>} */
  const opacity = { surface: 0.9, borders: 0.9, labels: 1, relief: 0.85 };
  if (model.scenarios.some((/** @type {any} */ s) => s.water)) [shown.water, opacity.water] = [true, 0.9];
  for (const layer of model.things) {
    shown[layer.id] = layer.group === "risk" || layer.group === "element";
    opacity[layer.id] = 1;
    const graded = layer.item && layer.counts[0] < layer.n;
    if (layer.idle && graded) state.levelOff[layer.id + 0] = true;
  }
  if (hasBackdrop()) [shown.tiles, opacity.tiles] = [true, 1];
  for (const layer of model.base) {
    shown[layer.id] = true;
    opacity[layer.id] = layer.id === "road" ? 0.8 : 0.9;
  }
  for (const plan of model.plans) {
    shown["plan:" + plan.id] = plan.id.startsWith("scenario/");
    opacity["plan:" + plan.id] = 0.9;
  }
  state.shown = shown;
  state.opacity = opacity;
  app.startShown = { ...shown };
  app.startOpacity = { ...opacity };
  app.startOff = { ...state.levelOff };
  state.lang = model.facts.lang === "en" ? "en" : "zh";
  state.level = model.units.levels.length - 1;
}

/** Draw again whatever an event touches. */
function joinEvents() {
  on("layers opacity", () => redraw());
  on("filter town palette scenario", () => {
    staleSurface();
    redraw();
  });
  on("view weights", () => {
    staleSurface();
    redraw("surface");
  });
  on("time", () => redraw("points"));
  on("compare compared surface", () => {
    staleSurface();
    redraw("surface", "points");
  });
  on("language", () => redraw("points"));
  on("left", (/** @type {boolean | undefined} */ open) => {
    const now = document.body.classList.toggle("left-open", open);
    byId("tool-layers").setAttribute("aria-expanded", String(now));
    if (now) renderTree();
    else if (document.activeElement === document.body || byId("left").contains(document.activeElement)) byId("tool-layers").focus();
    app.map.invalidateSize({ animate: false });
  });
  on("setLanguage", (/** @type {string} */ lang) => {
    state.lang = lang;
    renderFrame();
    emit("language");
  });
  on("setScenario", async (/** @type {string} */ name) => {
    const held = document.activeElement;
    state.scenario = name;
    if (Object.keys(state.weights).length || state.view) await prepare();
    for (const radio of document.querySelectorAll("[data-scenario]")) {
      const on_ = /** @type {HTMLElement} */ (radio).dataset.scenario === name;
      radio.setAttribute("aria-checked", String(on_));
      /** @type {HTMLElement} */ (radio).tabIndex = on_ ? 0 : -1;
    }
    emit("scenario");
    if (held && held !== document.body && document.activeElement === document.body) {
      const radio = document.querySelector('[role="radio"][aria-checked="true"]');
      /** @type {HTMLElement} */ (radio && radio.getClientRects().length ? radio : byId("scenario") || byId("search")).focus({ preventScroll: true });
    }
  });
  on("home", fitAll);
  app.map.on("moveend", framed(() => emit("moved")));
}

/** What outside checks may use. */
function offerApi() {
  /** @type {any} */ (window).riskmap = {
    state: () => JSON.parse(JSON.stringify({ ...state, hash: location.hash })),
    setWeights: async (/** @type {Record<string, number>} */ weights) => {
      await prepare();
      setWeights(weights, true);
      return unitScores();
    },
    scores: unitScores,
    classes: () => {
      const { cls } = live(table("unit"));
      return Object.fromEntries(app.model.units.ids.map((/** @type {string} */ id, /** @type {number} */ i) => [id, cls[i]]));
    },
    names: () => Object.fromEntries(app.model.units.ids.map((/** @type {string} */ id, /** @type {number} */ i) => [id, app.model.units.names[i]])),
    south: () => latitude(wholeBox()[3]),
    openTab,
    setLanguage: (/** @type {string} */ lang) => emit("setLanguage", lang === "en" ? "en" : "zh"),
    setScenario: (/** @type {string} */ name) => emit("setScenario", name),
    select: (/** @type {any} */ chosen) => emit("select", chosen),
    map: app.map,
  };
}


/** Below this width the layer panel would lie over the map, so it starts closed. */
const NARROW = 1100;
/** Let the browser draw, then go on. */
const pause = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done, 0)));

/** Wait until the map has a size: a page in a hidden frame has none. */
async function seen() {
  while (!(byId("stage").clientWidth && byId("stage").clientHeight)) await pause();
}

async function start() {
  app.map = /** @type {any} */ (window).riskmapCarrier;
  const head = await openDocument();
  if (location.hash.length > 1) await loadBlocks([SOON]); // an address may ask for anything
  makeModel(head);
  startState();
  const view = fromHash(location.hash);
  if (Object.keys(state.weights).length || state.view) await prepare();
  await Promise.all([loadWater(), loadRelief()]);
  document.body.dataset.sheet = state.sheet;
  document.body.classList.toggle("left-open", !isPhone() && state.layers && window.innerWidth > NARROW);
  buildFrame();
  await seen();
  app.map.invalidateSize({ animate: false });
  app.map.options.minZoom = 3;
  if (view) app.map.setView([view.lat, view.lon], view.zoom, { animate: false });
  else fitAll();
  if (hasBackdrop()) addCanvas("backdrop", 205, drawBackdrop, backdropShown);
  addCanvas("surface", 210, drawSurface);
  addCanvas("water", 220, drawWater, waterShown);
  addCanvas("lines", 230, drawLines);
  if (asksPlaces()) await loadBlocks([SOON]);
  addCanvas("points", 260, drawPoints);
  joinEvents();
  startInteraction();
  startTools();
  startMeasure();
  startCompare();
  startTime();
  startPicture();
  emit("furniture");
  offerApi();
  renderTree(false);
  await pause();
  document.documentElement.setAttribute("data-ready", String(Math.round(performance.now())));
  if (state.shown.labels) redraw("points"); // now with the names
  if (!there(SOON)) document.body.inert = true; // nobody can ask yet for what the browser still reads
  await pause();
  await loadBlocks([SOON]);
  document.body.inert = false;
  renderTree();
  renderOverview();
  renderList();
  await renderWhatif();
  await renderDetail();
  await loadReasons();
  watchAddress();
  emit("ready");
  await pause();
  document.documentElement.setAttribute("data-settled", String(Math.round(performance.now())));
}

start().catch((error) => {
  const node = document.createElement("pre");
  node.textContent = "riskmap: " + (error && error.stack ? error.stack : error);
  document.body.appendChild(node);
  throw error;
});
