// @ts-check
/** Pictures made pixel by pixel, and how they come onto a canvas. */

/** @typedef {import("./canvas.js").View} View */

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
 * Lay a picture over the whole view; the quick way replaces what the canvas holds.
 * @param {View} view
 * @param {ImageData} image
 * @param {boolean} replace the picture is as large as the canvas and the canvas is empty
 */
export function lay(view, image, replace) {
  if (replace) return view.ctx.putImageData(image, 0, 0);
  sheet = sheet || document.createElement("canvas");
  sheet.width = image.width;
  sheet.height = image.height;
  /** @type {CanvasRenderingContext2D} */ (sheet.getContext("2d", { willReadFrequently: true })).putImageData(image, 0, 0);
  view.ctx.imageSmoothingEnabled = false;
  view.ctx.drawImage(sheet, 0, 0, image.width, image.height, 0, 0, view.w, view.h);
}
