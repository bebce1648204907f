// The tool calls of an assistant's turn, and the old function call, as forms.

import { argumentsEditor } from "./arguments.js";
import { button, element, isObject, labelled, select } from "./dom.js";

// A call that has another shape is left to the JSON of the turn.
export function isPlainCall(call) {
  return (
    isObject(call) &&
    call.type === "function" &&
    typeof call.id === "string" &&
    isPlainFunction(call.function) &&
    Object.keys(call).every((key) => ["id", "type", "function"].includes(key))
  );
}

const isPlainFunction = (called) =>
  isObject(called) &&
  typeof (called.name ?? "") === "string" &&
  typeof (called.arguments ?? "") === "string" &&
  Object.keys(called).every((key) => ["name", "arguments"].includes(key));

export const canEditCalls = (turn) =>
  Array.isArray(turn.tool_calls) && turn.tool_calls.every(isPlainCall);

export const canEditFunctionCall = (turn) => isPlainFunction(turn.function_call);

// `host` is the turn editor: words, functions() of the row, store(), redraw(index).
export function callsOf(host, turn, index) {
  const made = [];
  if (canEditCalls(turn)) {
    turn.tool_calls.forEach((call, n) => made.push(callForm(host, turn, index, call, n)));
  }
  if (canEditFunctionCall(turn)) {
    const remove = () => {
      delete turn.function_call;
      host.redraw(index);
    };
    made.push(form(host, index, turn.function_call, host.words.functionCall, "", remove));
  }
  return made;
}

function callForm(host, turn, index, call, n) {
  const { words } = host;
  const id = element("input", { type: "text", value: call.id, className: "turn-editor__id" });
  id.addEventListener("input", () => {
    call.id = id.value;
    host.store();
  });
  const remove = () => {
    turn.tool_calls.splice(n, 1);
    if (turn.tool_calls.length === 0) delete turn.tool_calls;
    host.redraw(index);
  };
  const title = `${words.call} ${n + 1}`;
  return form(host, index, call.function, title, labelled(words.callId, id), remove);
}

function form(host, index, called, title, idField, remove) {
  const { words } = host;
  const named = labelled(words.function, nameControl(host, index, called));
  const gone = button("×", remove, { title: words.removeCall, ariaLabel: words.removeCall });
  const head = element("div", { className: "turn-editor__call-head" }, named, idField, gone);
  const schema = host.functions().find((each) => each.name === called.name)?.parameters;
  return element(
    "fieldset",
    { className: "turn-editor__call" },
    element("legend", { textContent: title }),
    head,
    argumentsEditor(called, schema, words, () => host.store()),
  );
}

function nameControl(host, index, called) {
  const names = host.functions().map((each) => each.name);
  if (names.length === 0) {
    const box = element("input", { type: "text", value: called.name ?? "" });
    box.addEventListener("input", () => {
      called.name = box.value;
      host.store();
    });
    return box;
  }
  const all = names.includes(called.name) ? names : [called.name ?? "", ...names];
  const choices = all.map((name) => [name, name || "–"]);
  return select(host.words.function, called.name ?? "", choices, (name) => {
    called.name = name;
    host.redraw(index);
  });
}

export function addCall(host, turn, index) {
  const taken = new Set(host.turns.flatMap((each) => callIds(each)));
  let n = taken.size + 1;
  while (taken.has(`call_${n}`)) n += 1;
  const name = host.functions()[0]?.name ?? "";
  const call = { id: `call_${n}`, type: "function", function: { name, arguments: "{}" } };
  turn.tool_calls = [...(turn.tool_calls ?? []), call];
  if (turn.content === "") turn.content = null;
  host.redraw(index);
}

const callIds = (turn) =>
  (Array.isArray(turn?.tool_calls) ? turn.tool_calls : []).map((call) => call?.id);

// Which call a tool's turn answers: those of the assistant before it.
export function callChoice(host, turn, index) {
  const asking = host.turns.slice(0, index).findLast((each) => each.role !== "tool");
  const open = Array.isArray(asking?.tool_calls) ? asking.tool_calls : [];
  const choices = open
    .filter((call) => typeof call?.id === "string")
    .map((call) => [call.id, `${call.id} · ${call.function?.name ?? ""}`]);
  const own = turn.tool_call_id ?? "";
  if (!choices.some(([id]) => id === own)) choices.unshift([own, own || "–"]);
  const made = select(host.words.answers, own, choices, (id) => {
    turn.tool_call_id = id;
    host.store();
  });
  return labelled(host.words.answers, made);
}
