// @ts-check
/** Outlines as pixels: which of many small areas each pixel stands on. */

/** @typedef {import("./canvas.js").View} View */
/** @typedef {import("../data/read.js").Shape} Shape */

/** An area of so few rows, crossed so few times in each, is done in one pass. */
const [FEW_ROWS, WIDE] = [64, 8];
/** Room for the crossings of one area with the rows of pixels; it grows. */
const work = { tops: new Int32Array(64), at: new Float64Array(256), counts: new Int32Array(FEW_ROWS), few: new Float64Array(FEW_ROWS * WIDE) };

/**
 * For each pixel of the view 1 + the owner on whose area its middle stands, 0 for none (even-odd).
 * @param {View} view
 * @param {Shape} shape
 * @param {ArrayLike<number>} rows owners
 * @param {number} w pixels
 * @param {number} h pixels
 * @param {Uint32Array} out w * h, filled with 0
 */
export function rasterise(view, shape, rows, w, h, out) {
  const { box } = shape;
  const scale = view.k * view.m;
  const left = view.ox * view.m;
  const top = view.oy * view.m;
  for (let i = 0; i < rows.length; i++) {
    const owner = rows[i];
    const b = owner * 4;
    if (box[b + 2] * scale < left || box[b] * scale > left + w) continue;
    if ((box[b + 2] - box[b]) * scale < 1 || (box[b + 3] - box[b + 1]) * scale < 1) {
      speck(out, w, h, (box[b] + box[b + 2]) * 0.5 * scale - left, (box[b + 1] + box[b + 3]) * 0.5 * scale - top, owner + 1);
      continue;
    }
    const from = Math.max(0, firstRow(box[b + 1] * scale - top));
    const end = Math.min(h, firstRow(box[b + 3] * scale - top));
    if (end <= from) continue;
    if (end - from <= FEW_ROWS && crossFew(shape, owner, scale, left, top, from, end)) {
      for (let y = from, k = 0; y < end; y++, k += WIDE) fillRow(work.few, out, y * w, w, k, k + work.counts[y - from], owner + 1);
      continue;
    }
    cross(shape, owner, scale, left, top, from, end);
    for (let y = from; y < end; y++) fillRow(work.at, out, y * w, w, work.tops[y - from], work.tops[y - from + 1], owner + 1);
  }
}

/**
 * An area thinner than a pixel, so that it is not lost.
 * @param {Uint32Array} out
 * @param {number} w
 * @param {number} h
 * @param {number} x
 * @param {number} y
 * @param {number} value
 */
function speck(out, w, h, x, y, value) {
  if (x < 0 || y < 0 || x >= w || y >= h) return;
  const at = Math.floor(y) * w + Math.floor(x);
  if (!out[at]) out[at] = value;
}

/** The first row whose middle is not above a place. @param {number} y */
function firstRow(y) {
  return Math.ceil(y - 0.5);
}

/**
 * Where the edges of an owner cross the middles of rows: `work.at` from `work.tops[row]` on.
 * @param {Shape} shape
 * @param {number} owner
 * @param {number} scale
 * @param {number} left
 * @param {number} top
 * @param {number} from
 * @param {number} end
 */
function cross(shape, owner, scale, left, top, from, end) {
  const { xy, starts, first } = shape;
  const n = end - from;
  if (work.tops.length < n + 2) work.tops = new Int32Array(2 * n + 2);
  const { tops } = work;
  tops.fill(0, 0, n + 2);
  for (const count of [true, false]) {
    for (let r = first[owner]; r < first[owner + 1]; r++) {
      let j = 2 * (starts[r + 1] - 1);
      let xb = xy[j] * scale - left;
      let yb = xy[j + 1] * scale - top;
      for (let i = starts[r]; i < starts[r + 1]; i++) {
        const xa = xb;
        const ya = yb;
        j = 2 * i;
        xb = xy[j] * scale - left;
        yb = xy[j + 1] * scale - top;
        const y0 = Math.max(from, firstRow(ya < yb ? ya : yb));
        const y1 = Math.min(end, firstRow(ya < yb ? yb : ya));
        if (count) for (let y = y0; y < y1; y++) tops[y - from + 2]++;
        else if (y0 < y1) {
          const slope = (xb - xa) / (yb - ya);
          for (let y = y0; y < y1; y++) work.at[tops[y - from + 1]++] = xa + (y + 0.5 - ya) * slope;
        }
      }
    }
    if (!count) return;
    for (let y = 2; y < n + 2; y++) tops[y] += tops[y - 1];
    if (work.at.length < tops[n + 1]) work.at = new Float64Array(2 * tops[n + 1]);
  }
}

/**
 * Where the edges of a small owner cross the middles of rows: `work.few` from WIDE x row on, `work.counts` in each row.
 * @param {Shape} shape
 * @param {number} owner
 * @param {number} scale
 * @param {number} left
 * @param {number} top
 * @param {number} from
 * @param {number} end
 * @returns {boolean} false when a row has more crossings than there is room for
 */
function crossFew(shape, owner, scale, left, top, from, end) {
  const { xy, starts, first } = shape;
  const { counts, few } = work;
  for (let k = end - from - 1; k >= 0; k--) counts[k] = 0;
  for (let r = first[owner]; r < first[owner + 1]; r++) {
    const last = starts[r + 1];
    let xb = xy[2 * last - 2] * scale - left;
    let yb = xy[2 * last - 1] * scale - top;
    for (let i = starts[r]; i < last; i++) {
      const xa = xb;
      const ya = yb;
      xb = xy[2 * i] * scale - left;
      yb = xy[2 * i + 1] * scale - top;
      const y0 = Math.max(from, Math.ceil((ya < yb ? ya : yb) - 0.5));
      const y1 = Math.min(end, Math.ceil((ya < yb ? yb : ya) - 0.5));
      if (y0 >= y1) continue;
      const slope = (xb - xa) / (yb - ya);
      for (let y = y0; y < y1; y++) {
        const k = y - from;
        if (counts[k] === WIDE) return false;
        few[k * WIDE + counts[k]++] = xa + (y + 0.5 - ya) * slope;
      }
    }
  }
  return true;
}

/**
 * Fill a row of pixels between its crossings, two by two.
 * @param {Float64Array} at crossings
 * @param {Uint32Array} out
 * @param {number} row first pixel of the row
 * @param {number} w
 * @param {number} from first crossing
 * @param {number} end
 * @param {number} value
 */
function fillRow(at, out, row, w, from, end, value) {
  for (let i = from + 1; i < end; i++) {
    const x = at[i];
    let j = i;
    for (; j > from && at[j - 1] > x; j--) at[j] = at[j - 1];
    at[j] = x;
  }
  for (let i = from; i + 1 < end; i += 2) {
    const x1 = Math.min(w, firstRow(at[i + 1]));
    for (let x = Math.max(0, firstRow(at[i])); x < x1; x++) out[row + x] = value;
  }
}
