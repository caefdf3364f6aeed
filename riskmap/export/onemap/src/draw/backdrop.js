// @ts-check
/** Pictures under everything: those that the page carries, and Tianditu's tiles if it may ask for them. */
import { app, el, emit, on, say, state, t } from "../model/core.js";
import { redraw } from "./canvas.js";
import { loadBlocks, read } from "../data/read.js";
import { mercatorX, mercatorY } from "../data/geo.js";

/* global L */

/** @typedef {import("./canvas.js").View} View */

let asked = false;

/** Does the page carry pictures? */
export function hasBackdrop() {
  return app.model.tiles.length > 0;
}

/** Are they switched on? */
export function backdropShown() {
  return hasBackdrop() && !!state.shown.tiles;
}

/** Unpack the pictures when they are first shown. */
async function load() {
  asked = true;
  for (const picture of app.model.tiles) {
    await loadBlocks([picture.bytes.b]);
    picture.image = await createImageBitmap(new Blob([read(picture.bytes)], { type: picture.type }));
  }
  redraw("backdrop");
}

/** @param {View} view */
export function drawBackdrop(view) {
  if (!backdropShown()) return;
  if (!asked) load();
  const { ctx, k, ox, oy } = view;
  ctx.globalAlpha = state.opacity.tiles;
  for (const { image, west, east, north, south } of app.model.tiles) {
    if (!image) continue;
    const [x, y] = [mercatorX(west), mercatorY(north)];
    ctx.drawImage(image, x * k - ox, y * k - oy, (mercatorX(east) - x) * k, (mercatorY(south) - y) * k);
  }
  ctx.globalAlpha = 1;
}

/** @type {any[]} */
let tiles = [];
/** Tianditu's tiles with a token that stays in memory. @param {string} token */
function tianditu(token) {
  tiles.forEach((layer) => layer.remove());
  tiles = [];
  if (!token) return;
  for (const name of ["vec", "cva"]) {
    const url = `https://t{s}.tianditu.gov.cn/${name}_w/wmts?SERVICE=WMTS&REQUEST=GetTile&VERSION=1.0.0&LAYER=${name}&STYLE=default&TILEMATRIXSET=w&FORMAT=tiles&TILEMATRIX={z}&TILEROW={y}&TILECOL={x}&tk=${encodeURIComponent(token)}`;
    const layer = L.tileLayer(url, { subdomains: "01234567", minZoom: 1, maxZoom: 18 });
    layer.on("tileerror", () => say(t("Tianditu gives no tiles; check the token and the network")));
    tiles.push(layer.addTo(app.map));
  }
}

/** The place where a token for Tianditu is typed in; it is kept in memory only. */
export function tiandituForm() {
  const field = el("input", { type: "password", id: "tianditu", autocomplete: "off", "aria-label": t("Tianditu token"), placeholder: t("Tianditu token") });
  return el("form", { class: "pick", onsubmit: (/** @type {Event} */ e) => {
    e.preventDefault();
    emit("tianditu", field.value.trim());
  } }, field, el("button", { class: "small" }, t("Load")));
}

on("tianditu", tianditu);
