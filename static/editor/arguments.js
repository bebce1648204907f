// The arguments of a tool call: a field for each property of the tool's schema, or JSON.

import { button, element, isObject, labelled, parse, put, select } from "./dom.js";
import { jsonBox } from "./json-box.js";
import { isExactJSON } from "./json-text.js";

// Only an object that survives being read and written again is edited field by field.
function asObject(text) {
  if (typeof text !== "string" || !isExactJSON(text)) return undefined;
  const value = parse(text);
  return isObject(value) ? value : undefined;
}

export function argumentsEditor(call, schema, words, store) {
  const root = element("div", { className: "turn-editor__arguments" });
  const properties = isObject(schema?.properties) ? schema.properties : null;
  const draw = (asFields) => {
    const values = asObject(call.arguments || "{}");
    const canBeFields = Boolean(properties && values);
    const shown = asFields && canBeFields
      ? fields(call, values, properties, schema.required, words, store)
      : [textBox(call, words, store)];
    const label = asFields ? words.argumentsAsJson : words.argumentsAsFields;
    const toggle = canBeFields ? button(label, () => draw(!asFields)) : "";
    root.replaceChildren(...shown, ...(toggle ? [toggle] : []));
  };
  draw(true);
  return root;
}

// The text itself, which may be anything: a row teaches only what is JSON, but it must
// be seen to be mended.
function textBox(call, words, store) {
  const box = element("textarea", {
    className: "turn-editor__json",
    value: typeof call.arguments === "string" ? call.arguments : JSON.stringify(call.arguments ?? ""),
    rows: 3,
    spellcheck: false,
    "aria-label": words.arguments,
  });
  const error = element("span", { className: "turn-editor__error", role: "status" });
  box.addEventListener("input", () => {
    call.arguments = box.value;
    error.textContent = isExactJSON(box.value) ? "" : words.badJson;
    store();
  });
  return element("span", { className: "turn-editor__area" }, box, error);
}

// Written with spaces where it was before: a field's change is to change that field.
function asWritten(values, before) {
  const bare = before.replace(/"(?:[^"\\]|\\.)*"/g, '""'); // with nothing in its strings
  return /[:,] /.test(bare) ? spaced(values) : JSON.stringify(values);
}

function spaced(value) {
  if (Array.isArray(value)) return `[${value.map(spaced).join(", ")}]`;
  if (!isObject(value)) return JSON.stringify(value);
  const items = Object.entries(value).map(([key, each]) => `${JSON.stringify(key)}: ${spaced(each)}`);
  return `{${items.join(", ")}}`;
}

function fields(call, values, properties, required, words, store) {
  const before = String(call.arguments ?? "");
  const needed = Array.isArray(required) ? required : [];
  const set = (name, value) => {
    if (value === undefined) delete values[name];
    else put(values, name, value);
    call.arguments = asWritten(values, before);
    store();
  };
  const known = Object.entries(properties).map(([name, schema]) => {
    const isNeeded = needed.includes(name);
    const value = Object.hasOwn(values, name) ? values[name] : undefined;
    const control = field(name, isObject(schema) ? schema : {}, value, isNeeded, words, set);
    const made = labelled(isNeeded ? `${name} *` : name, control);
    if (typeof schema?.description === "string") {
      made.append(element("small", { textContent: schema.description }));
    }
    return made;
  });
  return [...known, ...others(values, properties, words, set)];
}

function others(values, properties, words, set) {
  const unknown = Object.keys(values).filter((name) => !Object.hasOwn(properties, name));
  return unknown.map((name) => labelled(name, anyValue(name, values[name], words, set)));
}

function field(name, schema, value, isNeeded, words, set) {
  const fits = value === undefined || typeOf(value) === simpleType(schema);
  if (Array.isArray(schema.enum)) return choice(name, schema.enum, value, words, set);
  if (schema.type === "boolean" && fits) return choice(name, [true, false], value, words, set);
  if (schema.type === "string" && fits) return textField(name, value, isNeeded, set);
  if (["number", "integer"].includes(schema.type) && fits) {
    return numberField(name, value, words, set);
  }
  return anyValue(name, value, words, set);
}

const typeOf = (value) => (value === null ? "null" : typeof value);
const simpleType = (schema) => (schema.type === "integer" ? "number" : schema.type);

function choice(name, choices, value, words, set) {
  const texts = choices.map((each) => JSON.stringify(each));
  const own = JSON.stringify(value);
  const known = own === undefined || texts.includes(own) ? texts : [...texts, own];
  const options = [["", "–"], ...known.map((text) => [text, plain(text)])];
  return select(name, own ?? "", options, (text) => set(name, parse(text)));
}

const plain = (text) => (text.startsWith('"') ? JSON.parse(text) : text);

function textField(name, value, isNeeded, set) {
  const box = element("textarea", { value: value ?? "", rows: 1, "aria-label": name });
  box.addEventListener("input", () => set(name, box.value || isNeeded ? box.value : undefined));
  return box;
}

function numberField(name, value, words, set) {
  const box = element("input", {
    type: "text",
    inputMode: "decimal",
    value: value === undefined ? "" : String(value),
    "aria-label": name,
  });
  box.addEventListener("input", () => {
    const text = box.value.trim();
    const number = text === "" ? undefined : isExactJSON(text) ? parse(text) : NaN;
    const fine = text === "" || (typeof number === "number" && !Number.isNaN(number));
    box.setAttribute("aria-invalid", String(!fine));
    if (fine) set(name, number);
  });
  return box;
}

function anyValue(name, value, words, set) {
  return jsonBox({
    label: name,
    value,
    empty: undefined,
    isFine: () => true,
    take: (parsed) => set(name, parsed),
    words,
  });
}
