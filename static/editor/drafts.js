// Unsaved work, kept in this browser until it is saved: a closed tab loses nothing.

import { button, element, fill, parse } from "./dom.js";

const PREFIX = "finetune-site:draft:";
const PAUSE_MS = 400;
const KEPT_MS = 30 * 24 * 3600 * 1000;
const STATE = ["opened_at", "opened_revision"]; // what the work was begun on

export class Drafts {
  // `key` names user and row; `editors` are told when their text areas are filled.
  constructor(form, { key, saved, isBound }, editors, words) {
    Object.assign(this, { form, key: PREFIX + key, editors, words });
    this.id = crypto.randomUUID?.() ?? String(Math.random());
    this.isLeaving = false;
    forgetOld(saved);
    this.start = this.values();
    if (isBound) this.keep(); // the server gave back what could not be stored
    else this.offer();
    this.isBound = isBound;
    this.writeId();
    form.addEventListener("input", () => this.soon());
    form.addEventListener("change", () => this.soon());
    form.addEventListener("submit", () => this.leave());
    addEventListener("beforeunload", (event) => {
      if (!this.isLeaving && this.isDirty()) event.preventDefault();
    });
    addEventListener("pagehide", () => this.isDirty() && this.keep());
  }

  writeId() {
    const field = this.form.elements.draft_id;
    if (field) field.value = this.id;
  }

  values() {
    const found = {};
    for (const [name, value] of new FormData(this.form)) {
      if (typeof value !== "string" || name === "csrfmiddlewaretoken" || name === "draft_id") continue;
      (found[name] ??= []).push(value);
    }
    return found;
  }

  isDirty() {
    return this.isBound || !same(this.start, this.values());
  }

  soon() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.keep(), PAUSE_MS);
  }

  keep() {
    const values = this.values();
    if (!this.isBound && same(this.start, values)) return localStorage.removeItem(this.key);
    const kept = JSON.stringify({ id: this.id, at: Date.now(), values });
    try {
      localStorage.setItem(this.key, kept);
      this.warn("");
    } catch {
      this.warn(this.words.draftTooBig); // the browser's store is full, or is not allowed
    }
  }

  leave() {
    clearTimeout(this.timer);
    this.keep();
    this.isLeaving = true;
    // Should the page stay after all, it must warn again.
    setTimeout(() => (this.isLeaving = false), 5000);
  }

  offer() {
    const draft = readDraft(this.key);
    if (!draft || same(draft.values, this.start, STATE)) return localStorage.removeItem(this.key);
    const when = new Date(draft.at).toLocaleString(document.documentElement.lang);
    const restore = button(this.words.draftRestore, () => this.restore(draft), { className: "button" });
    const discard = button(this.words.draftDiscard, () => this.discard(), { className: "button" });
    this.box(
      element("p", { textContent: fill(this.words.draftFound, when) }),
      element("p", { textContent: this.summary(draft.values) }),
      element("p", { className: "turn-editor__tools" }, restore, discard),
    );
  }

  // Which turns and fields differ from what the page shows now.
  summary(values) {
    const changed = Object.keys({ ...this.start, ...values }).filter(
      (name) => !STATE.includes(name) && JSON.stringify(this.start[name]) !== JSON.stringify(values[name]),
    );
    return changed.map((name) => this.told(name, values[name]?.[0])).filter(Boolean).join(" · ");
  }

  told(name, value) {
    const label = this.form.querySelector(`label[for="id_${name}"]`)?.textContent.replace(/:$/, "") ?? name;
    const [before, after] = [parse(this.start[name]?.[0] ?? ""), parse(value ?? "")];
    if (!Array.isArray(before) || !Array.isArray(after)) return label;
    const texts = before.map((turn) => JSON.stringify(turn));
    const n = after.filter((turn, index) => JSON.stringify(turn) !== texts[index]).length;
    return fill(this.words.draftTurns, label, n, before.length, after.length);
  }

  restore(draft) {
    for (const field of this.form.elements) {
      if (!field.name || field.type === "submit" || field.type === "file") continue;
      if (field.name === "csrfmiddlewaretoken" || field.name === "draft_id") continue;
      const values = draft.values[field.name];
      if (field.type === "checkbox") field.checked = values?.includes(field.value) ?? false;
      else if (values) field.value = values[0];
    }
    for (const editor of this.editors) editor.showTurns();
    this.notice?.remove();
    this.form.dispatchEvent(new Event("input"));
  }

  discard() {
    localStorage.removeItem(this.key);
    this.notice.remove();
  }

  box(...children) {
    this.notice = element("div", { className: "notice notice--info draft", role: "status" }, ...children);
    this.form.prepend(this.notice);
  }

  warn(text) {
    this.warning ??= this.form.appendChild(element("p", { className: "turn-editor__error", role: "status" }));
    this.warning.textContent = text;
  }
}

function readDraft(key) {
  try {
    const draft = parse(localStorage.getItem(key) ?? "");
    return draft && typeof draft.values === "object" ? draft : null;
  } catch {
    return null; // the browser allows no store
  }
}

// Those that the server has stored meanwhile, and those that nobody came back for.
function forgetOld(saved) {
  try {
    for (const key of Object.keys(localStorage)) {
      if (!key.startsWith(PREFIX)) continue;
      const draft = readDraft(key);
      const isOld = !draft || Date.now() - draft.at > KEPT_MS;
      if (isOld || saved.includes(draft.id)) localStorage.removeItem(key);
    }
  } catch {
    // no store, nothing to forget
  }
}

function same(one, other, except = []) {
  const names = Object.keys({ ...one, ...other }).filter((name) => !except.includes(name));
  return names.every((name) => {
    const [a, b] = [one[name] ?? [], other[name] ?? []];
    return a.length === b.length && a.every((text, n) => text === b[n] || sameJSON(text, b[n]));
  });
}

// The server indents and orders as it likes; that alone is no change.
function sameJSON(one, other) {
  if (!/^\s*[[{]/.test(one) || !/^\s*[[{]/.test(other)) return one.trim() === other.trim();
  const [a, b] = [parse(one), parse(other)];
  return a !== undefined && b !== undefined && JSON.stringify(sorted(a)) === JSON.stringify(sorted(b));
}

function sorted(value) {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== "object") return value;
  const entries = Object.entries(value).map(([key, each]) => [key, sorted(each)]);
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}
