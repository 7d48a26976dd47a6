// The form: made from /schema, its row sent to /predict. No library, nothing from elsewhere.
"use strict";

const at = (id) => document.getElementById(id);
let token = sessionStorage.getItem("token") || "";
let inputs = [];
const WRITTEN = { Y: "YYYY", y: "YY", m: "MM", d: "DD", b: "Mon", B: "Month" };

function make(name, properties, ...children) {
  const element = Object.assign(document.createElement(name), properties);
  element.append(...children);
  return element;
}

async function ask(path, options = {}) {
  const headers = { ...options.headers };
  if (token) headers.Authorization = `Bearer ${token}`;
  const response = await fetch(path, { ...options, headers });
  const body = await response.json();
  return { status: response.status, body };
}

async function begin() {
  const { status, body } = await ask("/schema");
  at("access").hidden = status !== 401;
  if (status === 401) {
    at("about").textContent = "";
    return;
  }
  const names = body.targets.map((target) => target.name).join(", ");
  document.title = `Predict ${names}`;
  at("title").textContent = `Predict ${names}`;
  at("about").textContent = about(body);
  inputs = body.inputs;
  at("fields").replaceChildren(...inputs.map(field));
  at("form").hidden = false;
}

function about({ card, targets }) {
  const scores = Object.entries(card.scores).map(([name, score]) =>
    `${name.replaceAll("_", " ")} ${score === null ? "not defined" : Number(score.toPrecision(4))}`);
  const trained = card.data ? [`Trained on ${card.data}, ${card.date}.`] : [];
  const tested = scores.length ? [`On its test rows: ${scores.join(", ")}.`] : [];
  const units = targets.filter((target) => target.unit).map((target) => `${target.name} is in ${target.unit}.`);
  return [...trained, ...tested, ...units].join(" ");
}

function field(input, place) {
  const box = make("input", { name: input.name, autocomplete: "off", title: input.treatment });
  if (input.kind === "numeric") box.inputMode = "decimal";
  box.placeholder = expected(input);
  const label = make("label", {}, input.unit ? `${input.name} (${input.unit})` : input.name, box);
  if (input.categories) {
    const list = make("datalist", { id: `choices-${place}` },
      ...input.categories.slice(0, 200).map((value) => make("option", { value })));
    box.setAttribute("list", list.id);
    label.append(list);
  }
  return label;
}

function expected({ kind, form, categories = [] }) {
  if (form) return form.replace(/%-?([YymdbB])/g, (_, part) => WRITTEN[part]);
  if (kind === "numeric") return "a number";
  return [...categories.slice(0, 3), ...(categories.length > 3 ? ["…"] : [])].join(", ");
}

function row() {
  const values = {};
  for (const input of inputs) {
    const text = at("form").elements.namedItem(input.name).value.trim();
    values[input.name] = text === "" ? null : valueOf(input, text);
  }
  return values;
}

function valueOf(input, text) {
  if (input.kind === "numeric" && Number.isFinite(Number(text))) return Number(text);
  if (input.kind === "array") {
    try { return JSON.parse(text); } catch { return text; }
  }
  return text;
}

async function predict(event) {
  event.preventDefault();
  const sent = JSON.stringify({ rows: [row()] });
  const { status, body } = await ask("/predict",
    { method: "POST", headers: { "Content-Type": "application/json" }, body: sent });
  const details = body.details || [];
  const wrong = new Set(details.map((detail) => detail.field));
  for (const box of at("fields").querySelectorAll("input")) box.setAttribute("aria-invalid", wrong.has(box.name));
  const told = details.map((detail) => [detail.field, detail.message].filter(Boolean).join(": "));
  at("error").textContent = status === 200 ? "" : [body.error, ...told].join("\n");
  at("answer").replaceChildren(...(status === 200 ? shown(body) : []));
  const secret = token ? ` \\\n  -H 'Authorization: Bearer TOKEN'` : "";
  at("curl").textContent = `curl ${location.origin}/predict \\\n  -H 'Content-Type: application/json'${secret} \\\n`
    + `  -d '${sent.replaceAll("'", "'\\''")}'`;
  at("call").hidden = false;
}

function shown({ predictions, notes }) {
  const parts = Object.entries(predictions[0]).flatMap(([name, { value, probabilities }]) => [
    make("h2", { textContent: name }),
    make("p", { className: "value", textContent: Array.isArray(value) ? value.join(", ") || "none" : value }),
    ...(probabilities ? [chances(probabilities)] : []),
  ]);
  const met = notes.filter((note) => !note.endsWith(": 1 missing value")); // a field that was left empty
  return [...parts, ...met.map((note) => make("p", { className: "about", textContent: note }))];
}

function chances(probabilities) {
  const ranked = Object.entries(probabilities).sort((one, other) => other[1] - one[1]).slice(0, 20);
  return make("table", {}, ...ranked.map(([name, chance]) => make("tr", {},
    make("th", { textContent: name, scope: "row" }),
    make("td", {}, make("meter", { value: chance })),
    make("td", { className: "number", textContent: `${(100 * chance).toFixed(1)} %` }))));
}

at("form").addEventListener("submit", (event) => predict(event).catch(failed));
at("access").addEventListener("submit", (event) => {
  event.preventDefault();
  token = at("access").elements.token.value;
  sessionStorage.setItem("token", token);
  begin().catch(failed);
});

function failed() {
  at("error").textContent = "The service does not answer.";
}

begin().catch(failed);
