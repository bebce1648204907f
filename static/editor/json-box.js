// A text area that says, while one types, where its JSON is wrong.

import { element, fill, parse } from "./dom.js";
import { read } from "./json-text.js";

export function tellError(error, words) {
  return error ? fill(words.jsonAt, error.line, error.column, words.json[error.what]) : "";
}

// A small JSON area. While it is not valid the form cannot be sent: a change that is on
// the screen must not be lost silently.
export function jsonBox({ label, value, empty, isFine, take, words }) {
  const isEmpty = JSON.stringify(value) === JSON.stringify(empty);
  const box = element("textarea", {
    className: "turn-editor__json",
    value: isEmpty ? "" : JSON.stringify(value, null, 2),
    rows: isEmpty ? 2 : 6,
    spellcheck: false,
    "aria-label": label,
  });
  const error = element("span", { className: "turn-editor__error", role: "status" });
  box.addEventListener("input", () => {
    const isBlank = box.value.trim() === "";
    const wrong = isBlank ? null : read(box.value).error;
    const parsed = isBlank ? empty : wrong ? undefined : parse(box.value);
    const fine = !wrong && isFine(parsed);
    box.setAttribute("aria-invalid", String(!fine));
    error.textContent = fine ? "" : tellError(wrong, words) || words.badJson;
    if (fine) take(parsed);
  });
  return element("span", { className: "turn-editor__area" }, box, error);
}

// Django's own text areas with JSON: the same words below them.
export function watchArea(area, words) {
  const error = element("p", { className: "turn-editor__error", role: "status" });
  area.after(error);
  const tell = () => {
    const wrong = area.value.trim() === "" ? null : read(area.value).error;
    area.setAttribute("aria-invalid", String(Boolean(wrong)));
    error.textContent = tellError(wrong, words);
  };
  area.addEventListener("input", tell);
  tell();
}
