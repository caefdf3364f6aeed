// @ts-check
/** Link, big screen, help, the sheet of the phone, the small legend. */
import { app, byId, el, emit, fill, isPhone, nameOf, on, say, state, t } from "../model/core.js";
import { toHash } from "../model/address.js";
import { redraw } from "../draw/canvas.js";
import { className, surfaceColours } from "../draw/labels.js";
import { surfaceKind, table } from "../data/model.js";
import { about } from "./overview.js";
import { initialsExample } from "./search.js";
import { icon } from "../draw/symbols.js";

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

/** A desk's screen; walls are enlarged to look like one, by their height where they are wide. */
const DESK = [1500, 840];
/**
 * Enlarge what is on the page so that it reads from the back of the room, as if the screen were a desk's.
 * The panels are zoomed and the map is drawn larger; its own element is not, for browsers before
 * Chromium 128 put the pointer on the wrong place inside a zoomed one.
 * @param {boolean} big
 */
function enlarge(big) {
  document.body.classList.toggle("big", big);
  app.scale = big ? Math.max(1, Math.min(window.innerWidth / DESK[0], window.innerHeight / DESK[1])) : 1;
  document.body.classList.toggle("wall", big && window.innerWidth > 2.6 * window.innerHeight);
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
  sheet();
  mini();
  if (isPhone()) document.body.classList.remove("left-open");
}
