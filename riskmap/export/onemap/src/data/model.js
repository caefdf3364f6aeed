// @ts-check
/** The model: units, grid, index tables and layers made from the header. */
import { app, state } from "../model/core.js";
import { allStrings, later, lazyStrings, loadBlocks, read, readColumn, readShape, readStrings } from "./read.js";
import { gridMapping, insideShape, mercatorX, mercatorY, toSquare } from "./geo.js";

/**
 * @param {any} head
 */
function makeUnits(head) {
  const units = { ...head, level: read(head.level), parent: read(head.parent) };
  for (const name of ["population", "area", "far", "farShare"]) later(units, name, () => (head[name] ? read(head[name]) : null));
  const { lon, lat } = head;
  later(units, "lon", () => read(lon));
  later(units, "lat", () => read(lat));
  units.x = (/** @type {number} */ u) => mercatorX(units.lon[u]);
  units.y = (/** @type {number} */ u) => mercatorY(units.lat[u]);
  units.shape = readShape(head.shape, head.n);
  units.idOf = lazyStrings(head.ids);
  units.name = lazyStrings(head.names);
  later(units, "ids", () => allStrings(head.ids));
  later(units, "names", () => allStrings(head.names));
  later(units, "row", () => rowsById(units.ids));
  const { level, parent } = units;
  units.above = [];
  units.rows = [];
  for (let l = 0; l < head.levels.length; l++) {
    later(units.above, String(l), () => {
      const out = new Int32Array(head.n).fill(-1);
      for (let u = 0; u < head.n; u++) {
        let at = u;
        for (let step = 0; step < 9 && at >= 0 && level[at] !== l; step++) at = parent[at];
        if (at >= 0 && level[at] === l) out[u] = at;
      }
      return out;
    });
    units.rows.push([]);
  }
  for (let u = 0; u < head.n; u++) units.rows[level[u]].push(u);
  return units;
}

/** @param {string[]} ids @returns {Map<string, number>} */
function rowsById(ids) {
  return new Map(ids.map((id, i) => [id, i]));
}

/** @param {any} head */
function makeGrid(head) {
  if (!head) return null;
  const runs = read(head.runs);
  const flat = new Uint32Array(head.n);
  const cellAt = new Int32Array(head.rows * head.cols).fill(-1);
  for (let i = 0, at = 0, cell = 0; i < runs.length; at += runs[i], i++) {
    if (i % 2) for (let k = 0; k < runs[i]; k++, cell++) cellAt[(flat[cell] = at + k)] = cell;
  }
  const grid = { ...head, flat, cellAt, mapping: gridMapping(head.map) };
  later(grid, "unit", () => {
    const numbered = read(head.unit);
    const unit = new Int32Array(numbered.length);
    for (let i = 0; i < unit.length; i++) unit[i] = numbered[i] - 1; // five times as fast as from() with a function
    return unit;
  });
  later(grid, "population", () => (head.population ? read(head.population) : null));
  return grid;
}

/**
 * What a surface may show: every component and the groups within it, each behind the one that holds it.
 * @param {any[]} nodes
 * @param {string} code
 * @param {number} [depth]
 * @returns {{node: any, depth: number}[]}
 */
function partsBelow(nodes, code, depth = 0) {
  return nodes.filter((n) => n.parent === code && n.code !== code && (depth === 0 || n.kind === "group"))
    .flatMap((node) => [{ node, depth }, ...partsBelow(nodes, node.code, depth + 1)]);
}

/**
 * One table of the index.
 * @param {any} head
 * @param {string} kind unit or cell
 */
function makeTable(head, kind) {
  const table = { ...head, kind, base: { cls: read(head.class), groups: null } };
  later(table.base, "score", () => read(head.score));
  table.columns = {};
  table.cache = new Map();
  for (const name of ["rank", "stability"]) later(table, name, () => (head[name] ? read(head[name]) : null));
  table.nodes = new Map(head.tree.nodes.map((/** @type {any} */ n) => [n.code, n]));
  table.components = head.tree.nodes.filter((/** @type {any} */ n) => n.parent === head.tree.root && n.code !== head.tree.root);
  const told = new Set([...head.tree.groups.map((/** @type {any} */ g) => g.code), ...Object.keys(head.values)]);
  table.parts = partsBelow(head.tree.nodes, head.tree.root).filter((part) => told.has(part.node.code)); // an edition may withhold some
  table.ready = head.exact;
  return table;
}

/**
 * Have a table's indicators at hand.
 * @param {any} table
 */
export async function loadTable(table) {
  await loadBlocks(Object.values(table.values).map((/** @type {any} */ s) => s.b));
  table.ready = true;
}

