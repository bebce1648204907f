// Edits a conversation turn by turn. The text area beside it holds the JSON that is
// stored; every change here is written there at once.

import { addCall, callChoice, callsOf, canEditCalls, canEditFunctionCall } from "./calls.js";
import { button, element, icon, isObject, labelled, parse, select } from "./dom.js";
import { imageButtons, partsOf } from "./images.js";
import { jsonBox } from "./json-box.js";
import { isExactJSON } from "./json-text.js";
import { RawView } from "./raw-view.js";

const PLAIN_KEYS = ["role", "content", "weight", "name", "tool_call_id"];

export class TurnEditor {
  // `page` knows what is common to all editors of the page: functions().
  constructor(textArea, page) {
    this.textArea = textArea;
    this.page = page;
    this.words = page.words;
    this.isOutput = textArea.dataset.turnEditor === "output";
    this.undone = [];
    this.list = element("ol", { className: "turn-editor__turns" });
    this.notice = element("p", { className: "turn-editor__notice", role: "status" });
    this.toggle = button(this.words.showJson, () => this.switchView());
    this.adder = button(this.words.add, () => this.insertAt(this.turns.length));
    const tools = element("p", { className: "turn-editor__tools" }, this.adder, this.toggle);
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
    this.toggle.textContent = asTurns ? this.words.showJson : this.words.showTurns;
  }

  switchView() {
    if (!this.asTurns) {
      this.showTurns();
    } else {
      this.setView(false);
      this.say("");
      this.textArea.focus();
    }
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
    row.dataset.role = turn.role ?? "";
    const head = element(
      "div",
      { className: "turn-editor__head" },
      element("span", { className: "turn-editor__number", textContent: index + 1 }),
      this.roleSelect(turn, index),
      this.weightSelect(turn),
      element("span", { className: "turn-editor__tokens" }),
      this.rowButtons(index),
    );
    const problems = element("ul", { className: "turn-editor__problems" });
    row.append(head, ...this.body(turn, index), this.adders(turn, index), problems, this.otherKeys(turn));
    return row;
  }

  body(turn, index) {
    const isAnswer = turn.role === "tool" || turn.tool_call_id !== undefined;
    return [
      ...(isAnswer ? [callChoice(this, turn, index)] : []),
      ...this.nameField(turn),
      ...this.content(turn, index),
      ...callsOf(this, turn, index),
    ];
  }

  roleSelect(turn, index) {
    const roles = Object.entries(this.words.roles);
    if (!(turn.role in this.words.roles)) roles.push([turn.role ?? "", turn.role ?? "–"]);
    return select(this.words.role, turn.role ?? "", roles, (role) => {
      turn.role = role;
      if (role !== "assistant") delete turn.weight;
      if (role !== "tool") delete turn.tool_call_id;
      this.change(this.turns, -1);
      this.list.children[index].querySelector("select").focus();
    });
  }

  weightSelect(turn) {
    if (turn.role !== "assistant" || this.isOutput) return "";
    const { learnt, notLearnt, weight } = this.words;
    const known = turn.weight === undefined || turn.weight === 0 || turn.weight === 1;
    const odd = known ? [] : [["odd", JSON.stringify(turn.weight)]];
    const choices = [["1", learnt], ["0", notLearnt], ...odd];
    const value = known ? String(turn.weight ?? 1) : "odd";
    const made = select(weight, value, choices, (chosen) => {
      if (chosen === "0") turn.weight = 0;
      else if (chosen === "1") delete turn.weight;
      this.store();
    });
    return labelled(weight, made, "turn-editor__weight");
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

  content(turn, index) {
    if (Array.isArray(turn.content)) return partsOf(this, turn, index);
    if (turn.content != null && typeof turn.content !== "string") {
      return [this.jsonBox(this.words.content, turn.content, null, () => true, (content) => {
        turn.content = content;
      })];
    }
    return [this.textBox(turn)];
  }

  textBox(turn) {
    const box = element("textarea", {
      className: "turn-editor__content",
      value: turn.content ?? "",
      rows: Math.min(16, Math.max(2, Math.ceil((turn.content ?? "").length / 90))),
      "aria-label": this.words.content,
    });
    box.addEventListener("input", () => {
      // An assistant who only calls tools has the content null; keep it so.
      const isCall = turn.tool_calls || turn.function_call;
      turn.content = box.value === "" && isCall ? null : box.value;
      this.store();
    });
    return box;
  }

  nameField(turn) {
    if (turn.name === undefined && turn.role !== "function") return [];
    if (typeof (turn.name ?? "") !== "string") return [];
    const box = element("input", { type: "text", value: turn.name ?? "" });
    box.addEventListener("input", () => {
      if (box.value === "") delete turn.name;
      else turn.name = box.value;
      this.store();
    });
    return [labelled(this.words.name, box)];
  }

  // What the turn may have and has not.
  adders(turn, index) {
    const isUser = turn.role === "user";
    const callable = turn.role === "assistant" && (turn.tool_calls === undefined || canEditCalls(turn));
    const nameable = turn.name === undefined && turn.role !== "function";
    const made = [
      ...(isUser && !this.isOutput ? imageButtons(this, turn, index) : []),
      callable ? button(this.words.addCall, () => addCall(this, turn, index)) : "",
      nameable ? button(this.words.addName, () => this.addName(turn, index)) : "",
    ];
    return element("p", { className: "turn-editor__adders" }, ...made);
  }

  addName(turn, index) {
    turn.name = "";
    this.draw();
    const row = this.list.children[index];
    row.querySelector(".turn-editor__field input")?.focus();
    delete turn.name;
  }

  // Whatever has no field of its own.
  otherKeys(turn) {
    const hasField = (key) =>
      PLAIN_KEYS.includes(key) ||
      (key === "tool_calls" && canEditCalls(turn)) ||
      (key === "function_call" && canEditFunctionCall(turn));
    const others = Object.fromEntries(Object.entries(turn).filter(([key]) => !hasField(key)));
    const details = element("details", { className: "turn-editor__more" });
    details.open = Object.keys(others).length > 0;
    const box = this.jsonBox(this.words.more, others, {}, isObject, (changed) => {
      for (const key of Object.keys(turn)) if (!hasField(key)) delete turn[key];
      for (const key of Object.keys(changed)) if (hasField(key)) delete changed[key];
      Object.assign(turn, changed);
    });
    details.append(element("summary", { textContent: this.words.more }), box);
    return details;
  }

  jsonBox(label, value, empty, isFine, take) {
    const store = (parsed) => {
      take(parsed);
      this.store();
    };
    return jsonBox({ label, value, empty, isFine, take: store, words: this.words });
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
