// @ts-check
/** Reads the packed data (docs/page-format.md) into typed arrays. */
import { mercatorY, toSquare } from "./geo.js";

/**
 * Where an array stands and how it was made small.
 * @typedef {{b: number, o: number, n: number, t: string, d?: number, q?: [number, number], a?: number, f?: number, u?: number}} Spec
 * @typedef {Uint8Array | Uint16Array | Uint32Array | Int32Array | Float32Array | Float64Array} Numbers
 * @typedef {{words: string[], codes: Spec, num?: Spec, wide?: Spec}} Strings
 * @typedef {{num?: Spec, str?: Strings, zh?: Strings, en?: Strings}} ColumnSpec
 * @typedef {{num: Numbers | null, text: ((row: number, lang: string) => string) | null}} Column
 * @typedef {{lon: Spec, lat: Spec, sizes: Spec, owners: Spec}} ShapeSpec
 * Rings or lines: places on the Mercator square, where each ring starts, who owns it, the first ring
 * of each owner, the box of each owner.
 * @typedef {{n: number, xy: Float64Array, starts: Uint32Array, owners: Numbers, first: Int32Array, box: Float64Array}} Shape
 */

const TYPES = { u8: Uint8Array, u16: Uint16Array, u32: Uint32Array, i32: Int32Array, f32: Float32Array, f64: Float64Array };
/** @type {Map<number, Uint8Array>} */
const blocks = new Map();
/** @type {Map<number, Promise<void>>} */
const coming = new Map();

/** The block that holds all but what the first picture needs: places, names and fields of objects. */
export const SOON = 1;

/** Blocks as they were sent, while the browser unpacks them. @type {Map<number, Uint8Array>} */
const sent = new Map();

/** @param {number} block */
function zipped(block) {
  const found = sent.get(block);
  if (found) return found;
  const node = document.getElementById("riskmap-data-" + block);
  if (!node || !whole(node)) throw new Error("the file ends before block " + block + " does");
  const data = bytesOf(node.textContent || "");
  node.remove();
  sent.set(block, data);
  return data;
}

/** @param {string} text base64 */
function bytesOf(text) {
  const quick = /** @type {any} */ (Uint8Array).fromBase64;
  if (quick) return /** @type {Uint8Array} */ (quick.call(Uint8Array, text));
  const bytes = atob(text);
  const out = new Uint8Array(bytes.length);
  for (let i = 0; i < bytes.length; i++) out[i] = bytes.charCodeAt(i);
  return out;
}

/**
 * Has a block as many characters as it was written with? What stands behind it tells nothing: the page puts
 * things of its own there while the browser still reads.
 * @param {HTMLElement} node
 */
function whole(node) {
  let found = 0;
  for (let part = node.firstChild; part; part = part.nextSibling) found += /** @type {Text} */ (part).length;
  return found === Number(node.dataset.size);
}

/** Has the browser read a block to its end? @param {number} block */
export function there(block) {
  const node = document.getElementById("riskmap-data-" + block);
  return sent.has(block) || blocks.has(block) || !!(node && whole(node));
}

/**
 * Unpack a block, with the browser's own unpacker where there is one.
 * @param {number} block
 */
async function unpack(block) {
  while (!there(block) && document.readyState === "loading") await new Promise((done) => setTimeout(done, 0));
  const data = zipped(block);
  if (typeof DecompressionStream === "undefined") return gunzip(data);
  const pipe = new DecompressionStream("gzip");
  const writer = pipe.writable.getWriter();
  void writer.write(data);
  void writer.close();
  return new Uint8Array(await new Response(pipe.readable).arrayBuffer());
}

/**
 * Have these blocks at hand.
 * @param {number[]} wanted
 */
export async function loadBlocks(wanted) {
  await Promise.all([...new Set(wanted)].filter((b) => !blocks.has(b)).map((b) => {
    if (!coming.has(b)) coming.set(b, unpack(b).then((data) => void (sent.delete(b), blocks.has(b) || blocks.set(b, data))));
    return coming.get(b);
  }));
}

