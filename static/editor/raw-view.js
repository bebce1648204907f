// JSON that is edited as text: where it is wrong, said while one types, and below it what
// the format has against its messages, each with the line where the message begins.

import { button, element } from "./dom.js";
import { tellError } from "./json-box.js";
import { read } from "./json-text.js";

export class RawView {
  // `lists` are where the messages stand in it, see json-text.js.
  constructor(textArea, words, lists = [""]) {
    this.textArea = textArea;
    this.words = words;
    this.lists = lists;
    this.problems = [];
    this.error = element("p", { className: "turn-editor__error", role: "status" });
    this.list = element("ul", { className: "turn-editor__problems" });
    this.root = element("div", { className: "turn-editor__raw", hidden: true }, this.error, this.list);
    textArea.after(this.root);
    textArea.addEventListener("input", () => this.update());
  }

  setShown(isShown) {
    this.root.hidden = !isShown;
    this.update();
  }

  showProblems(problems) {
    this.problems = problems;
    this.update();
  }

  read() {
    const text = this.textArea.value;
    return text.trim() === "" ? { error: null, items: [] } : read(text, this.lists);
  }

  update() {
    if (this.root.hidden) return;
    const { error, items } = this.read();
    this.textArea.setAttribute("aria-invalid", String(Boolean(error)));
    this.error.textContent = tellError(error, this.words);
    const shown = error ? [] : this.problems;
    this.list.replaceChildren(...shown.map((problem) => this.row(problem, items[problem.index])));
  }

  row(problem, item) {
    const text = `${problem.what} ${problem.mend}`;
    if (!item) return element("li", { textContent: text });
    const go = button(`${this.words.line} ${item.line}`, () => this.select(item));
    return element("li", {}, go, " ", text);
  }

  goTo(index) {
    const item = this.read().items[index];
    if (item) this.select(item);
  }

  select({ offset }) {
    this.textArea.focus();
    this.textArea.setSelectionRange(offset, offset + 1);
  }
}
