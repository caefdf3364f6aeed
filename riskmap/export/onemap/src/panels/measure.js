// @ts-check
/** Measuring distance and area. */
import { app, byId, distance, el, figures, fill, on, t } from "../model/core.js";
import { addCanvas, redraw } from "../draw/canvas.js";
import { mercatorX, mercatorY, metres, ringArea } from "../data/geo.js";

/** @type {number[][]} */
let points = [];

/** Length [m] and area [m2] of what has been clicked. */
export function measured(list = points) {
  let length = 0;
  for (let i = 1; i < list.length; i++) length += metres(list[i - 1][0], list[i - 1][1], list[i][0], list[i][1]);
  return { length, area: list.length > 2 ? ringArea(list) : 0 };
}

function render() {
  const box = byId("measure-box");
  box.hidden = !app.measuring;
  const tool = byId("tool-measure");
  tool.classList.toggle("on", !!app.measuring);
  tool.setAttribute("aria-pressed", String(!!app.measuring));
  app.map.getContainer().style.cursor = app.measuring ? "crosshair" : "";
  if (!app.measuring) return;
  const { length, area } = measured();
  fill(box, el("b", null, points.length < 2 ? t("Click points on the map") : distance(length)),
    area ? el("span", null, t("Area {area}", { area: area < 1e5 ? figures(area) + " m²" : figures(area / 1e6) + " km²" })) : null,
    el("button", { id: "measure-undo", class: "small", onclick: () => {
      points.pop();
      update();
    } }, t("Undo")),
    el("button", { id: "measure-done", class: "small", onclick: stop }, t("Done")));
}

function update() {
  render();
  redraw("measure");
}

function stop() {
  const held = byId("measure-box").contains(document.activeElement);
  app.measuring = false;
  points = [];
  app.map.doubleClickZoom.enable();
  update();
  if (held) byId("tool-measure").focus();
}

/** @param {any} view */
function draw(view) {
  const { ctx } = view;
  const at = points.map(([lon, lat]) => [mercatorX(lon) * view.k - view.ox, mercatorY(lat) * view.k - view.oy]);
  ctx.beginPath();
  at.forEach(([x, y], i) => ctx[i ? "lineTo" : "moveTo"](x, y));
  if (at.length > 2) {
    ctx.fillStyle = "rgba(11,45,79,.14)";
    ctx.fill();
  }
  ctx.strokeStyle = "#ffffff";
  ctx.lineWidth = 5;
  ctx.stroke();
  ctx.strokeStyle = "#0b2d4f";
  ctx.lineWidth = 2.4;
  ctx.stroke();
  for (const [x, y] of at) {
    ctx.beginPath();
    ctx.arc(x, y, 4.5, 0, 7);
    ctx.fillStyle = "#ffffff";
    ctx.fill();
    ctx.stroke();
  }
}

/** Make the measuring tool work. */
export function startMeasure() {
  addCanvas("measure", 270, draw, () => points.length > 0);
  on("measure", () => {
    if (app.measuring) return stop();
    app.measuring = true;
    app.map.doubleClickZoom.disable();
    update();
  });
  app.map.on("click", (/** @type {any} */ e) => {
    if (!app.measuring) return;
    points.push([e.latlng.lng, e.latlng.lat]);
    update();
  });
  on("language", () => app.measuring && render());
  document.addEventListener("keydown", (e) => e.key === "Escape" && app.measuring && stop());
}
