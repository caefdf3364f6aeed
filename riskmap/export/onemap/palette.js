// @ts-check
/** Colours and names of the classes. */
import { state, t } from "./core.js";

/** Index 0 = unknown, 1 = low ... 4 = major. */
const PALETTES = {
  four: ["#b9bfc6", "#3f8fe8", "#fff06a", "#f2820c", "#a30f1a"],
  cividis: ["#e4e4e4", "#fdea45", "#a69d75", "#575d6d", "#00224e"],
  pure: ["#b9bfc6", "#0000ff", "#ffff00", "#ffa500", "#ff0000"],
};
const COMPONENT = ["#b9bfc6", "#efe9f7", "#bda7dc", "#7f58b0", "#3d1873"];
/** Colours of the parts of a score. */
export const PARTS = ["#0a5bb0", "#7b3a9e", "#a44a00", "#1d6b3a", "#5c5c5c", "#00727a", "#8a1550", "#6b6b00"];

/** Colours by class of what is shown on the surface. */
export function surfaceColours() {
  return state.view ? COMPONENT : classColours();
}

/** Colours by class. */
export function classColours() {
  return PALETTES[/** @type {keyof typeof PALETTES} */ (state.palette)] || PALETTES.four;
}

/** @param {number} level 0..4 */
export function className(level) {
  return [t("Unknown"), t("Low risk"), t("General risk"), t("Larger risk"), t("Major risk")][level];
}

/** @param {number} level 0..4 @param {boolean} [surface] */
export function levelName(level, surface = false) {
  return [surface ? t("Unknown") : t("No level"), t("Low"), t("General"), t("Larger"), t("Major")][level];
}

/** @param {string} level */
export function unitLevelName(level) {
  const names = {
    district: t("Districts"),
    town: t("Towns"),
    village: t("Communities"),
    grid_duty_area: t("Duty grids"),
    custom: t("Units"),
  };
  return names[/** @type {keyof typeof names} */ (level)] || level;
}

/** @param {string} level */
export function unitLevelOne(level) {
  const names = {
    district: t("district"),
    town: t("town"),
    village: t("community"),
    grid_duty_area: t("duty grid"),
    custom: t("unit"),
  };
  return names[/** @type {keyof typeof names} */ (level)] || level;
}

/**
 * A colour as the four bytes of a canvas pixel.
 * @param {string} colour #rrggbb
 * @param {number} alpha 0..255
 */
export function pixel(colour, alpha) {
  const v = parseInt(colour.slice(1), 16);
  return ((alpha << 24) | ((v & 255) << 16) | (v & 0xff00) | (v >> 16)) >>> 0;
}

/**
 * Black or white, whichever reads better on a colour.
 * @param {string} colour #rrggbb
 */
export function inkOn(colour) {
  const v = parseInt(colour.slice(1), 16);
  /** @param {number} c */
  const linear = (c) => ((c /= 255) <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
  const light = 0.2126 * linear(v >> 16) + 0.7152 * linear((v >> 8) & 255) + 0.0722 * linear(v & 255);
  return light > 0.18 ? "#16202c" : "#ffffff";
}
