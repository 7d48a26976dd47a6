// The playground: two columns, a network, and what it says everywhere while it learns.

import { ask, element, number } from "./dom.js";

const SIDE = 480;

export async function showPlayground(place) {
  const runs = (await ask("api/runs")).filter((run) => run.state !== "unreadable" && run.task !== "mixed" && run.task !== "multi-label");
  const canvas = element("canvas", { hidden: true, width: SIDE, height: SIDE, role: "img", "aria-label": "What the network says at every place of the plane" });
  const curve = element("div");
  const course = element("div", { class: "card", hidden: true }, element("h2", {}, "Loss"), curve, element("p", { class: "soft" }, "How wrong it is after each pass over the rows; lower is better. The validation rows are those that it does not learn from: where only their loss rises, it learns the others by heart."));
  const status = element("p", { role: "status" }, "Press Learn: the rows appear here as dots, and behind them, in colour, what the network would say.");
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
    element("p", {}, "A network learns to tell the dots apart from two numbers: those across and upwards. Change something while it learns, and it begins again with that."),
    element("div", { class: "play" }, form, element("div", { class: "card" }, canvas, legend, status), course),
  );
  fields.run.box.addEventListener("change", columns);
  form.addEventListener("change", async () => {
    if (!events) return;
    await chosen;
    play();
  });
  let events = null;
  let head = null;
  let chosen = Promise.resolve();
  await columns();

  function columns() {
    chosen = offer();
    return chosen;
  }

  async function offer() {
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
      head = turned(found, fields.x.label.hidden ? null : fields.x.box.value);
      const dot = (at) => element("span", { "aria-hidden": "true", style: `color: var(--c${at})` }, "●");
      legend.replaceChildren(...found.groups.slice(0, 6).flatMap((name, at) => [dot(at), ` ${name}  `]), ` · across: ${head.names[0]}, upwards: ${head.names[1]} · ${number(found.size)} weights`);
      return;
    }
    const loss = `training loss ${number(found.train_loss)}, validation loss ${number(found.validation_loss)}`;
    const pace = `${number(Math.round(found.steps / found.seconds))} steps a second`;
    status.textContent = `Epoch ${number(found.epoch)}, step ${number(found.steps)} (${pace}): ${loss}`;
    canvas.hidden = course.hidden = false;
    curve.innerHTML = found.curve;
    paint(canvas, head, found);
  }
  return end;
}

/** The plane as the reader wants it: the server's, or with the two columns the other way round. */
function turned(head, across) {
  if (across === null || head.names[0] === across) return head;
  const [x, y, group] = head.rows;
  return { ...head, names: [...head.names].reverse(), edges: [...head.edges].reverse(), rows: [y, x, group], turned: true };
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
    const places = [at % cells, Math.floor(at / cells)];
    const [column, row] = head.turned ? places.reverse() : places;
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
