// What a node of the diagram tells when it is opened.

import { element, number, numbers } from "./dom.js";
import { kindOf, meaningOf } from "./words.js";

/** The row that the step is shown for, as it stands in the file and as the network gets it. */
export function inputDetail(step) {
  const row = step.rows[step.row];
  const where = row.line === null ? "" : `: line ${row.line} of ${step.labels.source}`;
  const cells = Object.entries(step.labels.cells).map(([key, value]) => element("div", {}, element("dt", {}, key), element("dd", {}, value)));
  const got = Object.entries(step.inputs).filter(([, values]) => !values?.shape?.includes(0));
  return [
    element("h3", {}, `The row${where}`),
    element("dl", { class: "cells" }, ...cells),
    element("p", { class: "soft" }, "A network knows only numbers, best around 0 and of size 1. So it gets:"),
    ...got.map(([name, values]) => field(name, numbers(values))),
  ];
}

export function forwardDetail(step, name) {
  const layer = step.layers.find((one) => one.name === name);
  return [
    ...heading(layer),
    ...written(layer.written),
    field(`What it gives on${forRow(step, layer.output)}`, numbers(layer.output)),
    element("h4", {}, "Its operations"),
    ...layer.links.map((link) => operation(link, link.what, [[`${link.name} = ${link.op}(${link.inputs.join(", ")})`, link.output]])),
  ];
}

export function backwardDetail(step, name) {
  const layer = step.layers.find((one) => one.name === name);
  const links = [...layer.links].reverse().filter((link) => link.factors.length);
  return [
    ...heading(layer),
    field(`What comes in${forRow(step, layer.gradient)}: how the loss changes with each number that the layer gave`, numbers(layer.gradient)),
    ...written(layer.passed),
    element("h4", {}, "Link by link: incoming gradient × local derivative = what is passed on"),
    ...links.flatMap((link) => link.factors.map((factor) => {
      const local = factor.local ?? null;
      const parts = [["incoming", link.gradient], ["× local derivative", local, "as the formula says"], [`= passed on to ${factor.to}`, factor.passed]];
      return operation(link, `${link.formula}, where g is what comes in`, parts);
    })),
  ];
}

export function updateDetail(step, name) {
  const update = step.updates.find((one) => one.name === name);
  const rule = update.rate === null ? "after = before + change" : `after = before − rate × direction, with a rate of ${number(update.rate)}`;
  const parts = [["before", update.before], ["gradient", update.gradient], ["direction: what the optimizer made of the gradient", update.direction], ["change", update.change], ["after", update.after]];
  return [
    element("h3", {}, name),
    element("p", {}, `The gradient says which way the loss rises; the weights take a small step the other way: ${rule}.`),
    ...written(update.written),
    ...parts.filter(([, values]) => values).map(([title, values]) => field(title, numbers(values))),
  ];
}

function heading(layer) {
  const meaning = meaningOf(layer);
  return [element("h3", {}, layer.name, " ", element("span", { class: "soft" }, kindOf(layer))), meaning && element("p", {}, meaning)].filter(Boolean);
}

function forRow(step, array) {
  const { line } = step.rows[step.row];
  return array?.row ? ` for ${line === null ? `row ${step.row + 1}` : `the row of line ${line}`}` : "";
}

function written(lines) {
  return lines.length ? [element("pre", { tabindex: 0, role: "group", "aria-label": "As on paper" }, lines.join("\n"))] : [];
}

function operation(link, about, parts) {
  const fields = parts.map(([title, values, instead]) => field(title, values || !instead ? numbers(values) : element("small", { class: "soft" }, instead)));
  return element("div", { class: "link" }, element("p", {}, element("b", {}, link.op), " ", element("span", { class: "soft" }, about)), element("div", { class: "chain" }, ...fields));
}

function field(title, inside) {
  return element("div", { class: "field" }, element("p", { class: "soft" }, title), inside);
}

/** How large an array is as a whole: its norm. */
export function size(array) {
  if (array.norm !== undefined) return array.norm;
  return array.values === undefined ? 0 : Math.hypot(...[array.values].flat(Infinity).map((one) => one ?? 0));
}

export function percent(share) {
  return share === null ? "an unknown share" : `${number(Number((100 * share).toPrecision(2)))}%`;
}
