// Which part of the page is shown: the address after # says it.

import { element } from "./dom.js";
import { showComparison, showRuns } from "./runs.js";
import { showRun } from "./run.js";
import { showPlayground } from "./play.js";

const main = document.getElementById("main");
let leave = () => {};

async function show() {
  leave();
  leave = () => {};
  const [path, query] = location.hash.slice(1).split("?");
  const [kind, name] = path.split("/").slice(1).map(decodeURIComponent);
  const asked = new URLSearchParams(query);
  for (const link of document.querySelectorAll(".bar nav a")) {
    if (link.hash === location.hash) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  const place = element("div");
  main.replaceChildren(place);
  try {
    if (kind === "run") leave = await showRun(place, name);
    else if (kind === "compare") await showComparison(place, asked.getAll("run"));
    else if (kind === "play") leave = await showPlayground(place);
    else leave = await showRuns(place);
  } catch (problem) {
    place.replaceChildren(element("p", { class: "error", role: "alert" }, problem.message));
  }
}

addEventListener("hashchange", () => {
  show();
  main.focus();
});
show();
