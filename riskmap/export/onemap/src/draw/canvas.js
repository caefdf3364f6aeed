// @ts-check
/** Canvases that follow the map, and the view that all drawing goes through. */
import { app, framed } from "../model/core.js";

/* global L */

/**
 * What is drawn where: k pixels per unit of the Mercator square, origin ox, oy, size w x h, m device
 * pixels per pixel, the zoom, and who asks ("map" or "png").
 * @typedef {{ctx: CanvasRenderingContext2D, k: number, ox: number, oy: number, w: number, h: number,
 *   m: number, zoom: number, target: string}} View
 */

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
    options: { padding: 0.12 },
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
