// The fields of one turn. `host` is its turn editor: words, functions(), store(), redraw().

import { addCall, callChoice, callsOf, canEditCalls, canEditFunctionCall } from "./calls.js";
import { button, element, isObject, labelled, put, select } from "./dom.js";
import { imageButtons, partsOf } from "./images.js";
import { jsonBox } from "./json-box.js";

const PLAIN_KEYS = ["role", "content", "weight"];
const TEXT_KEYS = ["name", "tool_call_id"];

export function fieldsOf(host, turn, index) {
  const isAnswer = turn.role === "tool" || turn.tool_call_id !== undefined;
  const hasText = typeof (turn.tool_call_id ?? "") === "string";
  return [
    ...(isAnswer && hasText ? [callChoice(host, turn, index)] : []),
    ...nameField(host, turn),
    ...contentOf(host, turn, index),
    ...callsOf(host, turn, index),
  ];
}

export function weightSelect(host, turn) {
  if (turn.role !== "assistant" || host.isOutput) return "";
  const { learnt, notLearnt, weight } = host.words;
  const known = turn.weight === undefined || turn.weight === 0 || turn.weight === 1;
  const odd = known ? [] : [["odd", JSON.stringify(turn.weight)]];
  const choices = [["1", learnt], ["0", notLearnt], ...odd];
  const value = known ? String(turn.weight ?? 1) : "odd";
  const made = select(weight, value, choices, (chosen) => {
    if (chosen === "0") turn.weight = 0;
    else if (chosen === "1") delete turn.weight;
    host.store();
  });
  return labelled(weight, made, "turn-editor__weight");
}

function contentOf(host, turn, index) {
  if (Array.isArray(turn.content)) return partsOf(host, turn, index);
  if (turn.content != null && typeof turn.content !== "string") {
    return [box(host, host.words.content, turn.content, null, () => true, (content) => {
      turn.content = content;
    })];
  }
  return [textBox(host, turn)];
}

function textBox(host, turn) {
  const made = element("textarea", {
    className: "turn-editor__content",
    value: turn.content ?? "",
    rows: Math.min(16, Math.max(2, Math.ceil((turn.content ?? "").length / 90))),
    "aria-label": host.words.content,
  });
  made.addEventListener("input", () => {
    // An assistant who only calls tools has the content null; keep it so.
    const isCall = turn.tool_calls || turn.function_call;
    turn.content = made.value === "" && isCall ? null : made.value;
    host.store();
  });
  return made;
}

function nameField(host, turn) {
  if (turn.name === undefined && turn.role !== "function") return [];
  if (typeof (turn.name ?? "") !== "string") return [];
  const made = element("input", { type: "text", value: turn.name ?? "", className: "turn-editor__name" });
  made.addEventListener("input", () => {
    if (made.value === "") delete turn.name;
    else turn.name = made.value;
    host.store();
  });
  return [labelled(host.words.name, made)];
}

// What the turn may have and has not.
export function addersOf(host, turn, index) {
  const { words } = host;
  const callable = turn.role === "assistant" && (turn.tool_calls === undefined || canEditCalls(turn));
  const nameable = turn.name === undefined && turn.role !== "function";
  return element(
    "p",
    { className: "turn-editor__adders" },
    ...(turn.role === "user" ? imageButtons(host, turn, index) : []),
    callable ? button(words.addCall, () => addCall(host, turn, index)) : "",
    nameable ? button(words.addName, () => addName(host, turn, index)) : "",
  );
}

function addName(host, turn, index) {
  turn.name = "";
  host.draw();
  delete turn.name; // until something is typed
  host.list.children[index].querySelector(".turn-editor__name").focus();
}

// Whatever has no field of its own.
export function otherKeys(host, turn) {
  const hasField = (key) =>
    PLAIN_KEYS.includes(key) ||
    (TEXT_KEYS.includes(key) && typeof turn[key] === "string") ||
    (key === "tool_calls" && canEditCalls(turn)) ||
    (key === "function_call" && canEditFunctionCall(turn));
  const others = Object.fromEntries(Object.entries(turn).filter(([key]) => !hasField(key)));
  const details = element("details", { className: "turn-editor__more" });
  details.open = Object.keys(others).length > 0;
  const made = box(host, host.words.more, others, {}, isObject, (changed) => {
    for (const key of Object.keys(turn)) if (!hasField(key)) delete turn[key];
    for (const key of Object.keys(changed)) if (hasField(key)) delete changed[key];
    for (const [key, value] of Object.entries(changed)) put(turn, key, value);
  });
  details.append(element("summary", { textContent: host.words.more }), made);
  return details;
}

function box(host, label, value, empty, isFine, take) {
  const store = (parsed) => {
    take(parsed);
    host.store();
  };
  return jsonBox({ label, value, empty, isFine, take: store, words: host.words });
}
