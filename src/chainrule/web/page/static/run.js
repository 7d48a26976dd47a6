// One run: live while it trains, its pictures, its steps, what looks wrong, its data.

import { ask, element, figure, number, seldom, table } from "./dom.js";
import { showSteps } from "./step.js";

export async function showRun(place, name) {
  const path = `api/runs/${encodeURIComponent(name)}`;
  let facts = await ask(path);
  const state = element("span", { class: `state ${facts.state}` }, facts.state);
  const verdict = element("p", { class: "lead" }, facts.verdict);
  const now = element("p", { class: "soft", role: "status" });
  const pictures = element("div", { class: "grid", id: "pictures" });
  const steps = element("section", { "aria-label": "Steps" });
  place.append(
    element("p", { class: "kicker" }, `${name} · ${facts.data}`),
    element("h1", {}, `Predicting ${facts.target} `, state),
    verdict,
    now,
    element("h2", {}, "Step by step"),
    steps,
    element("h2", {}, "Pictures"),
    pictures,
    ...trouble(path),
    ...data(facts),
  );

  const draw = seldom(async () => {
    const found = await ask(`${path}/pictures`).catch(() => []);
    const open = document.activeElement?.closest?.("#pictures");
    if (!open) pictures.replaceChildren(...found.map((one) => figure(one.svg)));
  }, 900);
  const follow = showSteps(steps, path, facts.state === "running");

  const events = new EventSource(`${path}/events`);
  events.addEventListener("epoch", (event) => {
    const { epochs, last, steps: kept } = JSON.parse(event.data);
    const loss = `training loss ${number(last.train_loss)}, validation loss ${number(last.validation_loss)}`;
    now.textContent = `epoch ${epochs.toLocaleString("en")}, step ${last.steps.toLocaleString("en")}: ${loss}`;
    now.classList.toggle("live", facts.state === "running");
    follow(kept);
    draw();
  });
  events.addEventListener("over", async (event) => {
    events.close();
    follow(JSON.parse(event.data).steps);
    facts = await ask(path);
    state.textContent = facts.state;
    state.className = `state ${facts.state}`;
    verdict.textContent = facts.verdict;
    now.classList.remove("live");
    draw();
  });
  return () => events.close();
}

function trouble(path) {
  const found = element("div", { role: "status" });
  const look = async (event) => {
    event.target.disabled = true;
    found.replaceChildren(element("p", { class: "soft" }, "Looking, and trying what may help. This can take a while…"));
    try {
      const findings = await ask(`${path}/diagnosis`);
      const none = element("p", {}, "Nothing looks wrong: no check has found enough evidence.");
      found.replaceChildren(...(findings.length ? findings.map(finding) : [none]));
    } catch (problem) {
      found.replaceChildren(element("p", { class: "error" }, problem.message));
    }
    event.target.disabled = false;
  };
  const button = element("button", { onclick: look }, "Look for trouble");
  const about = "Checks the rate, the gradients, the units, the data and more; where a setting may help, it is tried.";
  return [element("h2", {}, "What looks wrong"), element("p", { class: "soft" }, about), button, found];
}

function finding(one) {
  const made = element("div", { class: "finding" }, element("h3", {}, one.name), element("p", {}, one.what));
  made.append(element("p", { class: "soft" }, one.why), element("p", {}, `What to do: ${one.advice}`));
  if (one.tried) {
    const { settings, steps, without, with_it: better } = one.tried;
    const changed = Object.entries(settings).map(([key, value]) => `${key} = ${value}`).join(", ");
    made.append(element("p", {}, `Tried ${changed} for ${steps} steps: loss ${number(better)} instead of ${number(without)}.`));
  }
  return made;
}

function data(facts) {
  const notes = facts.findings.map((text) => element("p", { class: "finding" }, text));
  const others = element("ul", {}, ...facts.notes.map((text) => element("li", {}, text)));
  const columns = table(["column", "taken for", "what became of it"], facts.columns);
  const folded = element("details", {}, element("summary", {}, `${facts.columns.length} columns`), columns);
  const settings = element("details", {}, element("summary", {}, "Settings"), element("pre", {}, facts.settings));
  return [element("h2", {}, "The data"), ...notes, others, folded, settings];
}