/**
 * The values of an array as they were sent, their bytes put together and differences summed up again.
 * @param {Spec} spec
 * @returns {Numbers}
 */
function stored(spec) {
  const Type = TYPES[/** @type {keyof typeof TYPES} */ (spec.t)];
  const { n } = spec;
  const width = Type.BYTES_PER_ELEMENT;
  if (!blocks.has(spec.b)) blocks.set(spec.b, gunzip(zipped(spec.b))); // somebody was quicker than the browser's unpacker
  const block = /** @type {Uint8Array} */ (blocks.get(spec.b));
  const part = block.subarray(spec.o, spec.o + n * width);
  const out = new Type(n);
  if (spec.t[0] === "f") spread(part, new Uint8Array(out.buffer), n, width);
  else if (width === 1) ones(part, out, n, !!spec.d);
  else if (width === 2) pairs(part, out, n, !!spec.d);
  else fours(part, out, n, !!spec.d);
  return out;
}

/** @param {Uint8Array} from @param {Numbers} to @param {number} n @param {boolean} summed */
function ones(from, to, n, summed) {
  if (!summed) return to.set(from);
  for (let i = 0, sum = 0; i < n; i++) to[i] = sum = (sum + from[i]) & 255;
}

/** @param {Uint8Array} from @param {Numbers} to @param {number} n @param {boolean} summed */
function pairs(from, to, n, summed) {
  for (let i = 0, sum = 0; i < n; i++) {
    const value = from[i] | (from[n + i] << 8);
    to[i] = summed ? (sum = (sum + value) & 65535) : value;
  }
}

/** @param {Uint8Array} from @param {Numbers} to @param {number} n @param {boolean} summed */
function fours(from, to, n, summed) {
  for (let i = 0, sum = 0; i < n; i++) {
    const value = from[i] | (from[n + i] << 8) | (from[2 * n + i] << 16) | (from[3 * n + i] << 24);
    to[i] = summed ? (sum = (sum + value) | 0) : value;
  }
}

/** @param {Uint8Array} from @param {Uint8Array} to @param {number} n @param {number} width */
function spread(from, to, n, width) {
  for (let k = 0; k < width; k++) for (let i = 0, j = k, p = k * n; i < n; i++, j += width) to[j] = from[p + i];
}

/**
 * Read an array whose block is at hand.
 * @param {Spec} spec
 * @returns {any}
 */
export function read(spec) {
  const values = stored(spec);
  if (spec.q) return stepped(values, spec.q[0], spec.q[1]);
  if (spec.f === undefined && !spec.a) return values;
  return shifted(values, spec.a || 0, spec.f, !!spec.u);
}

/** @param {Numbers} values @param {number} low @param {number} step */
function stepped(values, low, step) {
  const out = new Float32Array(values.length);
  const unknown = values instanceof Uint8Array ? 255 : 65535;
  for (let i = 0; i < out.length; i++) out[i] = values[i] === unknown ? NaN : low + values[i] * step;
  return out;
}

