// @ts-check
/** Canvases that follow the map, and the view that all drawing goes through. */
import { inTown, unitSpan, wholeBox } from "../data/model.js";
import { app, framed, state } from "../model/core.js";
import { classColours } from "./labels.js";

/* global L */

/**
 * What is drawn where: k pixels per unit of the Mercator square, origin ox, oy, size w x h, m device
 * pixels per pixel, the zoom, and who asks ("map" or "png").
 * @typedef {{ctx: CanvasRenderingContext2D, k: number, ox: number, oy: number, w: number, h: number,
 *   m: number, zoom: number, target: string}} View
 */

/** Share of the map's size that canvases reach beyond each edge, so that a small move asks for no new picture. */
const MARGIN = 0.12;

/** @type {Record<string, (view: View) => void>} */
const painters = {};

/**
 * Put a canvas into the map; while it is not needed it takes no room.
 * @param {string} name
 * @param {number} z
 * @param {(view: View) => void} draw
 * @param {() => boolean} [needed]
 */
export function addCanvas(name, z, draw, needed = () => true) {
  const pane = app.map.createPane("rm-" + name);
  pane.style.zIndex = String(z);
  pane.style.pointerEvents = "none";
  painters[name] = draw;
  const layer = new (canvasClass())({ pane: "rm-" + name, draw, needed });
  layer.addTo(app.map);
  app.canvas[name] = layer;
}

/** The Leaflet layer that holds one canvas. */
function canvasClass() {
  return L.Renderer.extend({
    options: { padding: 0 },
    _initContainer() {
      this._container = document.createElement("canvas");
      this._ctx = this._container.getContext("2d", { willReadFrequently: true });
      this.repaint = framed(() => this._map && this._paint());
    },
    _destroyContainer() {
      L.DomUtil.remove(this._container);
      delete this._container;
    },
    getEvents() {
      const events = L.Renderer.prototype.getEvents.call(this);
      events.move = this._onMove;
      return events;
    },
    /** Does the canvas as drawn still cover the screen? */
    _covers() {
      if (!this._bounds || this._drawn !== this._map.getZoom()) return false;
      const corner = this._map.containerPointToLayerPoint([0, 0]);
      const size = this._map.getSize();
      const { min, max } = this._bounds;
      return corner.x >= min.x && corner.y >= min.y && corner.x + size.x <= max.x && corner.y + size.y <= max.y;
    },
    _onMove() {
      if (this._bounds && !this._map._animatingZoom && !this._covers()) this._update();
    },
    _update() {
      if ((this._map._animatingZoom && this._bounds) || (this._covers() && this._origin === this._map.getPixelOrigin())) return;
      this.options.padding = this._drawn === undefined ? 0 : MARGIN; // the first picture is drawn sooner without
      L.Renderer.prototype._update.call(this);
      L.DomUtil.setPosition(this._container, this._bounds.min);
      this._paint();
    },
    _paint() {
      if (!this._bounds) return;
      const canvas = this._container;
      this._drawn = this._zoom;
      this._origin = this._map.getPixelOrigin();
      canvas.hidden = !this.options.needed();
      if (canvas.hidden) return void (canvas.width = canvas.height = 0);
      const size = this._bounds.getSize();
      if (!(size.x >= 1 && size.y >= 1)) return; // the page is hidden
      const m = Math.min(2, window.devicePixelRatio || 1);
      const s = app.scale;  // a big screen is drawn as a desk's, enlarged
      const w = Math.round(size.x * m);
      const h = Math.round(size.y * m);
      if (canvas.width !== w || canvas.height !== h) {
        canvas.width = w;
        canvas.height = h;
        canvas.style.width = size.x + "px";
        canvas.style.height = size.y + "px";
      }
      this._ctx.setTransform(m * s, 0, 0, m * s, 0, 0);
      this._ctx.clearRect(0, 0, size.x / s, size.y / s);
      this.options.draw({
        ctx: this._ctx,
        k: (256 * 2 ** this._zoom) / s,
        ox: (this._origin.x + this._bounds.min.x) / s,
        oy: (this._origin.y + this._bounds.min.y) / s,
        w: size.x / s,
        h: size.y / s,
        m: m * s,
        zoom: this._zoom - Math.log2(s),
        target: "map",
      });
    },
  });
}

/**
 * Draw again, all canvases or some.
 * @param {...string} names
 */
export function redraw(...names) {
  for (const name of names.length ? names : Object.keys(app.canvas)) app.canvas[name].repaint();
}

/**
 * Draw all canvases onto one (for PNG and print).
 * @param {View} view
 */
export function paintAll(view) {
  for (const name of Object.keys(app.canvas)) {
    view.ctx.save();
    painters[name](view);
    view.ctx.restore();
  }
}

