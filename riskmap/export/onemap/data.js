// @ts-check
/** Reads the packed data (docs/page-format.md) into typed arrays. */
import { gunzip } from "./inflate.js";
import { mercatorX, mercatorY } from "./geo.js";

/** @typedef {{b: number, o: number, n: number, t: string, d?: number, q?: [number, number], f?: number}} Spec */

const TYPES = { u8: Uint8Array, u16: Uint16Array, u32: Uint32Array, i32: Int32Array, f32: Float32Array, f64: Float64Array };
/** @type {Map<number, Uint8Array>} */
const blocks = new Map();
/** @type {Map<number, Promise<void>>} */
const coming = new Map();

/** @param {number} block */
function zipped(block) {
  const node = /** @type {HTMLElement} */ (document.getElementById("riskmap-data-" + block));
  const text = atob(node.textContent || "");
  const out = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) out[i] = text.charCodeAt(i);
  node.remove();
  return out;
}

/**
 * Unpack a block, with the browser's own unpacker where there is one.
 * @param {number} block
 */
async function unpack(block) {
  const data = zipped(block);
  if (typeof DecompressionStream === "undefined") return gunzip(data);
  const stream = new Blob([data]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/**
 * Have these blocks at hand.
 * @param {number[]} wanted
 */
export async function loadBlocks(wanted) {
  await Promise.all([...new Set(wanted)].filter((b) => !blocks.has(b)).map((b) => {
    if (!coming.has(b)) coming.set(b, unpack(b).then((data) => void blocks.set(b, data)));
    return coming.get(b);
  }));
}

/**
 * Read an array whose block is at hand.
 * @param {Spec} spec
 * @returns {any}
 */
export function read(spec) {
  const Type = TYPES[/** @type {keyof typeof TYPES} */ (spec.t)];
  const width = Type.BYTES_PER_ELEMENT;
  const { n } = spec;
  const from = /** @type {Uint8Array} */ (blocks.get(spec.b)).subarray(spec.o, spec.o + n * width);
  const bytes = new Uint8Array(n * width);
  for (let k = 0; k < width; k++) for (let i = 0, j = k, p = k * n; i < n; i++, j += width) bytes[j] = from[p + i];
  const values = new Type(bytes.buffer);
  if (spec.d) for (let i = 1; i < n; i++) values[i] += values[i - 1];
  if (spec.q) {
    const [low, step] = spec.q;
    const out = new Float32Array(n);
    for (let i = 0; i < n; i++) out[i] = values[i] === 65535 ? NaN : low + values[i] * step;
    return out;
  }
  if (spec.f) {
    const out = new Float64Array(n);
    for (let i = 0; i < n; i++) out[i] = values[i] / spec.f;
    return out;
  }
  return values;
}

/**
 * Decode the first block.
 * @returns {Promise<any>} the header
 */
export async function openDocument() {
  const bytes = await unpack(0);
  const size = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  blocks.set(0, bytes.subarray(4 + size));
  return JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + size)));
}

/**
 * Strings sent as words and numbers.
 * @param {{words: string[], codes: Spec}} spec
 * @returns {(row: number) => string}
 */
export function readStrings(spec) {
  const codes = read(spec.codes);
  return (row) => spec.words[codes[row]];
}

/**
 * A column of a table: a function of the row, by language.
 * @param {any} data
 */
export function readColumn(data) {
  if (data.num) return { num: read(data.num), text: null };
  const zh = readStrings(data.str || data.zh);
  const en = data.en ? readStrings(data.en) : zh;
  return { num: null, text: (/** @type {number} */ row, /** @type {string} */ lang) => (lang === "en" ? en : zh)(row) };
}

/**
 * Rings or lines on the Mercator unit square with their boxes.
 * @param {any} spec
 * @param {number} n number of owners
 */
export function readShape(spec, n) {
  const lon = read(spec.lon);
  const lat = read(spec.lat);
  const sizes = read(spec.sizes);
  const owners = read(spec.owners);
  const xy = new Float64Array(lon.length * 2);
  for (let i = 0; i < lon.length; i++) {
    xy[2 * i] = mercatorX(lon[i]);
    xy[2 * i + 1] = mercatorY(lat[i]);
  }
  const starts = new Uint32Array(sizes.length + 1);
  const box = new Float64Array(n * 4);
  for (let i = 0; i < n; i++) box.set([Infinity, Infinity, -Infinity, -Infinity], i * 4);
  const first = new Int32Array(n + 1).fill(-1);
  for (let r = 0; r < sizes.length; r++) {
    starts[r + 1] = starts[r] + sizes[r];
    const b = owners[r] * 4;
    if (first[owners[r]] < 0) first[owners[r]] = r;
    for (let i = starts[r]; i < starts[r + 1]; i++) {
      const x = xy[2 * i];
      const y = xy[2 * i + 1];
      if (x < box[b]) box[b] = x;
      if (y < box[b + 1]) box[b + 1] = y;
      if (x > box[b + 2]) box[b + 2] = x;
      if (y > box[b + 3]) box[b + 3] = y;
    }
  }
  first[n] = sizes.length;
  for (let i = n - 1; i >= 0; i--) if (first[i] < 0) first[i] = first[i + 1];
  return { n, xy, starts, owners, first, box };
}
