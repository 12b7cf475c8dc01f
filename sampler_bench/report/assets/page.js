"use strict";
const DATA = JSON.parse(document.getElementById("data").textContent);
const OVERALL = "(overall)", STEP = 200;
// A column is a task's, or the overall one, or else one of the row's own: two spaces of names.
const MODEL = { own: "model" }, ARM = { own: "arm" }, UPTAKE = { own: "uptake" }, VALID = { own: "validity" };
const WHOLE = { task: OVERALL };
const state = { suite: DATA.suites[0]?.name, arm: "", model: "", key: WHOLE, down: true, limit: STEP, open: new Set() };
for (const row of DATA.rows) for (const part of ["scores", "curves"]) Object.setPrototypeOf(row[part], null);
const at = (id) => document.getElementById(id);

function node(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

function drawing(name, attributes, text) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

const suite = () => DATA.suites.find((one) => one.name === state.suite);
const columns = () => [OVERALL, ...suite().tasks];
const heads = () => [MODEL, ARM, WHOLE, UPTAKE, ...suite().tasks.map((task) => ({ task })), VALID];
const WIDTH = () => heads().length;
const same = (a, b) => a.own === b.own && a.task === b.task;
const titleOf = (task) => task === OVERALL ? "overall" : task;
const score = (row, task, metric) => row.scores[task]?.[metric];
const short = (value) => value == null ? "–" : typeof value === "string" ? value
  : Math.abs(value) >= 1e6 ? value.toExponential(1)
  : Math.abs(value) >= 9.995 ? value.toFixed(0) : (value + 0).toFixed(2).replace("-0.00", "0.00");
const whole = (value) => value == null ? "–" : String(Math.round(value));
const percent = (value) => value == null ? "–" : `${Math.round(100 * value)}%`;

function explained(found, show = short) {
  if (!found || found[0] == null) return "not measured";
  const [value, low, high, n, like] = found;
  const interval = low == null ? "" : `, 95% interval ${show(low)} to ${show(high)}`;
  return `${show(value)}${interval}, n = ${n}${like ? ", like a perfect sampler" : ""}`;
}

function visible() {
  const wanted = state.model.toLowerCase();
  return DATA.rows.filter((row) => row.suite === state.suite && (!state.arm || row.arm === state.arm)
    && (!wanted || row.model.toLowerCase().includes(wanted)));
}

function sortValue(row) {
  if (state.key === MODEL || state.key === ARM) return row[state.key.own];
  if (state.key === VALID || state.key === UPTAKE) return score(row, OVERALL, state.key.own)?.[0];
  return score(row, state.key.task, "skill")?.[0];
}

const names = new Intl.Collator("en", { numeric: true });

function sorted(rows) {
  const keyed = rows.map((row) => [sortValue(row), row]);
  const sign = state.down ? -1 : 1;
  keyed.sort(([a], [b]) => a == null || b == null ? (a == null) - (b == null)
    : typeof a === "string" && typeof b === "string" ? sign * names.compare(a, b) : sign * (a - b));
  return keyed.map(([, row]) => row);
}

function drawHead() {
  const several = new Set(DATA.rows.filter((row) => row.suite === state.suite).map((row) => row.run)).size > 1;
  state.several = several;
  at("head").replaceChildren(...heads().map((key, place) => {
    const title = key === VALID ? "valid" : key === WHOLE ? "skill" : key.own ?? titleOf(key.task);
    const button = node("button", { type: "button" }, title);
    button.addEventListener("click", () => {
      state.down = same(state.key, key) ? !state.down : key !== MODEL && key !== ARM;
      state.key = key;
      draw();
      at("head").querySelectorAll("button")[place].focus();
    });
    const cell = node("th", { scope: "col", "data-key": key.own ?? key.task }, button);
    if (same(state.key, key)) cell.setAttribute("aria-sort", state.down ? "descending" : "ascending");
    return cell;
  }));
}

function drawRow(row) {
  const button = node("button", { type: "button", "aria-expanded": state.open.has(row.id) }, row.model);
  button.addEventListener("click", () => toggle(row, line, button));
  const under = [row.decoder === "ancestral" ? "" : row.decoder, state.several ? `run ${row.run}` : ""].filter(Boolean).join(", ");
  const heading = node("th", { scope: "row" }, button);
  if (under) heading.append(node("small", {}, under));
  const line = node("tr", { "data-row": row.id }, heading, node("td", {}, row.arm + (row.unanswered ? " †" : "") + (row.forced ? " ‡" : "") + (row.unopened ? " §" : "")));
  for (const task of columns()) {
    line.append(cell(row, task));
    if (task === OVERALL) line.append(uptake(row));
  }
  line.append(node("td", {}, percent(score(row, OVERALL, "validity")?.[0])));
  line.addEventListener("click", (event) => { if (!event.target.closest("button")) toggle(row, line, button); });
  return line;
}

function cell(row, task) {
  const [skill, uptake, validity, median] = ["skill", "uptake", "validity", "skill-median"].map((metric) => score(row, task, metric));
  const words = [`skill ${explained(skill)}`, ...(median ? [`median ${short(median[0])}`] : []),
    ...(uptake ? [`uptake ${explained(uptake)}`] : []), `valid ${explained(validity, percent)}`].join("; ");
  const other = validity?.[0] == null ? [] : [node("small", {}, `${percent(validity[0])} valid`)];
  return node("td", { title: words, tabindex: "0", "aria-label": `${titleOf(task)}: ${words}` },
    short(skill?.[0]) + (skill?.[4] ? "≈" : ""), ...other);
}

function uptake(row) {
  const words = `uptake ${explained(score(row, OVERALL, "uptake"))}`;
  return node("td", { title: words, tabindex: "0", "aria-label": `overall: ${words}` }, short(score(row, OVERALL, "uptake")?.[0]));
}

function toggle(row, line, button) {
  if (state.open.delete(row.id)) line.nextElementSibling?.remove();
  else { state.open.add(row.id); line.after(details(row)); }
  button.setAttribute("aria-expanded", state.open.has(row.id));
}

function details(row) {
  const cards = columns().filter((task) => row.scores[task]).map((task) => card(row, task));
  if (row.answers.length) cards.push(written(row));
  return node("tr", { class: "details" }, node("td", { colspan: WIDTH() }, node("div", { class: "cards" }, ...cards)));
}

function written(row) {
  const list = node("dl");
  for (const { task, text, verdict } of row.answers) {
    const pieces = text.map(([kind, piece]) => node(kind, {}, piece));
    list.append(node("dt", {}, task), node("dd", {}, ...(pieces.length ? pieces : [node("i", {}, "nothing")]), node("small", {}, verdict)));
  }
  const more = node("small", {}, "All of it: sampler-bench show RUN --answers");
  return node("section", { class: "card answers" }, node("h2", {}, "some of what it wrote"), list, more);
}

function card(row, task) {
  const list = node("table", {}, node("thead", {}, node("tr", {},
    ...["metric", "value", "95% interval", "n"].map((name) => node("th", { scope: "col" }, name)))));
  const body = list.appendChild(node("tbody"));
  for (const [metric, { unit, about }] of Object.entries(DATA.metrics)) {
    if (!Object.hasOwn(row.scores[task], metric)) continue;
    const [value, low, high, n, like] = row.scores[task][metric];
    const show = unit === "share" ? percent : metric === "rank" ? whole : short;
    const interval = low == null || low === high ? "" : `${show(low)} to ${show(high)}`;
    body.append(node("tr", {}, node("th", { scope: "row", title: about }, metric), node("td", {}, show(value) + (like ? "≈" : "")),
      node("td", {}, interval), node("td", {}, n)));
  }
  const drawn = row.curves[task] ? [profile(row.curves[task], task)] : [];
  return node("section", { class: "card" }, node("h2", {}, titleOf(task)), ...drawn, list);
}

function profile({ entropy, content }, task) {
  const width = 280, height = 130, left = 30, right = 6, top = 8, bottom = 26;
  const cross = entropy.map((value, k) => typeof content[k] === "number" ? value + content[k] : value);
  const most = Math.max(...cross, ...entropy, 0.1), least = Math.min(0, ...cross);
  const x = (k) => left + (width - left - right) * (entropy.length > 1 ? k / (entropy.length - 1) : 0.5);
  const y = (value) => top + (height - top - bottom) * (1 - (value - least) / (most - least));
  const path = (values) => values.map((value, k) => `${k ? "L" : "M"}${x(k).toFixed(1)},${y(value).toFixed(1)}`).join("");
  const back = entropy.map((value, k) => `L${x(k).toFixed(1)},${y(value).toFixed(1)}`).reverse().join("");
  const image = drawing("svg", { viewBox: `0 0 ${width} ${height}`, role: "img",
    "aria-label": `${task}: entropy of the truth and cross-entropy of the model by digit, nats` });
  image.append(
    drawing("line", { class: "axis", x1: left, x2: width - right, y1: y(0), y2: y(0) }),
    drawing("path", { class: "area", d: path(cross) + back + "Z" }),
    drawing("path", { class: "truth", d: path(entropy) }),
    drawing("path", { class: "model", d: path(cross) }),
    drawing("text", { x: 2, y: y(most) + 8 }, most.toFixed(1)), drawing("text", { x: 2, y: y(0) }, "0"),
    drawing("text", { x: left, y: height - 8 }, "digit 1"),
    drawing("text", { x: width - right, y: height - 8, "text-anchor": "end" }, String(entropy.length)),
  );
  return image;
}

function draw() {
  drawHead();
  const rows = sorted(visible());
  const models = rows.filter((row) => !row.reference), references = rows.filter((row) => row.reference);
  const lines = (some) => some.flatMap((row) => state.open.has(row.id) ? [drawRow(row), details(row)] : [drawRow(row)]);
  at("models").replaceChildren(...lines(models.slice(0, state.limit)));
  const title = node("tr", {}, node("th", { scope: "rowgroup", class: "title", colspan: WIDTH() }, "Reference samplers"));
  at("references").replaceChildren(...(references.length ? [title, ...lines(references)] : []));
  at("count").textContent = `${models.length} ${models.length === 1 ? "row" : "rows"}, ${references.length} reference samplers`;
  at("more").hidden = models.length <= state.limit;
}

function drawMore() {
  const models = sorted(visible()).filter((row) => !row.reference);
  at("models").append(...models.slice(state.limit, state.limit + STEP).map(drawRow));
  state.limit += STEP;
  at("more").hidden = models.length <= state.limit;
}

function drawArms() {
  const arms = [...new Set(DATA.rows.filter((row) => row.suite === state.suite).map((row) => row.arm))].sort();
  if (!arms.includes(state.arm)) state.arm = "";
  at("arm").replaceChildren(node("option", { value: "" }, "all"), ...arms.map((arm) => node("option", { value: arm }, arm)));
  at("arm").value = state.arm;
}

at("suite").append(...DATA.suites.map((one) => node("option", { value: one.name }, one.name)));
at("suite").addEventListener("change", (event) => {
  Object.assign(state, { suite: event.target.value, key: WHOLE, down: true, limit: STEP });
  drawArms();
  draw();
});
at("arm").addEventListener("change", (event) => { state.arm = event.target.value; state.limit = STEP; draw(); });
at("model").addEventListener("input", (event) => { state.model = event.target.value; state.limit = STEP; draw(); });
at("controls").addEventListener("submit", (event) => event.preventDefault());
at("more").addEventListener("click", drawMore);
new IntersectionObserver((seen) => { if (seen.some((one) => one.isIntersecting) && !at("more").hidden) drawMore(); })
  .observe(at("more"));
drawArms();
draw();