/** The view of the map as it stands on the screen, without padding, in pixels as on a desk. */
export function screenView() {
  const { map, scale: s } = app;
  const size = map.getSize();
  const corner = map.containerPointToLayerPoint([0, 0]).add(map.getPixelOrigin());
  const zoom = map.getZoom() - Math.log2(s);
  return { k: 256 * 2 ** zoom, ox: corner.x / s, oy: corner.y / s, w: size.x / s, h: size.y / s, zoom };
}

/** A point of the map's container in the pixels of `screenView`. @param {{x: number, y: number}} point */
export function deskPoint({ x, y }) {
  return { x: x / app.scale, y: y / app.scale };
}

/**
 * A place of the screen on the Mercator square.
 * @param {{x: number, y: number}} point container point
 * @returns {[number, number]}
 */
export function placeOf(point) {
  const v = screenView();
  const { x, y } = deskPoint(point);
  return [(x + v.ox) / v.k, (y + v.oy) / v.k];
}

/**
 * Box of the screen on the Mercator square.
 * @returns {[number, number, number, number]}
 */
export function screenBox() {
  const v = screenView();
  return [v.ox / v.k, v.oy / v.k, (v.ox + v.w) / v.k, (v.oy + v.h) / v.k];
}

// Pictures made pixel by pixel, and how they come onto a canvas.

/** @type {ImageData | null} */
let buffer = null;
/** @type {HTMLCanvasElement | null} */
let sheet = null;

/**
 * An empty picture, the last one again where the size is the same.
 * @param {number} w
 * @param {number} h
 */
export function blank(w, h) {
  if (buffer && buffer.width === w && buffer.height === h) new Uint32Array(buffer.data.buffer).fill(0);
  else buffer = new ImageData(w, h);
  return buffer;
}

/**
 * Lay a picture over the whole view.
 * @param {View} view
 * @param {ImageData} image
 */
export function lay(view, image) {
  sheet = sheet || document.createElement("canvas");
  sheet.width = image.width;
  sheet.height = image.height;
  /** @type {CanvasRenderingContext2D} */ (sheet.getContext("2d", { willReadFrequently: true })).putImageData(image, 0, 0);
  view.ctx.imageSmoothingEnabled = false;
  view.ctx.drawImage(sheet, 0, 0, image.width, image.height, 0, 0, view.w, view.h);
}

// Lines and outlines: borders, areas of layers and plans, the selection.

const NEAR = 0.7;
/** Borders of units smaller than this on the screen [px] would hide what is inside them. */
const TINY = 6;
/** Areas smaller than this on the screen [px] would be blots; their points and rings stand for them. */
const SPECK = 9;

/**
 * Begin a path with all rings of an owner; false when it lies outside the view.
 * @param {View} view
 * @param {any} shape
 * @param {number} owner
 * @param {boolean} begin
 */
export function traceShape(view, shape, owner, begin) {
  const { ctx, k, ox, oy } = view;
  const { box, first, starts, xy } = shape;
  const b = owner * 4;
  if (box[b] * k > ox + view.w + 4 || box[b + 2] * k < ox - 4) return false;
  if (box[b + 1] * k > oy + view.h + 4 || box[b + 3] * k < oy - 4) return false;
  if (begin) ctx.beginPath();
  for (let r = first[owner]; r < first[owner + 1]; r++) {
    const end = starts[r + 1] - 1;
    let px = xy[2 * starts[r]] * k - ox;
    let py = xy[2 * starts[r] + 1] * k - oy;
    ctx.moveTo(px, py);
    for (let i = starts[r] + 1; i <= end; i++) {
      const x = xy[2 * i] * k - ox;
      const y = xy[2 * i + 1] * k - oy;
      if (i < end && Math.abs(x - px) < NEAR && Math.abs(y - py) < NEAR) continue;
      ctx.lineTo(x, y);
      px = x;
      py = y;
    }
  }
  return true;
}

/**
 * Stroke many owners, a few at a time (one long path is slow).
 * @param {View} view
 * @param {any} shape
 * @param {(owner: number) => boolean} wanted
 * @param {{colour: string, width: number, casing?: string, dash?: number[]}[]} styles
 * @param {number[] | null} [rows] these owners alone
 */
export function strokeMany(view, shape, wanted, styles, rows = null) {
  const { ctx } = view;
  ctx.lineJoin = ctx.lineCap = "round";
  for (const style of styles) {
    ctx.strokeStyle = style.colour;
    ctx.lineWidth = style.width;
    ctx.setLineDash(style.dash || []);
    let open = 0;
    for (let k = 0, n = rows ? rows.length : shape.n; k < n; k++) {
      const i = rows ? rows[k] : k;
      if (!wanted(i)) continue;
      if (!open) ctx.beginPath();
      if (traceShape(view, shape, i, false)) open++;
      if (open >= 48) {
        ctx.stroke();
        open = 0;
      }
    }
    if (open) ctx.stroke();
  }
  ctx.setLineDash([]);
}

/**
 * Draw areas and borders above the surface.
 * @param {View} view
 */
