// Edits a conversation turn by turn. The text area beside it holds the JSON that is
// stored; every change here is written there at once.

import { button, element, icon, isObject, parse, select } from "./dom.js";
import { Dragging } from "./drag.js";
import { isExactJSON } from "./json-text.js";
import { Notes } from "./notes.js";
import { RawView } from "./raw-view.js";
import { addersOf, fieldsOf, otherKeys, weightSelect } from "./turn-fields.js";

export class TurnEditor {
  // `page` knows what is common to all editors of the page: functions().
  constructor(textArea, page) {
    this.textArea = textArea;
    this.page = page;
    this.words = page.words;
    this.isOutput = textArea.dataset.turnEditor === "output";
    this.undone = [];
    this.notes = new Notes(textArea.form.elements.extra, textArea.name);
    this.list = element("ol", { className: "turn-editor__turns" });
    this.dragging = new Dragging(this);
    this.notice = element("p", { className: "turn-editor__notice", role: "status" });
    this.again = button(this.words.showTurns, () => this.showTurns());
    this.adder = button(this.words.add, () => this.insertAt(this.turns.length));
    const tools = element("p", { className: "turn-editor__tools" }, this.adder, this.again);
    this.root = element("div", { className: "turn-editor" });
    textArea.before(this.root);
    this.root.append(this.list, textArea, this.notice, tools);
    this.raw = new RawView(textArea, this.words);
    this.showTurns();
  }

  functions() {
    return this.page.functions();
  }

  // Reads the JSON; without a list of messages in it, the JSON itself stays on view.
  showTurns() {
    const text = this.textArea.value.trim();
    const first = this.isOutput ? [] : [{ role: "user", content: "" }];
    const turns = text === "" ? first : isExactJSON(text) ? parse(text) : undefined;
    if (!Array.isArray(turns) || !turns.every(isObject)) {
      this.turns = [];
      this.setView(false);
      this.say(this.words.cannotShow);
      return;
    }
    this.turns = turns;
    this.draw();
    this.setView(true);
    this.say("");
  }

  setView(asTurns) {
    this.asTurns = asTurns;
    this.textArea.hidden = asTurns;
    this.raw.setShown(!asTurns);
    this.list.hidden = this.adder.hidden = !asTurns;
    this.again.hidden = asTurns;
  }

  say(text, ...actions) {
    this.notice.replaceChildren(text, ...actions);
    this.notice.hidden = text === "";
  }

  store() {
    const isEmpty = this.isOutput && this.turns.length === 0;
    this.textArea.value = isEmpty ? "" : JSON.stringify(this.turns, null, 2);
    this.textArea.dispatchEvent(new Event("input", { bubbles: true }));
  }

  draw() {
    this.list.replaceChildren(...this.turns.map((turn, index) => this.row(turn, index)));
    this.adder.disabled = this.isOutput && this.turns.length > 0;
  }

  change(turns, focusOn) {
    this.notes.follow(this.turns, turns);
    this.turns = turns;
    this.store();
    this.draw();
    this.focusTurn(focusOn);
  }

  // After a change of a turn that changes which fields it has.
  redraw(index) {
    this.store();
    this.draw();
    this.focusTurn(index);
  }

  focusTurn(index) {
    this.list.children[index]?.querySelector("textarea, select, input")?.focus();
  }

  insertAt(index) {
    const before = this.turns[index - 1]?.role;
    const isAnswer = this.isOutput || before === "user" || before === "tool";
    const turn = { role: isAnswer ? "assistant" : "user", content: "" };
    this.say("");
    this.change(this.turns.toSpliced(index, 0, turn), index);
  }

  duplicate(index) {
    const copy = structuredClone(this.turns[index]);
    this.say("");
    this.change(this.turns.toSpliced(index + 1, 0, copy), index + 1);
  }

  remove(index) {
    const [removed] = this.turns.slice(index, index + 1);
    this.change(this.turns.toSpliced(index, 1), Math.min(index, this.turns.length - 2));
    this.undone.push([index, removed]);
    this.say(this.words.removed + " ", button(this.words.undo, () => this.undo()));
  }

  undo() {
    const [index, turn] = this.undone.pop();
    this.change(this.turns.toSpliced(Math.min(index, this.turns.length), 0, turn), index);
    const more = this.undone.length > 0;
    this.say(more ? this.words.removed + " " : "", ...(more ? [button(this.words.undo, () => this.undo())] : []));
  }

  move(index, by) {
    if (index + by < 0 || index + by >= this.turns.length) return;
    const turns = [...this.turns];
    const [turn] = turns.splice(index, 1);
    turns.splice(index + by, 0, turn);
    this.change(turns, index + by);
    this.say(`${this.words.turn} ${index + 1} → ${index + by + 1}`);
  }

  row(turn, index) {
    const number = this.isOutput ? this.words.answer : `${this.words.turn} ${index + 1}`;
    const row = element("li", { className: "turn-editor__turn", "aria-label": number });
    row.dataset.role = String(turn.role ?? "");
    const head = element(
      "div",
      { className: "turn-editor__head" },
      this.isOutput ? "" : this.dragging.handle(index),
      element("span", { className: "turn-editor__number", textContent: index + 1 }),
      this.roleSelect(turn, index),
      weightSelect(this, turn),
      element("span", { className: "turn-editor__tokens" }),
      this.rowButtons(index),
    );
    const problems = element("ul", { className: "turn-editor__problems" });
    row.append(head, ...fieldsOf(this, turn, index), addersOf(this, turn, index), problems, otherKeys(this, turn));
    return row;
  }

  roleSelect(turn, index) {
    const roles = Object.entries(this.words.roles);
    const own = typeof turn.role === "string" ? turn.role : JSON.stringify(turn.role ?? "");
    if (!Object.hasOwn(this.words.roles, own)) roles.push([own, own || "–"]);
    return select(this.words.role, own, roles, (role) => {
      turn.role = role;
      if (role !== "assistant") delete turn.weight;
      if (role !== "tool") delete turn.tool_call_id;
      this.change(this.turns, -1);
      this.list.children[index].querySelector("select").focus();
    });
  }

  rowButtons(index) {
    if (this.isOutput) return this.signs([["×", this.words.remove, () => this.remove(index), false]]);
    const last = this.turns.length - 1;
    return this.signs([
      ["↑", this.words.up, () => this.move(index, -1), index === 0],
      ["↓", this.words.down, () => this.move(index, 1), index === last],
      ["+", this.words.insert, () => this.insertAt(index + 1), false],
      [icon(this.page.icons, "copy"), this.words.duplicate, () => this.duplicate(index), false],
      ["×", this.words.remove, () => this.remove(index), last === 0],
    ]);
  }

  signs(buttons) {
    const made = buttons.map(([sign, title, onClick, disabled]) =>
      button(sign, onClick, { title, ariaLabel: title, disabled }),
    );
    return element("span", { className: "turn-editor__buttons" }, ...made);
  }

  firstInvalid() {
    return this.asTurns ? this.list.querySelector('[aria-invalid="true"]') : null;
  }

  // Of the server's check: tokens and problems of this editor's turns, by index.
  showChecked(tokens, problems) {
    this.raw.showProblems(problems);
    [...this.list.children].forEach((row, index) => {
      const n = tokens[index];
      row.querySelector(".turn-editor__tokens").textContent =
        n === undefined ? "" : `${n.toLocaleString()} ${this.words.tokens}`;
      const own = problems.filter((problem) => problem.index === index);
      row.querySelector(".turn-editor__problems").replaceChildren(
        ...own.map((each) => element("li", { textContent: `${each.what} ${each.mend}` })),
      );
    });
  }
}
