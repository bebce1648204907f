// Asks the server, a moment after the last key, what is wrong with the row and how many
// tokens it has, and shows the answer beside each message and at the side.

import { button, element } from "./dom.js";

const PAUSE_MS = 500;
const PAUSE_MS_LARGE = 4000;
const LARGE = 1_000_000; // characters

const SENT = [
  "csrfmiddlewaretoken",
  "dataset",
  "messages",
  "preferred_output",
  "non_preferred_output",
  "tools",
  "functions",
  "parallel_tool_calls",
  "extra",
  "whole_row",
];

export class Check {
  constructor(form, url, editors, whole, words) {
    Object.assign(this, { form, url, editors, whole, words });
    this.list = document.querySelector("[data-problem-list]");
    this.total = document.querySelector("[data-token-total]");
    form.addEventListener("input", () => this.soon());
    form.addEventListener("change", () => this.soon());
    this.ask();
  }

  soon() {
    const areas = [...this.editors.map((each) => each.textArea.value), this.whole.text ?? ""];
    const size = areas.reduce((sum, each) => sum + each.length, 0);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.ask(), size > LARGE ? PAUSE_MS_LARGE : PAUSE_MS);
  }

  async ask() {
    const dataset = this.form.elements.dataset;
    if (dataset && !dataset.value) return; // of a new row: nothing to check it for yet
    this.asked?.abort();
    this.asked = new AbortController();
    try {
      this.show(await this.post({}, this.asked.signal));
    } catch (error) {
      if (error.name !== "AbortError") this.say(this.words.notChecked);
    }
  }

  async post(more, signal) {
    const body = this.body(more);
    const answer = await fetch(this.url, { method: "POST", body, redirect: "error", signal });
    if (!answer.ok) throw new Error(answer.status);
    return answer.json();
  }

  body(more) {
    const body = new FormData();
    const all = new FormData(this.form);
    for (const name of SENT) if (all.has(name)) body.append(name, all.get(name));
    for (const [name, value] of Object.entries(more)) body.append(name, value);
    return body;
  }

  show({ errors, problems, tokens }) {
    this.whole.showProblems(problems);
    if (tokens) this.showTokens(tokens, problems);
    this.list?.replaceChildren(...this.rows(errors, problems));
  }

  showTokens(tokens, problems) {
    if (this.total) this.total.textContent = tokens.total.toLocaleString();
    let start = 0;
    for (const editor of this.editors) {
      const n = editor.turns.length;
      const own = problems
        .filter(({ message }) => message !== null && message > start && message <= start + n)
        .map((problem) => ({ ...problem, index: problem.message - start - 1 }));
      editor.showChecked(tokens.messages.slice(start, start + n), own);
      start += n;
    }
  }

  rows(errors, problems) {
    const broken = Object.values(errors).flat();
    if (broken.length + problems.length === 0) {
      return [element("p", { textContent: this.words.noProblems })];
    }
    const rows = [
      ...broken.map((text) => element("li", { textContent: text })),
      ...problems.map((problem) => this.row(problem)),
    ];
    return [element("ul", { className: "side-list problems" }, ...rows)];
  }

  row({ message, what, mend }) {
    const text = `${what} ${mend}`;
    if (message === null) return element("li", { textContent: text });
    const go = button(`${this.words.turn} ${message}`, () => this.goTo(message));
    return element("li", {}, go, " ", text);
  }

  goTo(message) {
    if (this.whole.isShown) this.whole.goTo(message);
    else goTo(this.editors, message);
  }

  say(text) {
    this.list?.replaceChildren(element("p", { textContent: text }));
  }
}

// Messages are counted from 1; a DPO row's answers come after its conversation.
export function goTo(editors, message) {
  let index = message - 1;
  for (const editor of editors) {
    if (index < editor.turns.length) {
      editor.focusTurn(index);
      return;
    }
    index -= editor.turns.length;
  }
}
