// The list of runs, and runs compared.

import { ask, element, figure, table } from "./dom.js";

export async function showRuns(place) {
  const chosen = new Set();
  const compare = element("button", { disabled: true, onclick: go }, "Compare");
  const list = element("ul", { class: "runs" });
  const none = "There are no runs here yet. chainrule train DATA --target COLUMN makes one; the playground needs none.";
  place.append(element("h1", {}, "Runs"), element("p", {}, "Each of these is a training: a network that learned from rows of a table. Open one to see how, or tick two or more and compare them."), compare, list);

  function go() {
    location.hash = `#/compare?${[...chosen].map((name) => `run=${encodeURIComponent(name)}`).join("&")}`;
  }

  function line(run) {
    const tick = (event) => {
      if (event.target.checked) chosen.add(run.name);
      else chosen.delete(run.name);
      compare.disabled = chosen.size < 2;
    };
    const box = element("input", { type: "checkbox", "aria-label": `compare ${run.name}`, onchange: tick });
    box.checked = chosen.has(run.name);
    const link = element("a", { href: `#/run/${encodeURIComponent(run.name)}` }, run.name);
    const state = element("span", { class: `state ${run.state}` }, run.state);
    const about = run.target ? `${run.target} from ${run.data}` : "";
    const text = element("div", {}, element("h2", {}, link, " ", state), element("p", { class: "soft" }, about), element("p", {}, run.told));
    return element("li", { class: "card" }, box, text);
  }

  async function refresh() {
    const runs = await ask("api/runs");
    const focused = document.activeElement?.closest?.(".runs");
    if (!focused) list.replaceChildren(...(runs.length ? runs.map(line) : [element("li", {}, element("span"), none)]));
  }

  await refresh();
  const timer = setInterval(() => refresh().catch(() => {}), 2000);
  return () => clearInterval(timer);
}

export async function showComparison(place, names) {
  const found = await ask(`api/compare?${names.map((name) => `run=${encodeURIComponent(name)}`).join("&")}`);
  const metrics = [...new Set(Object.values(found.scores).flatMap(Object.keys))];
  const scores = metrics.map((metric) => [metric, ...names.map((name) => found.scores[name][metric] ?? "–")]);
  const settings = Object.entries(found.settings).map(([key, values]) => [key, ...names.map((name) => values[name] || "–")]);
  const links = names.map((name) => element("a", { href: `#/run/${encodeURIComponent(name)}` }, name));
  place.append(
    element("h1", {}, "Runs compared"),
    element("p", {}, ...links.flatMap((link, at) => (at ? [", ", link] : [link]))),
    element("h2", {}, "How each learned"),
    figure(found.picture.svg),
    element("h2", {}, "Scores of the test rows"),
    scores.length ? table(["", ...names], scores, "Scores") : element("p", {}, "None of them has been judged yet."),
    element("h2", {}, "Settings that differ"),
    settings.length ? table(["setting", ...names], settings, "Settings") : element("p", {}, "None: they should differ in nothing but luck."),
  );
  return () => {};
}