/**
 * An indicator of a table, scaled.
 * @param {any} table
 * @param {string} code
 */
export function values(table, code) {
  return table.columns[code] || (table.columns[code] = read(table.values[code]));
}

/**
 * An indicator of a table in its own unit, or null.
 * @param {any} table
 * @param {string} code
 */
export async function rawValues(table, code) {
  const spec = table.raw[code];
  if (!spec) return null;
  if (spec.line) {
    const [start, slope] = spec.line;
    return table.columns["raw:" + code] || (table.columns["raw:" + code] = Float32Array.from(values(table, code), (v) => start + slope * v));
  }
  await loadBlocks([spec.b]);
  return table.columns["raw:" + code] || (table.columns["raw:" + code] = read(spec));
}

/** @param {any} head */
function makeLayer(head) {
  if (head.kind !== "point" && head.shape) head.shape = readShape(head.shape, head.n);
  if (head.rank) head.rank = read(head.rank);
  if (!head.ids) return head;
  const { ids, source } = head;
  head.name = lazyStrings(head.names);
  head.idOf = lazyStrings(ids);
  later(head, "ids", () => allStrings(ids));
  later(head, "rowOf", () => rowsById(head.ids));
  const { lon, lat } = head;
  later(head, "lon", () => read(lon));
  later(head, "lat", () => read(lat));
  later(head, "xy", () => {
    const out = [new Float64Array(head.n), new Float64Array(head.n)];
    toSquare(head.lon, head.lat, out[0], out[1]);
    return out;
  });
  later(head, "x", () => head.xy[0]);
  later(head, "y", () => head.xy[1]);
  const [west, south, east, north] = head.bounds;
  head.box = [mercatorX(west), mercatorY(north), mercatorX(east), mercatorY(south)];
  head.unit = read(head.unit);
  head.level = read(head.level);
  for (const field of [...head.fields, ...head.extra]) later(field, "column", () => readColumn(field.data));
  const { out } = head;
  later(head, "outOfUse", () => new Set(out ? read(out) : []));
  if (source) later(head, "source", () => ({ file: readStrings(source.file), row: read(source.row) }));
  return head;
}

/** @param {any} head */
function makeNeighbours(head) {
  if (!head) return null;
  const [x, y] = [new Float64Array(head.n), new Float64Array(head.n)];
  toSquare(read(head.lon), read(head.lat), x, y);
  return { n: head.n, name: lazyStrings(head.names), x, y, shape: readShape(head.shape, head.n) };
}

/** @param {any} head */
function makePlan(head) {
  head.kind = readStrings(head.kind);
  head.label = head.label ? readColumn(head.label).text : null;
  head.said = head.said ? readColumn(head.said).text : null;
  head.scenario = readStrings(head.scenario);
  head.when = head.when ? readStrings(head.when) : null;
  head.band = read(head.band);
  head.time = head.time ? read(head.time) : null;
  head.lon = read(head.lon);
  head.lat = read(head.lat);
  if (head.shape) head.shape = readShape(head.shape, head.n);
  return head;
}

/**
 * Make the model.
 * @param {any} head the header of the data
 */
export function makeModel(head) {
  /** @type {Record<string, any>} */
  const tables = {};
  for (const [key, part] of Object.entries(head.index)) tables[key] = makeTable(part, key.split("@")[0]);
  app.texts = head.texts;
  const layers = head.layers.map(makeLayer);
  app.model = {
    ...head,
    units: makeUnits(head.units),
    grid: makeGrid(head.grid),
    tables,
    layers,
    things: layers.filter((/** @type {any} */ l) => l.name),
    base: layers.filter((/** @type {any} */ l) => !l.name),
    plans: head.plans.map(makePlan),
    earlier: head.earlier && { ...head.earlier, cls: read(head.earlier.classes), score: read(head.earlier.scores) },
    neighbours: makeNeighbours(head.neighbours),
    layer: new Map(layers.map((/** @type {any} */ l) => [l.id, l])),
  };
  return app.model;
}

/**
 * The table of units or cells under the scenario chosen.
 * @param {"unit" | "cell"} kind
 * @param {string} [scenario]
 */
export function table(kind, scenario = state.scenario) {
  const { tables } = app.model;
  return (scenario && tables[kind + "@" + scenario]) || tables[kind] || null;
}

/**
 * Does a unit lie in the town (or other unit) that is filtered by?
 * @param {number} unit
 */
export function inTown(unit) {
  if (state.town < 0) return true;
  if (unit < 0) return false;
  const { units } = app.model;
  return units.above[units.level[state.town]][unit] === state.town;
}

