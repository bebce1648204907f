// Unsaved work, kept in this browser until it is saved: a closed tab loses nothing.
// draft-guard.js forgets it at sign-out.

import { button, element, fill, isObject, parse } from "./dom.js";

const PREFIX = "finetune-site:draft:";
const PAUSE_MS = 400;
const SIGNED_OUT = "finetune-site:signed-out"; // when, in milliseconds
const KEPT_MS = 30 * 24 * 3600 * 1000;
const MOST = 3; // drafts of one row
const STATE = ["opened_at", "opened_state", "opened_revision"]; // what the work was begun on

export class Drafts {
  // `key` names user and row; `editors` are told when their text areas are filled.
  constructor(form, { key, saved, isBound }, editors, whole, words) {
    Object.assign(this, { form, key: PREFIX + key, editors, whole, words });
    this.id = crypto.randomUUID?.() ?? String(Math.random());
    this.isLeaving = false;
    this.openedAt = Date.now();
    forgetOld(saved);
    this.start = this.values();
    this.isBound = isBound;
    this.undecided = []; // drafts that were offered, and neither taken up nor discarded
    if (isBound) this.keep(); // the server gave back what could not be stored
    else for (const draft of draftsAt(this.key)) this.offer(draft);
    this.writeId();
    form.addEventListener("input", () => this.soon());
    form.addEventListener("change", () => this.soon());
    form.addEventListener("submit", () => this.leave());
    addEventListener("beforeunload", (event) => {
      if (!this.isLeaving && this.isDirty()) event.preventDefault();
    });
    addEventListener("finetune-site:sign-out", () => this.keep());
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
    if (signedOutAt() > this.openedAt) return false; // its author let it go
    return this.isBound || !same(this.start, this.values());
  }

  soon() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.keep(), PAUSE_MS);
  }

  keep() {
    if (signedOutAt() > this.openedAt) return;
    const values = this.values();
    const own = this.isDirty() ? [{ id: this.id, at: Date.now(), values }] : [];
    try {
      write(this.key, [...own, ...this.undecided]);
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

  offer(draft) {
    if (same(draft.values, this.start, STATE)) return;
    this.undecided.push(draft);
    const notice = element("div", { className: "notice notice--info draft", role: "status" });
    const decide = (act) => () => {
      this.undecided = this.undecided.filter((each) => each !== draft);
      notice.remove();
      act();
      this.keep();
    };
    const restore = button(this.words.draftRestore, decide(() => this.restore(draft)), { className: "button" });
    const discard = button(this.words.draftDiscard, decide(() => {}), { className: "button" });
    const when = new Date(draft.at).toLocaleString(document.documentElement.lang);
    notice.append(
      element("p", { textContent: fill(this.words.draftFound, when) }),
      element("p", { textContent: this.summary(draft.values) }),
      element("p", { className: "turn-editor__tools" }, restore, discard),
    );
    this.form.prepend(notice);
  }

  // Which turns and fields differ from what the page shows now.
  summary(values) {
    const changed = Object.keys({ ...this.start, ...values }).filter(
      (name) => !STATE.includes(name) && JSON.stringify(this.start[name]) !== JSON.stringify(values[name]),
    );
    return changed.map((name) => this.told(name, values[name]?.[0])).filter(Boolean).join(" · ");
  }

  told(name, value) {
    if (name === "whole_row") return this.words.wholeRow;
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
    const [whole] = draft.values.whole_row ?? [];
    if (whole === undefined) this.whole.close();
    else this.whole.show(whole, true);
    this.form.dispatchEvent(new Event("input"));
  }

  warn(text) {
    this.warning ??= this.form.appendChild(element("p", { className: "turn-editor__error", role: "status" }));
    this.warning.textContent = text;
  }
}

// The newest first.
function draftsAt(key) {
  try {
    const drafts = parse(localStorage.getItem(key) ?? "");
    const fine = (each) => isObject(each) && isObject(each.values);
    return Array.isArray(drafts) ? drafts.filter(fine) : [];
  } catch {
    return []; // the browser allows no store
  }
}

function signedOutAt() {
  try {
    return Number(localStorage.getItem(SIGNED_OUT) ?? 0);
  } catch {
    return 0;
  }
}

function write(key, drafts) {
  if (drafts.length === 0) localStorage.removeItem(key);
  else localStorage.setItem(key, JSON.stringify(drafts.slice(0, MOST)));
}

// Those that the server has stored meanwhile, and those that nobody came back for.
function forgetOld(saved) {
  const isKept = (draft) => Date.now() - draft.at < KEPT_MS && !saved.includes(draft.id);
  try {
    for (const key of Object.keys(localStorage)) {
      if (key.startsWith(PREFIX)) write(key, draftsAt(key).filter(isKept));
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
