// @ts-check
/** A small inflate (RFC 1951) for browsers without DecompressionStream. */

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
