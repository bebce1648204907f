// The page of one example: turn editors, the check while one types, drafts, the keyboard.

import { Check, goTo } from "./check.js";
import { fill, isObject, parse } from "./dom.js";
import { Drafts } from "./drafts.js";
import { watchArea } from "./json-box.js";
import { listenToKeys } from "./keys.js";
import { TurnEditor } from "./turns.js";
import { WholeRow } from "./whole-row.js";

const JSON_AREAS = ["tools", "functions", "extra"];

function start(form, settings) {
  const page = { words: settings.words, icons: settings.icons, functions: () => functionsOf(form) };
  const areas = [...form.querySelectorAll("[data-turn-editor]")];
  const editors = areas.map((area) => new TurnEditor(area, page));
  for (const name of JSON_AREAS) {
    const area = form.elements[name];
    if (area) watchArea(area, settings.words);
  }
  for (const name of ["tools", "functions"]) {
    // Whoever defines a function wants to call it.
    form.elements[name]?.addEventListener("change", () => {
      for (const editor of editors) if (editor.asTurns) editor.draw();
    });
  }
  form.enctype = "multipart/form-data"; // in the other form Korean takes three times the room
  const whole = new WholeRow(form, editors, settings.words);
  form.addEventListener("submit", (event) => stopIfInvalid(event, editors, whole));
  form.addEventListener("submit", (event) => stopIfTooBig(event, editors, whole, settings));
  if (typeof settings.wholeRow === "string") whole.show(settings.wholeRow, true);
  new Drafts(form, settings, editors, whole, settings.words);
  const check = new Check(form, settings.checkUrl, editors, whole, settings.words);
  whole.ask = (more) => check.post(more).catch(() => null);
  listenToKeys(form, editors);
  // A finding's link ends with the number of its message.
  const [, wanted] = location.hash.match(/^#message-(\d+)$/) ?? [];
  if (wanted) goTo(editors, Number(wanted));
}

// What the row's tools, and the old functions, can be called with.
function functionsOf(form) {
  const listed = (name) => {
    const value = parse(form.elements[name]?.value ?? "");
    return Array.isArray(value) ? value : [];
  };
  const all = [...listed("tools").map((tool) => tool?.function), ...listed("functions")];
  return all.filter((each) => isObject(each) && typeof each.name === "string");
}

function stopIfInvalid(event, editors, whole) {
  if (whole.isShown) return; // the server says what is wrong with it, and gives it back
  const invalid = editors.map((editor) => editor.firstInvalid()).find(Boolean);
  if (!invalid) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  invalid.closest("details")?.setAttribute("open", "");
  invalid.focus();
}

// The server would refuse it without giving back what was typed.
function stopIfTooBig(event, editors, whole, { maxBytes, words }) {
  const texts = [...editors.map((editor) => editor.textArea.value), whole.text ?? ""];
  const n = new Blob(texts).size;
  if (n < maxBytes * 0.98) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  whole.say(fill(words.tooBig, (n / 2 ** 20).toFixed(1), (maxBytes / 2 ** 20).toFixed(0)));
  whole.notice.scrollIntoView();
}

const settings = document.getElementById("example-editor");
const form = document.querySelector("[data-turn-editor]")?.form;
if (settings && form) start(form, JSON.parse(settings.textContent));
