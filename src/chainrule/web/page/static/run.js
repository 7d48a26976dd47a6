// One run: live while it trains, its pictures, its steps, what looks wrong, its data.

import { ask, element, figure, number, seldom, table, tabs } from "./dom.js";
import { showSteps } from "./step.js";

const PARTS = [["How it learned", ""], ["Step by step", "/steps"], ["What looks wrong", "/trouble"], ["The data", "/data"]];

export async function showRun(place, name, part, asked) {
  const path = `api/runs/${encodeURIComponent(name)}`;
  const facts = await ask(path);
  const current = PARTS.find(([, end]) => end === (part && `/${part}`)) ?? PARTS[0];
  const state = element("span", { class: `state ${facts.state}` }, facts.state);
  const verdict = element("p", { class: "lead" }, facts.verdict);
  const now = element("p", { class: "soft" });
  const links = PARTS.map(([text, end]) => [text, `#/run/${encodeURIComponent(name)}${end}`]);
  const body = element("div");
  place.append(
    element("p", { class: "kicker" }, `${name} · ${facts.data}`),
    element("h1", {}, `Predicting ${facts.target} `, state),
    verdict,
    now,
    tabs("Parts of this run", links, current[0]),
    body,
  );
  const show = { "": curves, "/steps": steps, "/trouble": trouble, "/data": data }[current[1]];
  const update = show(body, path, facts, asked);

  const events = new EventSource(`${path}/events`);
  events.addEventListener("epoch", (event) => {
    const { last, epochs, steps: kept } = JSON.parse(event.data);
    now.classList.toggle("live", facts.state === "running");
    const loss = `training loss ${number(last.train_loss)}, validation loss ${number(last.validation_loss)}`;
    now.textContent = `epoch ${number(epochs)}, step ${number(last.steps)}: ${loss}`;
    update(kept);
  });
  events.addEventListener("over", async (event) => {
    events.close();
    const { state: ended, steps: kept } = JSON.parse(event.data);
    const after = ended === facts.state ? facts : await ask(path).catch(() => facts);
    state.textContent = after.state;
    state.className = `state ${after.state}`;
    verdict.textContent = after.verdict;
    now.classList.remove("live");
    update(kept);
  });
  return () => events.close();
}

/** The curves, drawn again as the training goes on, and what is to be said about them. */
function curves(body, path) {
  const seen = element("div", { role: "status" });
  const grids = {
    learned: element("div", { class: "grid", id: "pictures" }),
    inside: element("div", { class: "grid" }),
    judged: element("div", { class: "grid" }),
  };
  const under = (heading, about, grid) => element("section", { hidden: true }, element("h2", {}, heading), element("p", { class: "soft" }, about), grid);
  body.append(
    seen,
    grids.learned,
    under("How good it is", "All of this is about the test rows, which had no part in the training.", grids.judged),
    under("Inside the network", "What the layers did meanwhile.", grids.inside),
  );
  const fill = (grid, found) => {
    if (grid.contains(document.activeElement)) return;
    grid.replaceChildren(...found.map((one) => figure(one.svg, grid === grids.learned ? "h2" : "h3")));
    if (grid !== grids.learned) grid.parentElement.hidden = !found.length;
    else if (!found.length) grid.append(element("p", { class: "soft" }, "No epoch has been finished yet: there is nothing to draw."));
  };
  return seldom(async () => {
    const [found, said] = await Promise.all([ask(`${path}/pictures`).catch(() => ({})), ask(`${path}/seen`).catch(() => [])]);
    for (const [name, grid] of Object.entries(grids)) if (found[name]) fill(grid, found[name]);
    const names = said.map((one) => one.name).join();
    if (seen.dataset.names !== names) seen.replaceChildren(...said.map(finding));
    seen.dataset.names = names;
  }, 900);
}

function steps(body, path, facts, asked) {
  return showSteps(body, path, Number(asked.get("step")) || 1);
}

function trouble(body, path) {
  const found = element("div", { role: "status" });
  const look = async () => {
    button.disabled = true;
    found.replaceChildren(element("p", { class: "soft" }, "Looking, and trying what may help. This can take a while…"));
    try {
      const findings = await ask(`${path}/diagnosis`);
      const none = element("p", {}, "Nothing looks wrong: no check has found enough evidence.");
      found.replaceChildren(...(findings.length ? findings.map(finding) : [none]));
    } catch (problem) {
      found.replaceChildren(element("p", { class: "error" }, problem.message));
    }
    button.disabled = false;
  };
  const button = element("button", { class: "main", onclick: look }, "Look for trouble");
  const about = "Is the rate too large, does it learn its rows by heart, do its gradients vanish, is a column odd? Each check looks for evidence, and says nothing where that is weak. Where another setting may help, it is tried on a copy: the run itself stays as it is.";
  body.append(element("p", {}, about), button, found);
  return () => {};
}

function finding(one) {
  const line = (name, text) => element("p", {}, element("b", {}, `${name} `), text);
  const made = element("section", { class: "finding", "aria-label": one.name }, element("h2", {}, one.name[0].toUpperCase() + one.name.slice(1)), element("p", {}, one.what));
  const places = Object.entries(one.where).map(([key, value]) => `${key} ${[value].flat().join(", ")}`).join("; ");
  if (places) made.append(line("Where:", places));
  made.append(line("Why it matters:", one.why), line("What to do:", one.advice));
  if (one.tried) {
    const { settings, steps: made_, without, with_it: better } = one.tried;
    const changed = Object.entries(settings).map(([key, value]) => `${key} = ${value}`).join(", ");
    made.append(line("Tried:", `${changed} for ${number(made_)} steps: the validation loss is ${number(better)} instead of ${number(without)}.`));
  }
  return made;
}

function data(body, path, facts) {
  const notes = facts.findings.map((text) => element("p", { class: "finding" }, text));
  const others = element("ul", {}, ...facts.notes.map((text) => element("li", {}, text)));
  const alike = Map.groupBy(facts.columns, ([, kind, use]) => `${kind}\n${use}`);
  const columns = [...alike.values()].map((same) => [same.map(([column]) => column).join(", "), ...same[0].slice(1)]);
  const settings = element("details", {}, element("summary", {}, "Settings that do it again"), element("pre", { tabindex: 0 }, facts.settings));
  body.append(...notes, others, element("h2", {}, "Columns"), table(["column", "taken for", "what became of it"], columns, "Columns"), settings);
  return () => {};
}
