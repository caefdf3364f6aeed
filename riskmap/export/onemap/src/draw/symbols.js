// @ts-check
/** Symbols: the shape tells the kind, the colour tells the level. */

const SVG = "http://www.w3.org/2000/svg";

/** @type {Record<string, (c: any, r: number) => void>} */
const SHAPES = {
  circle: (c, r) => c.arc(0, 0, r * 0.9, 0, 7),
  square: (c, r) => c.rect(-r * 0.8, -r * 0.8, r * 1.6, r * 1.6),
  diamond: (c, r) => polygon(c, [[0, -1.1], [1.1, 0], [0, 1.1], [-1.1, 0]], r),
  triangle: (c, r) => polygon(c, [[0, -1.1], [1.05, 0.8], [-1.05, 0.8]], r),
  cross: (c, r) => polygon(c, [[-0.38, -1], [0.38, -1], [0.38, -0.38], [1, -0.38], [1, 0.38], [0.38, 0.38], [0.38, 1], [-0.38, 1], [-0.38, 0.38], [-1, 0.38], [-1, -0.38], [-0.38, -0.38]], r),
  house: (c, r) => polygon(c, [[0, -1.1], [1.05, -0.15], [0.8, -0.15], [0.8, 0.9], [-0.8, 0.9], [-0.8, -0.15], [-1.05, -0.15]], r),
  pentagon: (c, r) => regular(c, 5, r),
  hexagon: (c, r) => regular(c, 6, r),
  octagon: (c, r) => regular(c, 8, r),
  star: (c, r) => {
    for (let i = 0; i < 10; i++) {
      const q = (i % 2 ? 0.48 : 1.15) * r;
      const a = (i * Math.PI) / 5 - Math.PI / 2;
      c[i ? "lineTo" : "moveTo"](q * Math.cos(a), q * Math.sin(a));
    }
    c.closePath();
  },
  drop: (c, r) => {
    c.moveTo(0, -1.2 * r);
    c.bezierCurveTo(0.5 * r, -0.5 * r, 0.9 * r, -0.1 * r, 0.9 * r, 0.3 * r);
    c.arc(0, 0.3 * r, 0.9 * r, 0, Math.PI);
    c.bezierCurveTo(-0.9 * r, -0.1 * r, -0.5 * r, -0.5 * r, 0, -1.2 * r);
  },
  shield: (c, r) => {
    c.moveTo(-0.9 * r, -0.9 * r);
    c.lineTo(0.9 * r, -0.9 * r);
    c.bezierCurveTo(0.9 * r, 0.4 * r, 0.4 * r, 0.9 * r, 0, 1.15 * r);
    c.bezierCurveTo(-0.4 * r, 0.9 * r, -0.9 * r, 0.4 * r, -0.9 * r, -0.9 * r);
  },
  flag: (c, r) => polygon(c, [[-0.75, -1.15], [1.1, -0.55], [-0.3, 0.1], [-0.3, 1.15], [-0.75, 1.15]], r),
  no: (c, r) => polygon(c, [[-1.05, -0.65], [-0.65, -1.05], [0, -0.4], [0.65, -1.05], [1.05, -0.65], [0.4, 0], [1.05, 0.65], [0.65, 1.05], [0, 0.4], [-0.65, 1.05], [-1.05, 0.65], [-0.4, 0]], r),
  area: (c, r) => c.rect(-r * 0.62, -r * 0.62, r * 1.24, r * 1.24),
  arrow: (c, r) => polygon(c, [[0, -1.1], [0.9, 0.9], [0, 0.4], [-0.9, 0.9]], r),
};
SHAPES.equilateral_triangle = SHAPES.triangle;
SHAPES.cross_fill = SHAPES.cross;

/** Symbols that stand in a white disc, as a hospital's cross does. */
const IN_DISC = { cross_fill: 0.72 };

/** @param {any} c @param {number[][]} corners @param {number} r */
function polygon(c, corners, r) {
  corners.forEach(([x, y], i) => c[i ? "lineTo" : "moveTo"](x * r, y * r));
  c.closePath();
}

/** @param {any} c @param {number} n @param {number} r */
function regular(c, n, r) {
  polygon(c, Array.from({ length: n }, (_, i) => {
    const a = (i * 2 * Math.PI) / n - Math.PI / 2;
    return [Math.cos(a), Math.sin(a)];
  }), r);
}

/** @type {Map<string, HTMLCanvasElement>} */
const sprites = new Map();

/**
 * A symbol as a small picture, kept for the next time.
 * @param {string} symbol
 * @param {string} colour
 * @param {number} size radius [px]
 * @param {number} m device pixels per pixel
 */
