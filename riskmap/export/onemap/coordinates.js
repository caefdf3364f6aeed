// @ts-check
/** Coordinates as people type them: decimal or sexagesimal, either order, Chinese or English words. */
import { mercatorX, mercatorY } from "./geo.js";

const NUMBER = /(-?\d{1,3}(?:\.\d+)?)(?:\s*[°度]\s*(?:(\d{1,2}(?:\.\d+)?)\s*['′’分]\s*(?:(\d{1,2}(?:\.\d+)?)\s*(?:["″”秒]|''|′′)\s*)?)?)?/.source;
const SIDE = /(东经|西经|北纬|南纬|经度|纬度|[NSEW])/.source;
const ONE = `(?:${SIDE}\\s*:?\\s*)?${NUMBER}\\s*${SIDE}?`;
const PAIR = new RegExp(`^\\s*${ONE}\\s*[,;、\\s]\\s*${ONE}\\s*$`, "i");
const AXIS = { 东经: ["lon", 1], 西经: ["lon", -1], 经度: ["lon", 1], E: ["lon", 1], W: ["lon", -1], 北纬: ["lat", 1], 南纬: ["lat", -1], 纬度: ["lat", 1], N: ["lat", 1], S: ["lat", -1] };

/** Full-width characters as their narrow ones. @param {string} text */
function narrow(text) {
  return text.replace(/[\uff01-\uff5e]/g, (c) => String.fromCharCode(c.charCodeAt(0) - 0xfee0)).replace(/\u3000/g, " ");
}

/** @param {RegExpExecArray} m @param {number} from */
function half(m, from) {
  const [before, degrees, minutes, seconds, after] = m.slice(from, from + 5);
  const side = /** @type {[string, number] | undefined} */ (/** @type {any} */ (AXIS)[(before || after || "").toUpperCase()]);
  const size = Math.abs(Number(degrees)) + Number(minutes || 0) / 60 + Number(seconds || 0) / 3600;
  return { axis: side && side[0], value: size * (side ? side[1] : 1) * (degrees.startsWith("-") ? -1 : 1) };
}

/**
 * Coordinates typed in, as longitude and latitude. Without words for the axes the order is that which
 * lies in the map's area, else longitude first where that can be.
 * @param {string} text
 * @param {number[]} box area of the map on the Mercator square
 * @returns {{lon: number, lat: number} | null}
 */
export function coordinatesIn(text, box) {
  const m = PAIR.exec(narrow(text));
  if (!m) return null;
  const [a, b] = [half(m, 1), half(m, 6)];
  if (a.axis && a.axis === b.axis) return null;
  const fits = [{ lon: a.value, lat: b.value }, { lon: b.value, lat: a.value }].filter((p, i) => {
    const turned = i === 1;
    if ((a.axis || b.axis) && ((a.axis === "lat" || b.axis === "lon") !== turned)) return false;
    return Math.abs(p.lat) < 85 && Math.abs(p.lon) <= 180;
  });
  const inside = fits.find((p) => {
    const [x, y] = [mercatorX(p.lon), mercatorY(p.lat)];
    return x >= box[0] && x <= box[2] && y >= box[1] && y <= box[3];
  });
  return inside || fits[0] || null;
}
