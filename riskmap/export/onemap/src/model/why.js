// @ts-check
/** Why a unit stands where it stands, in a sentence that the run has made. */
import { loadBlocks, read } from "../data/read.js";
import { app, emit, state } from "./core.js";
import { moved } from "./score.js";

/** @type {Record<string, Record<string, string[]>>} */
let sentences = {};

/** Unpack the sentences. */
export async function loadReasons() {
  const { why } = app.model;
  if (!why) return;
  await loadBlocks([why.b]);
  sentences = JSON.parse(new TextDecoder().decode(read(why)));
  emit("why");
}

/** The sentence of a unit under the scenario chosen; "" where there is none or the weights are moved. @param {number} unit */
export function reasonOf(unit) {
  if (moved()) return "";
  const own = sentences[state.scenario] || sentences[""];
  const said = own && own[state.lang === "en" ? "en" : "zh"];
  return (said && said[unit]) || "";
}