export function sprite(symbol, colour, size, m) {
  const key = [symbol, colour, size, m].join();
  const old = sprites.get(key);
  if (old) return old;
  const canvas = document.createElement("canvas");
  const half = Math.ceil(size * 1.4 + 2);
  canvas.width = canvas.height = half * 2 * m;
  const c = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  c.setTransform(m, 0, 0, m, half * m, half * m);
  c.lineJoin = "round";
  const inner = IN_DISC[/** @type {keyof typeof IN_DISC} */ (symbol)];
  c.beginPath();
  (inner ? SHAPES.circle : SHAPES[symbol] || SHAPES.circle)(c, inner ? size * 1.15 : size);
  c.strokeStyle = "#ffffff";
  c.lineWidth = 3.4;
  c.stroke();
  c.fillStyle = inner ? "#ffffff" : colour;
  c.fill();
  c.strokeStyle = "#1a2530";
  c.lineWidth = 1.1;
  c.stroke();
  if (inner) {
    c.beginPath();
    SHAPES[symbol](c, size * inner);
    c.fillStyle = colour;
    c.fill();
  }
  sprites.set(key, canvas);
  return canvas;
}

/**
 * The outline of a symbol as an SVG path.
 * @param {string} symbol
 * @param {number} r
 * @param {string} fill
 * @param {string} stroke
 */
function outline(symbol, r, fill, stroke) {
  /** @type {string[]} */
  const path = [];
  const pen = {
    moveTo: (/** @type {number} */ x, /** @type {number} */ y) => path.push(`M${x} ${y}`),
    lineTo: (/** @type {number} */ x, /** @type {number} */ y) => path.push(`L${x} ${y}`),
    closePath: () => path.push("Z"),
    bezierCurveTo: (/** @type {number[]} */ ...p) => path.push(`C${p.join(" ")}`),
    rect: (/** @type {number} */ x, /** @type {number} */ y, /** @type {number} */ w, /** @type {number} */ h) =>
      path.push(`M${x} ${y}h${w}v${h}h${-w}Z`),
    arc: (/** @type {number} */ x, /** @type {number} */ y, /** @type {number} */ q, /** @type {number} */ _a, /** @type {number} */ b) =>
      path.push(b > 6 ? `M${x - q} ${y}a${q} ${q} 0 1 0 ${2 * q} 0a${q} ${q} 0 1 0 ${-2 * q} 0Z` : `A${q} ${q} 0 0 1 ${x - q} ${y}`),
  };
  (SHAPES[symbol] || SHAPES.circle)(pen, r);
  const shape = document.createElementNS(SVG, "path");
  shape.setAttribute("d", path.join(""));
  shape.setAttribute("fill", fill);
  shape.setAttribute("stroke", stroke);
  return shape;
}

/**
 * A symbol as an SVG element, for the layer tree and legends.
 * @param {string} symbol
 * @param {string} colour
 */
export function symbolIcon(symbol, colour) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "-10 -10 20 20");
  svg.setAttribute("class", "symbol");
  svg.setAttribute("aria-hidden", "true");
  const inner = IN_DISC[/** @type {keyof typeof IN_DISC} */ (symbol)];
  svg.appendChild(inner ? outline("circle", 8.4, "#ffffff", "#1a2530") : outline(symbol, 7, colour, "#1a2530"));
  if (inner) svg.appendChild(outline(symbol, 5.4, colour, "none"));
  return svg;
}

const ICONS = {
  layers: "M12 3 3 8l9 5 9-5zM3 12l9 5 9-5M3 16l9 5 9-5",
  compare: "M4 5h16v14H4zM12 3v18",
  png: "M12 4v11M7 11l5 5 5-5M4 20h16",
  print: "M7 9V3h10v6M7 17H4V9h16v8h-3M7 14h10v7H7z",
  link: "M10 14a4 4 0 0 0 6 0l3-3a4 4 0 0 0-6-6l-1 1M14 10a4 4 0 0 0-6 0l-3 3a4 4 0 0 0 6 6l1-1",
  measure: "M3 17 17 3l4 4L7 21zM8 12l2 2M11 9l2 2M14 6l2 2",
  screen: "M3 9V3h6M15 3h6v6M21 15v6h-6M9 21H3v-6",
  about: "M5 4h14v16H5zM9 8h6M9 12h6M9 16h4",
  help: "M9 9a3 3 0 1 1 4 3c-1 .5-1 1-1 2M12 18v.5M12 2a10 10 0 1 0 .1 0",
  close: "M5 5l14 14M19 5 5 19",
  search: "M10 4a6 6 0 1 0 .1 0M15 15l6 6",
  home: "M4 4h6M4 4v6M20 4h-6M20 4v6M4 20h6M4 20v-6M20 20h-6M20 20v-6M9 12h6M12 9v6",
  play: "M7 4l13 8-13 8z",
  pause: "M8 4v16M16 4v16",
  more: "M5 12h.01M12 12h.01M19 12h.01",
  menu: "M4 6h16M4 12h16M4 18h16",
  map: "M9 4 3 6v14l6-2 6 2 6-2V4l-6 2zM9 4v14M15 6v14",
};

/**
 * An icon of the page's frame.
 * @param {keyof typeof ICONS} name
 */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", ICONS[name]);
  svg.appendChild(path);
  return svg;
}
