// Which part of the page is shown: the address after # says it.

import { element } from "./dom.js";
import { showComparison, showRuns } from "./runs.js";
import { showRun } from "./run.js";
import { showPlayground } from "./play.js";

const main = document.getElementById("main");
let leave = () => {};
let turn = 0;
let shown = null;

async function show() {
  const mine = ++turn;
  leave();
  leave = () => {};
  const [path, query] = location.hash.slice(1).split("?");
  const [kind, name, part] = path.split("/").slice(1).map(decodeURIComponent);
  const asked = new URLSearchParams(query);
  const bar = kind === "play" ? "#/play" : "#/";
  for (const link of document.querySelectorAll(".bar nav a")) {
    if (link.hash === bar) link.setAttribute("aria-current", location.hash === bar ? "page" : "true");
    else link.removeAttribute("aria-current");
  }
  const place = element("div");
  main.replaceChildren(place);
  let end = () => {};
  try {
    if (kind === "run") end = await showRun(place, name, part ?? "", asked);
    else if (kind === "compare") end = await showComparison(place, asked.getAll("run"));
    else if (kind === "play") end = await showPlayground(place);
    else end = await showRuns(place);
  } catch (problem) {
    const back = element("p", {}, element("a", { href: "#/" }, "All runs"));
    place.replaceChildren(element("h1", {}, "That did not work"), element("p", { class: "error", role: "alert" }, problem.message), back);
  }
  if (mine !== turn) return end(); // something else is shown by now
  leave = end;
  document.title = [main.querySelector("h1")?.firstChild?.textContent.trim(), "chainrule"].filter(Boolean).join(" · ");
  const tab = shown === `${kind}/${name}` && main.querySelector(".tabs [aria-current]");
  if (shown !== null) (tab || main).focus();
  shown = `${kind}/${name}`;
}

addEventListener("hashchange", show);
show();