/**
 * The finest unit at a place, -1 outside.
 * @param {number} x
 * @param {number} y
 * @param {number} [level]
 */
export function unitAt(x, y, level) {
  const { units } = app.model;
  const from = level === undefined ? units.levels.length - 1 : level;
  for (let l = from; l >= (level === undefined ? 0 : level); l--) {
    for (const u of units.rows[l]) if (insideShape(units.shape, u, x, y)) return u;
  }
  return -1;
}

/**
 * The cell at a place, -1 outside.
 * @param {number} x
 * @param {number} y
 */
export function cellAt(x, y) {
  const { grid } = app.model;
  if (!grid) return -1;
  const [col, row] = grid.mapping.toGrid(x, y);
  if (col < 0 || row < 0 || col >= grid.cols || row >= grid.rows) return -1;
  return grid.cellAt[Math.floor(row) * grid.cols + Math.floor(col)];
}

/** Box of all units on the Mercator square. @returns {[number, number, number, number]} */
export function wholeBox() {
  const { units } = app.model;
  let [x0, y0, x1, y1] = [Infinity, Infinity, -Infinity, -Infinity];
  for (let u = 0; u < units.n; u++) {
    const b = u * 4;
    x0 = Math.min(x0, units.shape.box[b]);
    y0 = Math.min(y0, units.shape.box[b + 1]);
    x1 = Math.max(x1, units.shape.box[b + 2]);
    y1 = Math.max(y1, units.shape.box[b + 3]);
  }
  return [x0, y0, x1, y1];
}

/**
 * Centre of a cell on the Mercator square.
 * @param {number} cell
 * @returns {[number, number]}
 */
export function cellCentre(cell) {
  const { grid } = app.model;
  const at = grid.flat[cell];
  return grid.mapping.toMap((at % grid.cols) + 0.5, Math.floor(at / grid.cols) + 0.5);
}

/** The level of towns, or the coarsest with more than one unit. */
export function rankingLevel() {
  const { units } = app.model;
  const town = units.levels.indexOf("town");
  if (town >= 0) return town;
  const many = units.rows.findIndex((/** @type {number[]} */ r) => r.length > 1);
  return many < 0 ? 0 : many;
}

/** Typical size of a unit of a level on the Mercator square: the median of a thousand. @param {number} level */
export function unitSpan(level) {
  const { units } = app.model;
  units.span = units.span || [];
  if (units.span[level] === undefined) {
    const { box } = units.shape;
    const rows = units.rows[level];
    const sizes = new Float64Array(Math.min(rows.length, 1000));
    for (let i = 0; i < sizes.length; i++) {
      const b = 4 * rows[Math.floor((i * rows.length) / sizes.length)];
      sizes[i] = Math.sqrt((box[b + 2] - box[b]) * (box[b + 3] - box[b + 1]));
    }
    sizes.sort();
    units.span[level] = sizes[sizes.length >> 1] || 0;
  }
  return units.span[level];
}

/** From this size on the screen [px] on cells are worth drawing. */
const CELL_PIXELS = 12;
/** With fewer units than this the map is filled by cells from the start. */
const FEW_UNITS = 4;

/** Width of a cell in the middle of the grid on the Mercator square. */
export function cellSpan() {
  const { grid } = app.model;
  const a = grid.mapping.toMap(grid.cols / 2, grid.rows / 2, [0, 0]);
  const b = grid.mapping.toMap(grid.cols / 2 + 1, grid.rows / 2, [0, 0]);
  return Math.hypot(b[0] - a[0], b[1] - a[1]);
}

/**
 * What fills the map now: "unit", "cell" or, when nothing does, "". Never both, since blended colours fit no legend.
 * @returns {"unit" | "cell" | ""}
 */
export function surfaceKind() {
  if (!state.shown.surface) return "";
  return fillKind();
}

/**
 * The earlier result, where units are compared with it: without a scenario, with the project's weights, for the index.
 * @returns {any} name, cls, score, items; null
 */
export function earlier() {
  return app.model.earlier && !state.scenario && !state.view && !Object.keys(state.weights).length && table("unit") ? app.model.earlier : null;
}

/** What would fill the map if the surface were on. @returns {"unit" | "cell" | ""} */
export function fillKind() {
  const { units, grid } = app.model;
  const cells = !!grid && !!table("cell");
  if (!table("unit")) return cells ? "cell" : "";
  if (!cells || state.surface === "units" || (state.compare && earlier())) return "unit";
  if (state.surface === "grid" || units.rows[units.levels.length - 1].length < FEW_UNITS) return "cell";
  return cellSpan() * 256 * 2 ** app.map.getZoom() >= CELL_PIXELS ? "cell" : "unit";
}
