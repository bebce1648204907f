/* The list of examples: choosing all rows of a page, or from one to another with Shift.
   Everything else on the page works without this script. */

"use strict";

const boxes = () => [...document.querySelectorAll("#example-list input[name='pks']")];
let lastTicked = null;

/** Show the box that ticks all; it is hidden where this script does not run. */
function prepare() {
  const all = document.getElementById("tick-all");
  if (all) all.hidden = false;
  lastTicked = null;
}

function tickRange(box) {
  const rows = boxes();
  const [from, to] = [rows.indexOf(lastTicked), rows.indexOf(box)].sort((a, b) => a - b);
  if (from >= 0) rows.slice(from, to + 1).forEach((row) => { row.checked = box.checked; });
}

function showAll() {
  const rows = boxes();
  const n = rows.filter((row) => row.checked).length;
  const all = document.getElementById("tick-all");
  if (!all) return;
  all.checked = n > 0 && n === rows.length;
  all.indeterminate = n > 0 && n < rows.length;
}

document.addEventListener("click", (event) => {
  const box = event.target;
  if (box.id === "tick-all") {
    boxes().forEach((row) => { row.checked = box.checked; });
  } else if (box.name === "pks") {
    if (event.shiftKey && lastTicked) tickRange(box);
    lastTicked = box;
    showAll();
  }
});

// Going back in the browser shows an older list: the fields must say the same.
window.addEventListener("popstate", () => window.location.reload());
document.addEventListener("htmx:afterSwap", prepare);
prepare();
