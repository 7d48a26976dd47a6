// What every part of the page builds with: elements, answers of the server, numbers as text.

/** An element; text is always text, never markup. */
export function element(name, attributes = {}, ...inside) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value === true) made.setAttribute(key, "");
    else if (value !== false && value != null) made.setAttribute(key, value);
  }
  made.append(...inside.filter((part) => part != null));
  return made;
}

/** A drawing of the server's, in a figure with its title and what is to be seen in it. */
export function figure(svg, heading = "h3") {
  const made = element("figure");
  const drawing = element("div");
  drawing.innerHTML = svg; // the server escapes what is not its own, and no script runs in it
  const title = drawing.querySelector("title")?.textContent ?? "";
  const about = drawing.querySelector("desc")?.textContent ?? "";
  made.append(element(heading, {}, title), drawing, element("figcaption", {}, about));
  drawing.querySelector("svg")?.setAttribute("aria-label", title);
  made.append(element("button", { "aria-label": `Save as PNG: ${title}`, onclick: () => savePng(drawing.querySelector("svg"), title) }, "Save as PNG"));
  return made;
}

export async function ask(path) {
  const answer = await fetch(path);
  const found = await answer.json();
  if (!answer.ok) throw new Error(found.error ?? answer.statusText);
  return found;
}

export function number(value) {
  if (value === null || value === undefined) return "not a number";
  if (typeof value !== "number") return String(value);
  if (value === 0) return "0"; // also the negative one
  if (Number.isInteger(value)) return value.toLocaleString("en");
  const text = Number(value.toPrecision(5));
  return Math.abs(text) >= 1e6 || Math.abs(text) < 1e-4 ? text.toExponential() : String(text);
}

/** An array as the server tells it: few numbers as shaded cells, many by their statistics; where it has the chosen row, only that. */
export function numbers(array) {
  if (array === null || array === undefined) return element("span", { class: "soft" }, "none");
  if (array.row) return numbers(array.row);
  if (array.shape === undefined) return numbers({ shape: [], values: array });
  if (!array.values && array.values !== 0) return element("span", {}, statistics(array));
  const values = array.values;
  const rank = array.shape.length;
  if (array.shape.includes(0)) return element("span", { class: "soft" }, "none");
  const lines = rank === 0 ? [[values]] : rank === 1 ? [values] : values.map((line) => line.flat(Infinity));
  const largest = Math.max(...lines.flat().map((one) => Math.abs(one ?? 0)), 1e-30);
  const cell = (one) => {
    const shade = `--a: ${Math.round((35 * Math.abs(one ?? 0)) / largest)}%`;
    return element("td", { style: shade, class: one < 0 ? "minus" : null }, number(one));
  };
  const rows = lines.map((line) => element("tr", {}, ...line.map(cell)));
  return wide(element("table", { class: "numbers" }, element("tbody", {}, ...rows)), "numbers");
}

function statistics(array) {
  const count = array.shape.join(" × ");
  if (array.min === undefined) return `${count} values`;
  const told = `${count} numbers from ${number(array.min)} to ${number(array.max)}, mean ${number(array.mean)}`;
  return `${told}${array.zeros ? `, ${number(array.zeros)} are 0` : ""}${array.not_finite ? `, ${number(array.not_finite)} not finite` : ""}`;
}

/** A table; the first cell of each row is its header. */
export function table(header, rows, name) {
  const head = element("thead", {}, element("tr", {}, ...header.map((cell) => element(cell === "" ? "td" : "th", { scope: cell === "" ? null : "col" }, cell))));
  const line = ([first, ...others]) => element("tr", {}, element("th", { scope: "row" }, first), ...others.map((cell) => element("td", {}, cell)));
  return wide(element("table", {}, head, element("tbody", {}, ...rows.map(line))), name);
}

/** What may be wider than the page: it scrolls by itself, with the keyboard too. */
function wide(inside, name) {
  return element("div", { class: "wide", tabindex: 0, role: "group", "aria-label": name }, inside);
}

/** A link to a part of the page, in a row of such links. */
export function tabs(name, links, current) {
  const made = links.map(([text, href]) => element("a", { href, "aria-current": text === current ? "page" : null }, text));
  return element("nav", { class: "tabs", "aria-label": name }, ...made);
}

/** Calls a function at most every so many milliseconds, and once more at the end. */
export function seldom(work, pause) {
  let timer = null;
  let again = false;
  const run = () => {
    if (timer) {
      again = true;
      return;
    }
    work();
    timer = setTimeout(() => {
      timer = null;
      if (again) {
        again = false;
        run();
      }
    }, pause);
  };
  return run;
}

function savePng(svg, title) {
  const copy = svg.cloneNode(true);
  const sheet = [...document.styleSheets].flatMap((one) => [...one.cssRules].map((rule) => rule.cssText));
  copy.prepend(element("style", {}, sheet.filter((rule) => /picture|:root|prefers-color/.test(rule)).join("\n")));
  const image = new Image();
  image.onload = () => {
    const { width, height } = svg.viewBox.baseVal;
    const canvas = element("canvas", { width: 3 * width, height: 3 * height });
    canvas.getContext("2d").drawImage(image, 0, 0, 3 * width, 3 * height);
    element("a", { href: canvas.toDataURL("image/png"), download: `${title}.png` }).click();
  };
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(new XMLSerializer().serializeToString(copy))}`;
}
