// @ts-check
/** Labels that give way to each other. */
import { app, state, t } from "../model/core.js";

/** @typedef {import("./canvas.js").View} View */
/** @typedef {{x: number, y: number, w: number, h: number}} Box */

export const FONT = '"Noto Sans CJK SC","Noto Sans SC","Source Han Sans SC","Microsoft YaHei","PingFang SC",sans-serif';

const MESH = 64;

/**
 * Places of the picture that are taken, found by squares of 64 pixels.
 * @typedef {{add: (box: Box) => void, hits: (box: Box) => boolean}} Taken
 * @returns {Taken}
 */
export function makeTaken() {
  /** @type {Map<number, Box[]>} */
  const squares = new Map();
  /** @param {Box} box @param {(key: number) => boolean | void} each */
  const over = (box, each) => {
    const right = Math.floor((box.x + box.w) / MESH);
    const low = Math.floor((box.y + box.h) / MESH);
    for (let i = Math.floor(box.x / MESH); i <= right; i++) for (let j = Math.floor(box.y / MESH); j <= low; j++) if (each(i * 4096 + j)) return true;
    return false;
  };
  return {
    add: (box) => {
      over(box, (key) => {
        const list = squares.get(key);
        if (list) list.push(box);
        else squares.set(key, [box]);
      });
    },
    hits: (box) => over(box, (key) => (squares.get(key) || []).some((b) => overlaps(b, box))),
  };
}

/** @param {Box} a @param {Box} b */
function overlaps(a, b) {
  return a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
}

/** A name that fits on a map. @param {string} name */
export function short(name, n = 14) {
  const letters = Array.from(name.replace(/[\u0000-\u001f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, ""));
  return letters.length > n ? letters.slice(0, n - 1).join("") + "…" : letters.join("");
}

/**
 * Write a label unless something is in the way.
 * @param {View} view
 * @param {string} label
 * @param {number} x
 * @param {number} y
 * @param {number} size
 * @param {Taken} taken
 * @param {number} weight
 */
export function placeLabel(view, label, x, y, size, taken, weight, colour = "#16202c") {
  const { ctx } = view;
  ctx.font = `${weight} ${size}px ${FONT}`;
  const w = ctx.measureText(label).width;
  const box = { x: x - w / 2 - 2, y: y - size / 2 - 2, w: w + 4, h: size + 4 };
  if (box.x < -w || box.y < -20 || box.x > view.w || box.y > view.h) return false;
  if (taken.hits(box)) return false;
  taken.add(box);
  writeLabel(view, label, x, y, size, weight, colour);
  return true;
}

/**
 * Write a label with a rim.
 * @param {View} view
 * @param {string} label
 * @param {number} x
 * @param {number} y
 * @param {number} size
 * @param {number} weight
 * @param {string} colour
 */
export function writeLabel({ ctx }, label, x, y, size, weight, colour) {
  ctx.font = `${weight} ${size}px ${FONT}`;
  ctx.textAlign = "center";
  ctx.textBaseline = "middle";
  ctx.lineJoin = "round";
  ctx.strokeStyle = inkOn(colour) === "#ffffff" ? "rgba(255,255,255,.92)" : "rgba(0,0,0,.75)";
  ctx.lineWidth = 3.2;
  ctx.strokeText(label, x, y);
  ctx.fillStyle = colour;
  ctx.fillText(label, x, y);
}

// Colours and names of the classes.

/** Colours of the parts of a score. */
export const PARTS = ["#0a5bb0", "#7b3a9e", "#a44a00", "#1d6b3a", "#5c5c5c", "#00727a", "#8a1550", "#6b6b00"];

/**
 * Colours by class of what is shown on the surface, 0 = unknown, 1 = low ... 4 = major. Areas of the low class are
 * nearly white, so that the eye finds orange and red; points keep the strong colours.
 * @returns {string[]}
 */
export function surfaceColours() {
  const { palettes } = app.model.marks;
  return state.view ? palettes.component : palettes[state.palette] || palettes.area;
}

/** Colours by class of points. @returns {string[]} */
export function classColours() {
  const { palettes } = app.model.marks;
  return palettes[state.palette] || palettes.points;
}

/** @param {number} level 0..4 */
export function className(level) {
  return [t("Unknown"), t("Low risk"), t("General risk"), t("Larger risk"), t("Major risk")][level];
}

/** @param {number} level 0..4 @param {boolean} [surface] */
export function levelName(level, surface = false) {
  return [surface ? t("Unknown") : t("No level"), t("Low"), t("General"), t("Larger"), t("Major")][level];
}

/** @param {string} level */
export function unitLevelName(level) {
  const names = {
    district: t("Districts"),
    town: t("Towns"),
    village: t("Communities"),
    grid_duty_area: t("Duty grids"),
    custom: t("Units"),
  };
  return names[/** @type {keyof typeof names} */ (level)] || level;
}

/** @param {string} level */
export function unitLevelOne(level) {
  const names = {
    district: t("district"),
    town: t("town"),
    village: t("community"),
    grid_duty_area: t("duty grid"),
    custom: t("unit"),
  };
  return names[/** @type {keyof typeof names} */ (level)] || level;
}

/**
 * A colour as the four bytes of a canvas pixel.
 * @param {string} colour #rrggbb
 * @param {number} alpha 0..255
 */
export function pixel(colour, alpha) {
  const v = parseInt(colour.slice(1), 16);
  return ((alpha << 24) | ((v & 255) << 16) | (v & 0xff00) | (v >> 16)) >>> 0;
}

/**
 * Black or white, whichever reads better on a colour.
 * @param {string} colour #rrggbb
 */
export function inkOn(colour) {
  const v = parseInt(colour.slice(1), 16);
  /** @param {number} c */
  const linear = (c) => ((c /= 255) <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
  const light = 0.2126 * linear(v >> 16) + 0.7152 * linear((v >> 8) & 255) + 0.0722 * linear(v & 255);
  return light > 0.18 ? "#16202c" : "#ffffff";
}