/** @param {Numbers} values @param {number} least @param {number | undefined} factor @param {boolean} blanks */
function shifted(values, least, factor, blanks) {
  const n = values.length;
  const out = factor === undefined ? new Int32Array(n) : new Float64Array(n);
  const by = factor || 1;
  for (let i = 0; i < n; i++) out[i] = blanks && values[i] === 0 ? NaN : (values[i] + least) / by;
  return out;
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
 * @param {Strings} spec
 * @returns {(row: number) => string}
 */
export function readStrings(spec) {
  const codes = read(spec.codes);
  const { words } = spec;
  if (!spec.num || !spec.wide) return (row) => words[codes[row]];
  const number = read(spec.num);
  const wide = read(spec.wide);
  return (row) => words[codes[row]] + (wide[row] ? String(number[row]).padStart(wide[row], "0") : "");
}

/**
 * Strings that are put together when somebody asks for them.
 * @param {Strings} spec
 * @returns {(row: number) => string}
 */
export function lazyStrings(spec) {
  /** @type {((row: number) => string) | null} */
  let found = null;
  return (row) => (found || (found = readStrings(spec)))(row);
}

/**
 * Give an object a member that is made when somebody asks for it.
 * @param {any} owner
 * @param {string} name
 * @param {() => any} make
 */
export function later(owner, name, make) {
  Object.defineProperty(owner, name, {
    configurable: true,
    enumerable: true,
    get() {
      const value = make();
      Object.defineProperty(owner, name, { value, writable: true, configurable: true, enumerable: true });
      return value;
    },
  });
}

/**
 * All strings as a list.
 * @param {Strings} spec
 * @returns {string[]}
 */
export function allStrings(spec) {
  const at = readStrings(spec);
  return Array.from({ length: spec.codes.n }, (_, i) => at(i));
}

/**
 * A column of a table: a function of the row, by language.
 * @param {ColumnSpec} data
 * @returns {Column}
 */
export function readColumn(data) {
  if (data.num) return { num: read(data.num), text: null };
  const zh = lazyStrings(/** @type {Strings} */ (data.str || data.zh));
  const en = data.en ? lazyStrings(data.en) : zh;
  return { num: null, text: (row, lang) => (lang === "en" ? en : zh)(row) };
}

/**
 * Rings or lines on the Mercator unit square with their boxes.
 * @param {ShapeSpec} spec
 * @param {number} n number of owners
 * @returns {Shape}
 */
export function readShape(spec, n) {
  const sizes = read(spec.sizes);
  const owners = read(spec.owners);
  const xy = new Float64Array(spec.lon.n * 2);
  if (!onScale(spec, xy)) toSquare(read(spec.lon), read(spec.lat), xy, xy.subarray(1), 2);
  const starts = new Uint32Array(sizes.length + 1);
  const box = new Float64Array(n * 4).fill(Infinity);
  for (let i = 2; i < box.length; i += 4) box[i] = box[i + 1] = -Infinity;
  const first = new Int32Array(n + 1).fill(-1);
  for (let r = 0; r < sizes.length; r++) {
    starts[r + 1] = starts[r] + sizes[r];
    const b = owners[r] * 4;
    if (first[owners[r]] < 0) first[owners[r]] = r;
    let [x0, y0, x1, y1] = [box[b], box[b + 1], box[b + 2], box[b + 3]];
    for (let i = 2 * starts[r], end = 2 * starts[r + 1]; i < end; i += 2) {
      const x = xy[i];
      const y = xy[i + 1];
      if (x < x0) x0 = x;
      if (x > x1) x1 = x;
      if (y < y0) y0 = y;
      if (y > y1) y1 = y;
    }
    box[b] = x0;
    box[b + 1] = y0;
    box[b + 2] = x1;
    box[b + 3] = y1;
  }
  first[n] = sizes.length;
  for (let i = n - 1; i >= 0; i--) if (first[i] < 0) first[i] = first[i + 1];
  return { n, xy, starts, owners, first, box };
}

/**
 * Places on the Mercator square by a table of every latitude there is, when those are fewer than the places.
 * @param {ShapeSpec} spec
 * @param {Float64Array} xy
 */
function onScale(spec, xy) {
  if (!spec.lon.f || !spec.lat.f || spec.lat.t[0] !== "u" || spec.lon.t[0] !== "u") return false;
  const lat = stored(spec.lat);
  const n = lat.length;
  let most = 0;
  for (let i = 0; i < n; i++) if (lat[i] > most) most = lat[i];
  if (most * 2 > n) return false;
  const table = new Float64Array(most + 1);
  const [low, by] = [spec.lat.a || 0, spec.lat.f];
  for (let v = 0; v <= most; v++) table[v] = mercatorY((v + low) / by);
  const lon = stored(spec.lon);
  const [west, turn] = [spec.lon.a || 0, spec.lon.f];
  for (let i = 0, k = 0; i < n; i++, k += 2) {
    xy[k] = (lon[i] + west) / turn / 360 + 0.5;
    xy[k + 1] = table[lat[i]];
  }
  return true;
}

// A small inflate (RFC 1951) for browsers without DecompressionStream.

const LENGTHS = [3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258];
const LENGTH_BITS = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0];
const DISTANCES = [1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577];
const DISTANCE_BITS = [0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13];
const ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/**
 * Counts and symbols of a canonical Huffman code.
 * @param {ArrayLike<number>} lengths
 */
