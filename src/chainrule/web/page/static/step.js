// The four steps of learning, opened: a slider over the steps, a node for each layer.

import { ask, element, number, numbers, seldom, table } from "./dom.js";

const ROWS = 8;

/** Shows steps in `place`; gives a function that is told how many steps there are by now. */
export function showSteps(place, path, running) {
  const slider = element("input", { type: "range", class: "slider", min: 1, max: 1, value: 1, "aria-label": "Step", oninput: () => go(slider.value) });
  const box = element("input", { type: "number", class: "step-number", min: 1, value: 1, "aria-label": "Step number", onchange: () => go(box.value) });
  const of = element("span", { class: "soft" });
  const flow = element("div", { class: "flow" });
  const detail = element("div", { class: "detail", "aria-live": "polite" });
  const about = "Every step of the training can be opened: it is computed again as it was, and then once more slowly, with every number kept. Choose a node to see what it computed and how the gradient passed through it.";
  place.append(element("p", { class: "soft" }, about), element("div", { class: "row" }, slider, box, of), flow, detail);

  let wanted = { step: 1, line: null };
  let shown = null;
  let chosen = null;
  let busy = false;

  const load = seldom(async () => {
    if (busy) return setTimeout(load, 100);
    busy = true;
    const asked = { ...wanted };
    try {
      const line = asked.line === null ? "" : `?line=${asked.line}`;
      shown = await ask(`${path}/steps/${asked.step}${line}`);
      draw();
    } catch (problem) {
      flow.replaceChildren(element("p", { class: "error" }, problem.message));
    }
    busy = false;
    if (asked.step !== wanted.step || asked.line !== wanted.line) load();
  }, 150);

  function go(step, line = null) {
    wanted = { step: Math.min(Math.max(1, Math.round(Number(step)) || 1), Number(slider.max)), line };
    slider.value = box.value = wanted.step;
    load();
  }

  function draw() {
    const forward = shown.layers.filter((layer) => layer.phase === "forward");
    const back = [...shown.layers].reverse().filter((layer) => layer.gradient);
    const steepest = Math.max(...back.map((layer) => size(layer.gradient)), 1e-30);
    const fastest = Math.max(...shown.updates.map((update) => update.share ?? 0), 1e-30);
    flow.replaceChildren(
      phase(0, "1 Forward", "What the network says.", [inputs(), ...forward.map((layer) => node("forward", layer.name, kindOf(layer)))]),
      phase(1, "2 Loss", `How wrong that is: ${number(shown.loss)}`, losses()),
      phase(2, "3 Backward", "How much each part is to blame.", back.map((layer) => node("backward", layer.name, `gradient ${number(size(layer.gradient))}`, size(layer.gradient) / steepest))),
      phase(3, "4 Update", "Every weight moves a little.", shown.updates.map((update) => node("update", update.name, `moved ${percent(update.share)} of its size`, update.share / fastest))),
    );
    if (chosen) open(chosen.kind, chosen.name);
  }

  function inputs() {
    return node("input", "the row", Object.entries(shown.labels.cells).slice(0, 4).map(([key, value]) => `${key} = ${value}`).join(", "));
  }

  function losses() {
    const line = (row, at) => {
      const told = row.predicted ? `says ${row.predicted}, is ${row.true}` : "";
      const pick = () => go(wanted.step, row.line);
      const name = row.line === null ? `row ${at + 1}` : `line ${row.line}`;
      const made = element("button", { class: "node", onclick: pick, "aria-pressed": String(at === shown.row) }, `${at === shown.row ? "▸ " : ""}${name}`);
      made.append(element("small", {}, told), element("small", {}, `loss ${number(row.loss)}`));
      return made;
    };
    const first = Math.max(0, Math.min(shown.row - 2, shown.rows.length - ROWS));
    const some = shown.rows.slice(first, first + ROWS).map((row, at) => line(row, first + at));
    const more = shown.rows.length - some.length;
    const loss = node("forward", "loss", "how it is computed");
    return [loss, ...some, more > 0 ? element("small", { class: "soft" }, `and ${more} more rows`) : null];
  }

  function node(kind, name, told, share = null) {
    const open_ = chosen?.kind === kind && chosen?.name === name;
    const made = element("button", { class: "node", "data-node": `${kind} ${name}`, "aria-expanded": String(open_), onclick: () => open(kind, name, true) }, name, element("small", {}, told));
    if (share !== null) made.append(element("span", { class: "meter", "aria-hidden": "true" }, element("i", { style: `width: ${Math.round(100 * share)}%` })));
    return made;
  }

  async function open(kind, name, scroll = false) {
    chosen = { kind, name };
    for (const one of flow.querySelectorAll("[data-node]")) one.setAttribute("aria-expanded", String(one.dataset.node === `${kind} ${name}`));
    const layer = shown.layers.find((one) => one.name === name);
    const card = element("div", { class: "card" });
    if (kind === "input") card.append(...inputDetail());
    else if (kind === "update") card.append(...updateDetail(shown.updates.find((one) => one.name === name)));
    else card.append(...layerDetail(layer, kind), wholeButton(card, name, kind));
    detail.replaceChildren(card);
    if (scroll) detail.scrollIntoView({ block: "nearest" });
  }

  function wholeButton(card, name, kind) {
    return element("button", {
      onclick: async () => {
        const whole = await ask(`${path}/steps/${wanted.step}?layer=${encodeURIComponent(name)}${wanted.line === null ? "" : `&line=${wanted.line}`}`);
        card.replaceChildren(...layerDetail(whole.layers.find((one) => one.name === name), kind));
      },
    }, "Every number");
  }

  function inputDetail() {
    const cells = Object.entries(shown.labels.cells);
    const parts = Object.entries(shown.inputs).map(([name, values]) => [name, numbers(values)]);
    return [element("h3", {}, `The row of line ${shown.rows[shown.row].line} of ${shown.labels.source}`), table(["column", "value"], cells), element("p", { class: "soft" }, "As the network gets it:"), table(["", ""], parts)];
  }

  function layerDetail(layer, kind) {
    const row = layer.output.shape[0] === shown.rows.length ? shown.row : null;
    const head = element("h3", {}, layer.name, " ", element("span", { class: "soft" }, kindOf(layer)));
    const made = [head];
    if (kind === "forward") {
      if (layer.written.length) made.push(element("pre", {}, layer.written.join("\n")));
      made.push(element("p", { class: "soft" }, "What it gives on:"), numbers(layer.output, row));
    } else {
      made.push(element("p", { class: "soft" }, "What comes in: how the loss changes with what this layer gave."), numbers(layer.gradient, row));
      if (layer.passed.length) made.push(element("pre", {}, layer.passed.join("\n")));
    }
    made.push(element("h3", {}, kind === "forward" ? "Its operations" : "Incoming gradient × local derivative = what is passed on"));
    const links = kind === "forward" ? layer.links : [...layer.links].reverse();
    for (const link of links) made.push(...(kind === "forward" ? linkForward(link) : linkBack(link)));
    return made;
  }

  function linkForward(link) {
    const row = link.output.shape[0] === shown.rows.length ? shown.row : null;
    return [chain([[`${link.name} = ${link.op}(${link.inputs.join(", ")})`, element("span", { class: "soft" }, link.what)], ["value", numbers(link.output, row)]])];
  }

  function linkBack(link) {
    return link.factors.map((factor) => {
      const row = link.output.shape[0] === shown.rows.length ? shown.row : null;
      const to = factor.passed.shape[0] === shown.rows.length ? shown.row : null;
      const local = factor.local ? numbers(factor.local, row) : element("span", { class: "soft" }, link.formula);
      return chain([[`through ${link.op} to ${factor.to}`, element("span", { class: "soft" }, link.formula)], ["incoming", numbers(link.gradient, row)], ["× local derivative", local], ["= passed on", numbers(factor.passed, to)]]);
    });
  }

  function updateDetail(update) {
    const parts = [["before", update.before], ["gradient", update.gradient], ["direction (what the optimizer made of it)", update.direction], ["change", update.change], ["after", update.after]];
    const written = update.written.length ? element("pre", {}, update.written.join("\n")) : null;
    const rule = update.rate === null ? "after = before + change" : `after = before − rate × direction, rate ${number(update.rate)}`;
    return [element("h3", {}, update.name), element("p", {}, rule), written, chain(parts.map(([name, values]) => [name, numbers(values, null)]))].filter(Boolean);
  }

  function follow(steps) {
    if (!steps) return;
    const first = Number(slider.max) === 1 && !shown;
    slider.max = box.max = steps;
    of.textContent = `of ${steps.toLocaleString("en")}`;
    if (first) go(1);
    else if (running && !chosen && document.activeElement !== slider && document.activeElement !== box) slider.value = wanted.step;
  }
  return follow;
}

function phase(at, title, about, nodes) {
  const list = nodes.filter(Boolean);
  return element("section", { class: `phase p${at}`, "aria-label": title }, element("h3", {}, title), element("p", {}, about), ...list);
}

function chain(parts) {
  return element("div", { class: "chain" }, ...parts.map(([name, value]) => element("div", {}, element("b", {}, name), value)));
}

/** What a layer is, in short: Linear 18 → 64. */
function kindOf(layer) {
  const sizes = /^(\w+)\(in_features=(\d+), out_features=(\d+)/.exec(layer.kind);
  return sizes ? `${sizes[1]} ${sizes[2]} → ${sizes[3]}` : layer.kind.replace("()", "");
}

function size(array) {
  if (array.norm !== undefined) return array.norm;
  return array.values === undefined ? 0 : Math.hypot(...[array.values].flat(Infinity).map((one) => one ?? 0));
}

function percent(share) {
  return share === null ? "an unknown share" : `${Number((100 * share).toPrecision(2))}%`;
}
