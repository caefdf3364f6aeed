// @ts-check
/** Places: Mercator, distances, polygons, the grid's mapping. */

const R = 6371008.8;

/** @param {number} lon degrees */
export function mercatorX(lon) {
  return lon / 360 + 0.5;
}

/** @param {number} lat degrees */
export function mercatorY(lat) {
  const s = Math.sin((lat * Math.PI) / 180);
  return 0.5 - Math.log((1 + s) / (1 - s)) / (4 * Math.PI);
}

/** Between latitudes so far apart [degrees] a cubic gives the Mercator y to 1e-16. */
const KNOT = 1 / 128;
const MOST_KNOTS = 4096;

/**
 * Many places on the Mercator square; over a small range of latitudes by cubics, since sine and logarithm take longer.
 * @param {ArrayLike<number>} lon degrees
 * @param {ArrayLike<number>} lat degrees
 * @param {Float64Array} x
 * @param {Float64Array} y
 * @param {number} [stride] steps between the places in x and y
 */
export function toSquare(lon, lat, x, y, stride = 1) {
  const n = lon.length;
  let low = 90;
  let high = -90;
  for (let i = 0; i < n; i++) {
    if (lat[i] < low) low = lat[i];
    if (lat[i] > high) high = lat[i];
  }
  const knots = Math.ceil((high - low) / KNOT) + 1;
  for (let i = 0; i < n; i++) x[i * stride] = mercatorX(lon[i]);
  if (knots > MOST_KNOTS || knots * 8 > n) {
    for (let i = 0; i < n; i++) y[i * stride] = mercatorY(lat[i]);
    return;
  }
  const cubic = mercatorCubics(low, knots);
  for (let i = 0; i < n; i++) {
    const at = (lat[i] - low) / KNOT;
    const k = Math.floor(at);
    const s = at - k;
    y[i * stride] = cubic[4 * k] + s * (cubic[4 * k + 1] + s * (cubic[4 * k + 2] + s * cubic[4 * k + 3]));
  }
}

/**
 * Cubics through the Mercator y and its slope at knots of latitude.
 * @param {number} low degrees
 * @param {number} knots
 */
function mercatorCubics(low, knots) {
  const out = new Float64Array(4 * knots);
  const slope = (/** @type {number} */ lat) => -KNOT / (360 * Math.cos((lat * Math.PI) / 180));
  for (let k = 0; k < knots; k++) {
    const from = low + k * KNOT;
    const rise = mercatorY(from + KNOT) - mercatorY(from);
    const [d0, d1] = [slope(from), slope(from + KNOT)];
    out.set([mercatorY(from), d0, 3 * rise - 2 * d0 - d1, d0 + d1 - 2 * rise], 4 * k);
  }
  return out;
}

/** @param {number} x */
export function longitude(x) {
  return (x - 0.5) * 360;
}

/** @param {number} y */
export function latitude(y) {
  return (Math.atan(Math.sinh((0.5 - y) * 2 * Math.PI)) * 180) / Math.PI;
}

/**
 * Great-circle distance [m].
 * @param {number} lon1
 * @param {number} lat1
 * @param {number} lon2
 * @param {number} lat2
 */
export function metres(lon1, lat1, lon2, lat2) {
  const k = Math.PI / 180;
  const a = Math.sin(((lat2 - lat1) * k) / 2) ** 2;
  const b = Math.cos(lat1 * k) * Math.cos(lat2 * k) * Math.sin(((lon2 - lon1) * k) / 2) ** 2;
  return 2 * R * Math.asin(Math.sqrt(a + b));
}

/**
 * Area of a ring on the sphere [m2].
 * @param {number[][]} ring lon, lat
 */
export function ringArea(ring) {
  const k = Math.PI / 180;
  let sum = 0;
  for (let i = 0; i < ring.length; i++) {
    const [x1, y1] = ring[i];
    const [x2, y2] = ring[(i + 1) % ring.length];
    sum += (x2 - x1) * k * (2 + Math.sin(y1 * k) + Math.sin(y2 * k));
  }
  return Math.abs((sum * R * R) / 2);
}

/**
 * Is a place inside the polygon of an owner (even-odd over its rings)?
 * @param {any} shape
 * @param {number} owner
 * @param {number} x
 * @param {number} y
 */
export function insideShape(shape, owner, x, y) {
  const { box, xy, starts, first } = shape;
  const b = owner * 4;
  if (x < box[b] || y < box[b + 1] || x > box[b + 2] || y > box[b + 3]) return false;
  let inside = false;
  for (let r = first[owner]; r < first[owner + 1]; r++) {
    for (let i = starts[r], j = starts[r + 1] - 1; i < starts[r + 1]; j = i++) {
      const yi = xy[2 * i + 1];
      const yj = xy[2 * j + 1];
      if (yi > y !== yj > y && x < ((xy[2 * j] - xy[2 * i]) * (y - yi)) / (yj - yi) + xy[2 * i]) inside = !inside;
    }
  }
  return inside;
}

/**
 * Least distance from a place to the lines of an owner, in units of the square.
 * @param {any} shape
 * @param {number} owner
 * @param {number} x
 * @param {number} y
 */
export function lineDistance(shape, owner, x, y) {
  const { xy, starts, first } = shape;
  let best = Infinity;
  for (let r = first[owner]; r < first[owner + 1]; r++) {
    for (let i = starts[r] + 1; i < starts[r + 1]; i++) {
      const ax = xy[2 * i - 2];
      const ay = xy[2 * i - 1];
      const dx = xy[2 * i] - ax;
      const dy = xy[2 * i + 1] - ay;
      const s = Math.max(0, Math.min(1, ((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy || 1)));
      best = Math.min(best, Math.hypot(ax + s * dx - x, ay + s * dy - y));
    }
  }
  return best;
}

/**
 * Functions between grid places and the Mercator square.
 * @param {any} map from the header
 */
export function gridMapping(map) {
  /** @type {[number, number][]} */
  const terms = [];
  for (let i = 0; i <= map.degree; i++) for (let j = 0; j <= map.degree - i; j++) terms.push([i, j]);
  const pu = new Float64Array(map.degree + 1).fill(1);
  const pv = new Float64Array(map.degree + 1).fill(1);
  /**
   * @param {number[][]} coefficients
   * @param {number} u
   * @param {number} v
   * @param {number[][]} scale
   * @param {Float64Array | number[]} out
   */
  function evaluate(coefficients, u, v, scale, out) {
    for (let i = 1; i <= map.degree; i++) {
      pu[i] = pu[i - 1] * u;
      pv[i] = pv[i - 1] * v;
    }
    let a = 0;
    let b = 0;
    for (let k = 0; k < terms.length; k++) {
      const product = pu[terms[k][0]] * pv[terms[k][1]];
      a += coefficients[0][k] * product;
      b += coefficients[1][k] * product;
    }
    out[0] = scale[0][0] + a * scale[0][1];
    out[1] = scale[1][0] + b * scale[1][1];
    return out;
  }
  return {
    /** @param {number} col @param {number} row @param {any} out */
    toMap: (col, row, out = [0, 0]) =>
      evaluate(map.to_map, (col - map.col[0]) / map.col[1], (row - map.row[0]) / map.row[1], [map.x, map.y], out),
    /** @param {number} x @param {number} y @param {any} out */
    toGrid: (x, y, out = [0, 0]) =>
      evaluate(map.to_grid, (x - map.x[0]) / map.x[1], (y - map.y[0]) / map.y[1], [map.col, map.row], out),
  };
}

// Coordinates as people type them: decimal or sexagesimal, either order, Chinese or English words.

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
