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
export function figure(svg) {
  const made = element("figure");
  const drawing = element("div");
  drawing.innerHTML = svg; // the server escapes what is not its own, and no script runs in it
  const title = drawing.querySelector("title")?.textContent ?? "";
  const about = drawing.querySelector("desc")?.textContent ?? "";
  made.append(element("h3", {}, title), drawing, element("figcaption", {}, about));
  made.append(element("button", { onclick: () => savePng(drawing.querySelector("svg"), title) }, "Save as PNG"));
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
  if (Number.isInteger(value)) return value.toLocaleString("en");
  const text = Number(value.toPrecision(5));
  return Math.abs(text) >= 1e6 || Math.abs(text) < 1e-4 ? text.toExponential() : String(text);
}

/** An array as the server tells it: few numbers as shaded cells, many by their statistics. */
export function numbers(array, row = null) {
  if (!array) return element("span", { class: "soft" }, "none");
  if (!array.values) {
    const told = `${array.shape.join(" × ")} numbers from ${number(array.min)} to ${number(array.max)}, mean ${number(array.mean)}`;
    const odd = array.not_finite ? `, ${array.not_finite} not finite` : "";
    return element("span", {}, `${told}${array.zeros ? `, ${array.zeros} are 0` : ""}${odd}`);
  }
  let values = array.values;
  let rank = array.shape.length;
  if (row !== null && rank > 1) [values, rank] = [values[row], rank - 1];
  const lines = rank === 0 ? [[values]] : rank === 1 ? [values] : values.map((line) => line.flat(Infinity));
  const largest = Math.max(...lines.flat().map((one) => Math.abs(one ?? 0)), 1e-30);
  const cell = (one) => {
    const shade = `--a: ${Math.round((60 * Math.abs(one ?? 0)) / largest)}%`;
    return element("td", { style: shade, class: one < 0 ? "minus" : null }, number(one));
  };
  const rows = lines.map((line) => element("tr", {}, ...line.map(cell)));
  return element("div", { class: "wide" }, element("table", { class: "numbers" }, element("tbody", {}, ...rows)));
}

export function table(header, rows) {
  const line = (cells, kind) => element("tr", {}, ...cells.map((cell) => element(kind, {}, cell)));
  const head = element("thead", {}, line(header, "th"));
  const body = element("tbody", {}, ...rows.map((row) => line(row, "td")));
  return element("div", { class: "wide" }, element("table", {}, head, body));
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
    const canvas = element("canvas", { width: 1440, height: 960 });
    canvas.getContext("2d").drawImage(image, 0, 0, 1440, 960);
    element("a", { href: canvas.toDataURL("image/png"), download: `${title}.png` }).click();
  };
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(new XMLSerializer().serializeToString(copy))}`;
}
