// The four steps of learning as a diagram: a slider over the steps of a run, a node for each layer.

import { ask, element, number, seldom } from "./dom.js";
import { backwardDetail, forwardDetail, inputDetail, percent, size, updateDetail } from "./node.js";
import { kindOf } from "./words.js";

const ROWS = 5;

/** Shows steps in `place`; gives a function that is told how many steps there are by now. */
export function showSteps(place, path, first) {
  const slider = element("input", { type: "range", class: "slider", min: 1, max: 1, value: 1, "aria-label": "Step", oninput: () => go(slider.value) });
  const box = element("input", { type: "number", class: "step-number", min: 1, value: 1, "aria-label": "Step number", onchange: () => go(box.value) });
  const back = element("button", { "aria-label": "Step before", onclick: () => go(wanted.step - 1) }, "‹");
  const on = element("button", { "aria-label": "Step after", onclick: () => go(wanted.step + 1) }, "›");
  const of = element("span", { class: "soft" });
  const told = element("p", { class: "soft", role: "status" });
  const flow = element("div", { class: "flow" });
  const detail = element("div", { class: "detail", tabindex: -1 });
  const about = "A network learns in small steps. Each takes a batch of rows and does four things: it says what it thinks, measures how wrong that is, finds out how much each weight is to blame, and moves every weight a little. Here any step opens, computed again as it was. Choose a box to see its numbers.";
  place.append(element("p", {}, about), element("div", { class: "row" }, back, slider, on, box, of), told, flow);

  let wanted = { step: first, line: null };
  let shown = null;
  let chosen = null;
  let busy = false;

  const load = seldom(async () => {
    if (busy) return;
    busy = true;
    const asked = { ...wanted };
    told.textContent = `Opening step ${number(asked.step)}…`;
    try {
      shown = await ask(address(asked));
      draw();
    } catch (problem) {
      told.textContent = "";
      flow.replaceChildren(element("p", { class: "error", role: "alert" }, problem.message));
    }
    busy = false;
    if (asked.step !== wanted.step || asked.line !== wanted.line) load();
  }, 150);

  function address({ step, line }, layer = "") {
    const asked = new URLSearchParams();
    if (line !== null) asked.set("line", line);
    if (layer) asked.set("layer", layer);
    return `${path}/steps/${step}?${asked}`;
  }

  function go(step, line = null) {
    wanted = { step: Math.min(Math.max(1, Math.round(Number(step)) || 1), Number(slider.max)), line };
    slider.value = box.value = wanted.step;
    slider.setAttribute("aria-valuetext", `step ${wanted.step} of ${slider.max}`);
    back.disabled = wanted.step === 1;
    on.disabled = wanted.step === Number(slider.max);
    history.replaceState(null, "", `${location.hash.split("?")[0]}?step=${wanted.step}`);
    load();
  }

  function draw() {
    const focused = flow.contains(document.activeElement) ? document.activeElement.dataset.node : null;
    const forward = shown.layers.filter((layer) => layer.phase === "forward");
    const loss = shown.layers.find((layer) => layer.phase === "loss");
    const behind = [...shown.layers].reverse().filter((layer) => layer.gradient);
    const steepest = Math.max(...behind.map((layer) => size(layer.gradient)), 1e-30);
    const fastest = Math.max(...shown.updates.map((update) => update.share ?? 0), 1e-30);
    const cells = Object.entries(shown.labels.cells).slice(0, 4).map(([key, value]) => `${key} = ${value}`);
    flow.replaceChildren(
      phase(0, "1 Forward", "What does the network say?", [node("input", "the row", cells.join(", ")), ...forward.map((layer) => node("forward", layer.name, kindOf(layer)))]),
      phase(1, "2 Loss", "How wrong is that?", [loss && node("forward", loss.name, `${number(shown.loss)} on average`), ...rows()]),
      phase(2, "3 Backward", "Who is to blame, and how much?", behind.map((layer) => node("backward", layer.name, `gradient ${number(size(layer.gradient))}`, size(layer.gradient) / steepest))),
      phase(3, "4 Update", "Every weight moves a little.", shown.updates.map((update) => node("update", update.name, `moves ${percent(update.share)} of its size`, update.share / fastest))),
      detail,
    );
    const { epoch, within } = shown.labels;
    told.textContent = `Step ${number(within)} of epoch ${number(epoch)}, ${number(shown.rows.length)} rows. ${apart(shown.apart)}`;
    if (chosen) open(chosen.kind, chosen.name);
    if (focused) flow.querySelector(`[data-node="${CSS.escape(focused)}"]`)?.focus();
  }

  function rows() {
    const line = (row, at) => {
      const name = row.line === null ? `row ${at + 1}` : `line ${row.line}`;
      const mine = at === shown.row;
      const made = element("button", { class: "node", "data-node": `row ${row.line}`, "aria-pressed": String(mine), onclick: () => go(wanted.step, row.line) }, name);
      if (row.predicted) made.append(element("small", {}, `says ${row.predicted}, is ${row.true}`));
      made.append(element("small", {}, `loss ${number(row.loss)}${mine ? " · shown here" : ""}`));
      return made;
    };
    const start = Math.max(0, Math.min(shown.row - 2, shown.rows.length - ROWS));
    const some = shown.rows.slice(start, start + ROWS).map((row, at) => line(row, start + at));
    const more = shown.rows.length - some.length;
    return [...some, more > 0 ? element("small", { class: "soft" }, `and ${more} more rows`) : null];
  }

  function node(kind, name, text, share = null) {
    const made = element("button", { class: "node", "data-node": `${kind} ${name}`, "aria-pressed": "false", onclick: () => open(kind, name, true) }, name, element("small", {}, text));
    if (share !== null) made.append(element("span", { class: "meter", "aria-hidden": "true" }, element("i", { style: `width: ${Math.round(100 * share)}%` })));
    return made;
  }

  /** Opens a node; `visit`: the reader asked for it, and is taken there. */
  function open(kind, name, visit = false, step = shown) {
    chosen = { kind, name };
    const nodes = [...flow.querySelectorAll("[data-node]:not([data-node^='row '])")];
    const at = nodes.findIndex((one) => one.dataset.node === `${kind} ${name}`);
    if (at < 0) return detail.replaceChildren();
    nodes.forEach((one, place) => one.setAttribute("aria-pressed", String(place === at)));
    const told_ = { input: () => inputDetail(step), update: () => updateDetail(step, name), forward: () => forwardDetail(step, name), backward: () => backwardDetail(step, name) }[kind]();
    const color = /p\d/.exec(nodes[at].closest(".phase").className)[0];
    detail.className = `detail after-${color}`;
    detail.replaceChildren(element("section", { class: `card ${color}`, "aria-label": name }, walk(nodes, at), ...told_, whole(kind, name, step)));
    if (!visit) return;
    detail.focus({ preventScroll: true });
    detail.scrollIntoView({ block: "nearest" });
  }

  /** The way from node to node: forward, loss, back again, update. */
  function walk(nodes, at) {
    const to = (place, text) => {
      const [kind, ...name] = nodes[place]?.dataset.node.split(" ") ?? [];
      return element("button", { disabled: !kind, onclick: () => open(kind, name.join(" "), true) }, text);
    };
    return element("div", { class: "row walk" }, to(at - 1, "‹ Before"), to(at + 1, "Next ›"), element("span", { class: "soft" }, `${at + 1} of ${nodes.length}`));
  }

  function whole(kind, name, step) {
    if (kind === "input" || kind === "update" || step.unfolded === name) return null;
    const show = async () => {
      button.disabled = true;
      open(kind, name, true, await ask(address(wanted, name)));
    };
    const button = element("button", { onclick: show }, "Every number");
    return button;
  }

  return (steps) => {
    if (!steps) return;
    const before = Number(slider.max);
    slider.max = box.max = steps;
    on.disabled = wanted.step >= steps;
    of.textContent = `of ${number(steps)}`;
    if (!shown && before === 1) go(first);
  };
}

/** How far the step as it was trained and the slower calculation shown here are apart. */
function apart(found) {
  if (!found) return "";
  const how = found.ran.startsWith("interpreted") ? "operation by operation" : "as machine code";
  const difference = found.largest ? `they differ by at most ${number(found.largest)} of the largest number (${found.where})` : "they agree to the last bit";
  return `It was trained ${how}; run again and then with every number kept, ${difference}.`;
}

function phase(at, title, about, nodes) {
  const list = nodes.filter(Boolean);
  return element("section", { class: `phase p${at}`, "aria-label": title }, element("h2", {}, title), element("p", {}, about), ...list);
}