export function drawLines(view) {
  const { model } = app;
  for (const layer of model.things) if (layer.shape && state.shown[layer.id]) drawAreas(view, layer);
  if (state.shown.borders) drawBorders(view);
}

/** Do the areas of a layer part the whole place among them, as duty grids do? A fill would tint every class. @param {any} layer */
function coversAll(layer) {
  if (layer.whole === undefined) {
    const [x0, y0, x1, y1] = wholeBox();
    const { box } = layer.shape;
    let sum = 0;
    for (let i = 0; i < layer.n; i++) sum += (box[4 * i + 2] - box[4 * i]) * (box[4 * i + 3] - box[4 * i + 1]);
    layer.whole = sum > 0.5 * (x1 - x0) * (y1 - y0);
  }
  return layer.whole;
}

/** @param {View} view @param {any} layer */
function drawAreas(view, layer) {
  const { ctx } = view;
  const colours = classColours();
  const colour = (/** @type {number} */ i) => (layer.level[i] ? colours[layer.level[i]] : layer.colour || "#7a1fa2");
  ctx.globalAlpha = state.opacity[layer.id];
  for (let i = 0; i < layer.n; i++) {
    if (state.levelOff[layer.id + layer.level[i]] || !inTown(layer.unit[i])) continue;
    const px = (layer.shape.box[4 * i + 2] - layer.shape.box[4 * i]) * view.k;
    if ((layer.kind === "area" && px < SPECK) || !traceShape(view, layer.shape, i, true)) continue;
    if (layer.kind === "area" && !coversAll(layer)) {
      ctx.globalAlpha = state.opacity[layer.id] * 0.25;
      ctx.fillStyle = colour(i);
      ctx.fill("evenodd");
      ctx.globalAlpha = state.opacity[layer.id];
    }
    ctx.strokeStyle = colour(i);
    ctx.lineWidth = px < 30 ? 1 : 2;
    ctx.setLineDash(px < 30 ? [] : [7, 3]);
    ctx.stroke();
  }
  ctx.setLineDash([]);
  ctx.globalAlpha = 1;
}

/** Borders of the units: coarse ones strong, fine ones from nearby. @param {View} view */
function drawBorders(view) {
  const { units } = app.model;
  const { ctx } = view;
  const n = units.levels.length;
  ctx.globalAlpha = state.opacity.borders;
  for (let l = n - 1; l >= 0; l--) {
    const from = [0, 9, 12.5, 14][l] || 0;
    if ((l !== state.level && n > 1 && view.zoom < from) || unitSpan(l) * view.k < TINY) continue;
    const near = view.zoom >= 13;
    const styles = [
      { colour: "#1f2b3a", width: 2, dash: [12, 3, 2, 3] },
      { colour: near ? "#263447" : "rgba(38,52,71,.6)", width: near ? 1.5 : 0.9, dash: near ? [7, 3] : [] },
      { colour: near ? "rgba(40,52,68,.5)" : "rgba(60,72,88,.32)", width: 0.7, dash: [] },
    ].slice(l > 1 ? 2 : l, (l > 1 ? 2 : l) + 1);
    if (l === 0) styles.unshift({ colour: "rgba(255,255,255,.85)", width: 4.2, dash: [] });
    strokeMany(view, units.shape, () => true, styles, units.rows[l]);
  }
  if (state.town >= 0 && traceShape(view, units.shape, state.town, true)) {
    ctx.strokeStyle = "#0b2d4f";
    ctx.lineWidth = 3;
    ctx.stroke();
  }
  ctx.globalAlpha = 1;
}

/** Outline of the chosen unit or cell. @param {View} view */
export function drawSelection(view) {
  const { ctx } = view;
  const chosen = state.selected;
  if (!chosen) return;
  const { model } = app;
  ctx.beginPath();
  if (chosen.kind === "unit") traceShape(view, model.units.shape, chosen.at, true);
  else if (chosen.kind === "cell") {
    const at = model.grid.flat[chosen.at];
    const col = at % model.grid.cols;
    const row = Math.floor(at / model.grid.cols);
    [[0, 0], [1, 0], [1, 1], [0, 1]].forEach(([dx, dy], i) => {
      const [x, y] = model.grid.mapping.toMap(col + dx, row + dy);
      ctx[i ? "lineTo" : "moveTo"](x * view.k - view.ox, y * view.k - view.oy);
    });
    ctx.closePath();
  } else if (chosen.kind === "item") {
    const layer = model.layer.get(chosen.layer);
    if (layer.shape) traceShape(view, layer.shape, chosen.at, true);
  }
  ctx.lineJoin = "round";
  ctx.strokeStyle = "#ffffff";
  ctx.lineWidth = 5;
  ctx.stroke();
  ctx.strokeStyle = "#0b2d4f";
  ctx.lineWidth = 2.4;
  ctx.stroke();
}
