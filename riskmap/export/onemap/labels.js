// @ts-check
/** Labels that give way to each other. */
import { inkOn } from "./palette.js";

/** @typedef {import("./canvas.js").View} View */
/** @typedef {{x: number, y: number, w: number, h: number}} Box */

export const FONT = '"Noto Sans CJK SC","Noto Sans SC","Source Han Sans SC","Microsoft YaHei","PingFang SC",sans-serif';

/** @param {Box} a @param {Box} b */
export function overlaps(a, b) {
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
 * @param {Box[]} taken
 * @param {number} weight
 */
export function placeLabel(view, label, x, y, size, taken, weight, colour = "#16202c") {
  const { ctx } = view;
  ctx.font = `${weight} ${size}px ${FONT}`;
  const w = ctx.measureText(label).width;
  const box = { x: x - w / 2 - 2, y: y - size / 2 - 2, w: w + 4, h: size + 4 };
  if (box.x < -w || box.y < -20 || box.x > view.w || box.y > view.h) return false;
  if (taken.some((b) => overlaps(b, box))) return false;
  taken.push(box);
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

