// @ts-check
/** Labels that give way to each other. */
import { inkOn } from "./palette.js";

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
  ctx.textAlign = "center";
  ctx.textBaseline = "middle";
  ctx.lineJoin = "round";
  ctx.strokeStyle = inkOn(colour) === "#ffffff" ? "rgba(255,255,255,.92)" : "rgba(0,0,0,.75)";
  ctx.lineWidth = 3.2;
  ctx.strokeText(label, x, y);
  ctx.fillStyle = colour;
  ctx.fillText(label, x, y);
  return true;
}

