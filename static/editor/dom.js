// Making elements, reading JSON. Text goes through `value` and `textContent` only: what
// is edited comes from anywhere and is never taken for HTML.

export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined) continue;
    if (name in made && name !== "list") made[name] = value;
    else made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child !== null && child !== ""));
  return made;
}

// `label` is a text or an element.
export function button(label, onClick, attributes = {}) {
  const made = element("button", { type: "button", className: "turn-editor__button", ...attributes }, label);
  made.addEventListener("click", onClick);
  return made;
}

export function icon(file, name) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `${file}#${name}`);
  made.setAttribute("class", "icon");
  made.setAttribute("aria-hidden", "true");
  made.append(use);
  return made;
}

export function labelled(text, control, className = "turn-editor__field") {
  return element("label", { className }, element("span", { textContent: text }), control);
}

export function select(label, value, choices, onChange) {
  const made = element("select", { "aria-label": label });
  for (const [key, word] of choices) {
    made.append(element("option", { value: key, textContent: word }));
  }
  made.value = value;
  made.addEventListener("change", () => onChange(made.value));
  return made;
}

export const isObject = (value) =>
  value !== null && typeof value === "object" && !Array.isArray(value);

// Also of a key like "__proto__", which an assignment would take for something else.
export function put(object, key, value) {
  Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
}

export function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

// "{0} of {1}" with its parts put in.
export const fill = (text, ...parts) => text.replace(/\{(\d)\}/g, (_all, n) => parts[n]);
