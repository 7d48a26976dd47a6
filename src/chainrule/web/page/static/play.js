// The playground: two columns, a network, and what it says everywhere while it learns.

import { ask, element, number } from "./dom.js";

const SIDE = 480;

export async function showPlayground(place) {
  const runs = (await ask("api/runs")).filter((run) => run.state !== "unreadable" && run.task !== "mixed" && run.task !== "multi-label");
  const canvas = element("canvas", { width: SIDE, height: SIDE, role: "img", "aria-label": "What the network says at every place of the plane" });
  const curve = element("div");
  const status = element("p", { role: "status" }, "Choose settings and let it learn.");
  const legend = element("p", { class: "soft" });
  const fields = {
    run: select("Data", [["", "spirals (built in)"], ...runs.map((run) => [run.name, `${run.data} (${run.name})`])]),
    x: select("Column across", []),
    y: select("Column upwards", []),
    layers: input("Hidden layers: how many neurons in each", "text", "32,32"),
    activation: select("Between the layers", ["relu", "tanh", "gelu", "silu"].map((one) => [one, one])),
    lr: input("Learning rate: how large the steps are", "number", "0.003", "any"),
    batch_size: input("Batch: rows in each step", "number", "32", "1"),
    optimizer: select("Optimizer", ["adamw", "adam", "sgd", "rmsprop", "adagrad"].map((one) => [one, one])),
  };
  const start = element("button", { class: "main", onclick: play }, "Learn");
  const stop = element("button", { onclick: end, disabled: true }, "Stop");
  const form = element("form", { class: "card", onsubmit: (event) => { event.preventDefault(); play(); } });
  form.append(...Object.values(fields).map((field) => field.label), element("div", { class: "row" }, start, stop));
  start.type = "submit";
  start.removeEventListener("click", play);
  stop.type = "button";
  place.append(
    element("h1", {}, "Playground"),
    element("p", {}, "A network learns to tell the dots apart from two numbers. The colours show what it would say at each place. Change something and look what becomes of it."),
    element("div", { class: "play" }, form, element("div", { class: "card" }, canvas, legend, status), element("div", { class: "card" }, curve)),
  );
  fields.run.box.addEventListener("change", columns);
  await columns();

  let events = null;
  let head = null;

  async function columns() {
    const name = fields.run.box.value;
    fields.x.label.hidden = fields.y.label.hidden = !name;
    if (!name) return;
    const facts = await ask(`api/runs/${encodeURIComponent(name)}`);
    const found = facts.columns.filter((column) => column[1] === "numeric" && column[2] !== "the target").map((column) => column[0]);
    for (const [field, at] of [[fields.x, 0], [fields.y, 1]]) {
      field.box.replaceChildren(...found.map((column) => element("option", { value: column }, column)));
      field.box.selectedIndex = Math.min(at, found.length - 1);
    }
  }

  function play() {
    end();
    const asked = new URLSearchParams();
    for (const [name, field] of Object.entries(fields)) if (field.box.value && !field.label.hidden) asked.set(name, field.box.value);
    status.textContent = "Getting ready…";
    status.className = "";
    head = null;
    stop.disabled = false;
    events = new EventSource(`api/play?${asked}`);
    events.addEventListener("frame", (event) => frame(JSON.parse(event.data)));
    events.addEventListener("over", end);
    events.onerror = async () => {
      end();
      const answer = await fetch(`api/play?${asked}`).catch(() => null);
      if (answer && !answer.ok) fail((await answer.json()).error);
      else answer?.body?.cancel();
    };
  }

  function end() {
    events?.close();
    events = null;
    stop.disabled = true;
  }

  function fail(message) {
    status.textContent = message;
    status.className = "error";
    end();
  }

  function frame(found) {
    if (found.error) return fail(found.error);
    if (found.rows) {
      head = found;
      legend.replaceChildren(...found.groups.slice(0, 6).map((name, at) => element("span", { style: `color: var(--c${at})` }, `● ${name}  `)), `across: ${found.names[0]}, upwards: ${found.names[1]}`);
      return;
    }
    const loss = `training loss ${number(found.train_loss)}, validation loss ${number(found.validation_loss)}`;
    status.textContent = `epoch ${found.epoch}, step ${found.steps.toLocaleString("en")}, ${number(found.seconds)} s: ${loss}`;
    curve.innerHTML = found.curve;
    paint(canvas, head, found);
  }
  return end;
}

function paint(canvas, head, found) {
  const pen = canvas.getContext("2d");
  const styles = getComputedStyle(document.documentElement);
  const color = (at) => styles.getPropertyValue(`--c${at % 6}`).trim();
  const cells = Math.round(Math.sqrt(found.sure.length));
  const wide = SIDE / cells;
  pen.globalAlpha = 1;
  pen.fillStyle = styles.getPropertyValue("--paper");
  pen.fillRect(0, 0, SIDE, SIDE);
  found.sure.forEach((sure, at) => {
    const [column, row] = [at % cells, Math.floor(at / cells)];
    pen.globalAlpha = 0.5 * sure;
    pen.fillStyle = color(found.group[at]);
    pen.fillRect(Math.floor(column * wide), Math.floor(SIDE - (row + 1) * wide), Math.ceil(wide), Math.ceil(wide));
  });
  const [x, y, group] = head.rows;
  const [across, upwards] = head.edges;
  const place = (value, edges) => ((value - edges[0]) / (edges.at(-1) - edges[0])) * SIDE;
  pen.globalAlpha = 1;
  pen.strokeStyle = styles.getPropertyValue("--paper");
  x.forEach((value, at) => {
    pen.beginPath();
    pen.arc(place(value, across), SIDE - place(y[at], upwards), 4, 0, 7);
    pen.fillStyle = color(group[at]);
    pen.fill();
    pen.stroke();
  });
}

function select(title, options) {
  const box = element("select", {}, ...options.map(([value, text]) => element("option", { value }, text)));
  return { box, label: element("label", {}, title, box) };
}

function input(title, type, value, step = null) {
  const box = element("input", { type, value, step, min: type === "number" ? 0 : null });
  return { box, label: element("label", {}, title, box) };
}