function huffman(lengths) {
  const count = new Uint16Array(16);
  for (let i = 0; i < lengths.length; i++) count[lengths[i]]++;
  count[0] = 0;
  const start = new Uint16Array(16);
  for (let i = 1; i < 16; i++) start[i] = start[i - 1] + count[i - 1];
  const symbol = new Uint16Array(lengths.length);
  for (let i = 0; i < lengths.length; i++) if (lengths[i]) symbol[start[lengths[i]]++] = i;
  return { count, symbol };
}

/**
 * Unpack a gzip file.
 * @param {Uint8Array} data
 * @returns {Uint8Array}
 */
export function gunzip(data) {
  const size = new DataView(data.buffer, data.byteOffset).getUint32(data.length - 4, true);
  const out = new Uint8Array(size);
  let at = 10;
  let hold = 0;
  let have = 0;
  let end = 0;

  /** @param {number} need */
  function bits(need) {
    while (have < need) {
      hold |= data[at++] << have;
      have += 8;
    }
    const value = hold & ((1 << need) - 1);
    hold >>>= need;
    have -= need;
    return value;
  }

  /** @param {{count: Uint16Array, symbol: Uint16Array}} code */
  function symbol(code) {
    let value = 0;
    let first = 0;
    let index = 0;
    for (let length = 1; length < 16; length++) {
      value |= bits(1);
      const n = code.count[length];
      if (value - n < first) return code.symbol[index + value - first];
      index += n;
      first = (first + n) << 1;
      value <<= 1;
    }
    throw new Error("damaged data");
  }

  function fixed() {
    const lengths = new Uint8Array(288).fill(8);
    lengths.fill(9, 144, 256);
    lengths.fill(7, 256, 280);
    return [huffman(lengths), huffman(new Uint8Array(30).fill(5))];
  }

  function dynamic() {
    const n = bits(5) + 257;
    const m = bits(5) + 1;
    const k = bits(4) + 4;
    const first = new Uint8Array(19);
    for (let i = 0; i < k; i++) first[ORDER[i]] = bits(3);
    const code = huffman(first);
    const lengths = new Uint8Array(n + m);
    for (let i = 0; i < n + m; ) {
      const s = symbol(code);
      if (s < 16) {
        lengths[i++] = s;
        continue;
      }
      const value = s === 16 ? lengths[i - 1] : 0;
      let repeat = s === 16 ? 3 + bits(2) : s === 17 ? 3 + bits(3) : 11 + bits(7);
      while (repeat--) lengths[i++] = value;
    }
    return [huffman(lengths.subarray(0, n)), huffman(lengths.subarray(n))];
  }

  for (let last = 0; !last; ) {
    last = bits(1);
    const type = bits(2);
    if (type === 0) {
      hold = have = 0;
      const n = data[at] | (data[at + 1] << 8);
      out.set(data.subarray(at + 4, at + 4 + n), end);
      at += 4 + n;
      end += n;
      continue;
    }
    const [literal, far] = type === 1 ? fixed() : dynamic();
    for (;;) {
      const s = symbol(literal);
      if (s === 256) break;
      if (s < 256) {
        out[end++] = s;
        continue;
      }
      const n = LENGTHS[s - 257] + bits(LENGTH_BITS[s - 257]);
      const d = symbol(far);
      const back = DISTANCES[d] + bits(DISTANCE_BITS[d]);
      for (let i = 0; i < n; i++, end++) out[end] = out[end - back];
    }
  }
  return out;
}
