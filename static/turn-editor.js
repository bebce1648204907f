// Edits a conversation turn by turn. The text area beside it holds the JSON that is
// stored; every change here is written there at once. All text goes through `value` and
// `textContent`: what is edited comes from anywhere and is never taken for HTML.

const PLAIN_KEYS = ["role", "content", "weight"];

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name in made && name !== "list") made[name] = value;
    else made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const isObject = (value) => value !== null && typeof value === "object" && !Array.isArray(value);

// JSON.parse rounds long numbers. Where it would, only the JSON itself may be edited.
function keepsNumbers(text) {
  const withoutStrings = text.replace(/"(?:[^"\\]|\\.)*"/g, '""');
  const numbers = withoutStrings.match(/-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g) ?? [];
  return numbers.every((number) => String(Number(number)) === number);
}

class TurnEditor {
  constructor(textArea) {
    this.textArea = textArea;
    this.words = JSON.parse(textArea.dataset.turnEditor);
    this.list = element("ol", { className: "turn-editor__turns" });
    this.notice = element("p", { className: "turn-editor__notice", role: "status" });
    this.toggle = this.button(this.words.showJson, () => this.switchView());
    this.adder = this.button(this.words.add, () => this.insertAt(this.turns.length));
    this.tools = element("p", { className: "turn-editor__tools" }, this.adder, this.toggle);
    this.root = element("div", { className: "turn-editor" }, this.list, this.notice, this.tools);
    textArea.before(this.root);
    this.showTurns();
  }

  button(label, onClick, extra = {}) {
    const made = element("button", { type: "button", className: "turn-editor__button", ...extra });
    made.textContent = label;
    made.addEventListener("click", onClick);
    return made;
  }

  // Reads the JSON; without a list of messages in it, the JSON itself stays on view.
  showTurns() {
    const text = this.textArea.value.trim();
    const turns = text === "" ? [{ role: "user", content: "" }] : parse(text);
    if (!Array.isArray(turns) || !turns.every(isObject) || !keepsNumbers(text)) {
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
    this.textArea.value = JSON.stringify(this.turns, null, 2);
  }

  draw() {
    this.list.replaceChildren(...this.turns.map((turn, index) => this.row(turn, index)));
  }

  change(turns, focusOn) {
    this.turns = turns;
    this.store();
    this.draw();
    this.list.children[focusOn]?.querySelector("textarea, select")?.focus();
  }

  insertAt(index) {
    const before = this.turns[index - 1]?.role;
    const turn = { role: before === "user" ? "assistant" : "user", content: "" };
    this.say("");
    this.change(this.turns.toSpliced(index, 0, turn), index);
  }

  remove(index) {
    const turns = this.turns;
    this.change(turns.toSpliced(index, 1), Math.min(index, turns.length - 2));
    const undo = this.button(this.words.undo, () => {
      this.say("");
      this.change(turns, index);
    });
    this.say(this.words.removed + " ", undo);
  }

  move(index, by) {
    const turns = [...this.turns];
    const [turn] = turns.splice(index, 1);
    turns.splice(index + by, 0, turn);
    this.say("");
    this.change(turns, index + by);
  }

  row(turn, index) {
    const number = `${this.words.turn} ${index + 1}`;
    const row = element("li", { className: "turn-editor__turn", "aria-label": number });
    row.dataset.role = turn.role ?? "";
    const head = element(
      "div",
      { className: "turn-editor__head" },
      element("span", { className: "turn-editor__number", textContent: index + 1 }),
      this.roleSelect(turn, index),
      this.weightSelect(turn),
      this.rowButtons(index),
    );
    row.append(head, this.contentBox(turn), this.otherKeys(turn));
    return row;
  }

  roleSelect(turn, index) {
    const select = element("select", { "aria-label": this.words.role });
    const roles = Object.entries(this.words.roles);
    if (!(turn.role in this.words.roles)) roles.push([turn.role ?? "", turn.role ?? "–"]);
    for (const [role, word] of roles) {
      select.append(element("option", { value: role, textContent: word }));
    }
    select.value = turn.role ?? "";
    select.addEventListener("change", () => {
      turn.role = select.value;
      if (turn.role !== "assistant") delete turn.weight;
      this.change(this.turns, -1);
      this.list.children[index].querySelector("select").focus();
    });
    return select;
  }

  weightSelect(turn) {
    if (turn.role !== "assistant") return "";
    const select = element("select", { "aria-label": this.words.weight });
    select.append(
      element("option", { value: "1", textContent: this.words.learnt }),
      element("option", { value: "0", textContent: this.words.notLearnt }),
    );
    select.value = turn.weight === 0 ? "0" : "1";
    select.addEventListener("change", () => {
      if (select.value === "0") turn.weight = 0;
      else delete turn.weight;
      this.store();
    });
    return element("label", { className: "turn-editor__weight" }, this.words.weight, " ", select);
  }

  rowButtons(index) {
    const last = this.turns.length - 1;
    const buttons = [
      ["↑", this.words.up, () => this.move(index, -1), index === 0],
      ["↓", this.words.down, () => this.move(index, 1), index === last],
      ["+", this.words.insert, () => this.insertAt(index + 1), false],
      ["×", this.words.remove, () => this.remove(index), last === 0],
    ];
    const made = buttons.map(([sign, title, onClick, disabled]) =>
      this.button(sign, onClick, { title, "aria-label": title, disabled }),
    );
    return element("span", { className: "turn-editor__buttons" }, ...made);
  }

  contentBox(turn) {
    if (Array.isArray(turn.content)) {
      return this.jsonBox(this.words.parts, turn.content, Array.isArray, (parts) => {
        turn.content = parts;
      });
    }
    if (turn.content != null && typeof turn.content !== "string") {
      return this.jsonBox(this.words.content, turn.content, () => true, (content) => {
        turn.content = content;
      });
    }
    const box = element("textarea", {
      className: "turn-editor__content",
      value: turn.content ?? "",
      rows: Math.min(16, Math.max(2, Math.ceil((turn.content ?? "").length / 90))),
      "aria-label": this.words.content,
    });
    box.addEventListener("input", () => {
      // An assistant who only calls tools has the content null; keep it so.
      turn.content = box.value === "" && turn.tool_calls ? null : box.value;
      this.store();
    });
    return box;
  }

  // Whatever else the message has: tool calls above all.
  otherKeys(turn) {
    const others = Object.fromEntries(
      Object.entries(turn).filter(([key]) => !PLAIN_KEYS.includes(key)),
    );
    const details = element("details", { className: "turn-editor__more" });
    details.open = Object.keys(others).length > 0;
    details.append(
      element("summary", { textContent: this.words.more }),
      this.jsonBox(this.words.more, others, isObject, (changed) => {
        for (const key of Object.keys(turn)) if (!PLAIN_KEYS.includes(key)) delete turn[key];
        for (const key of PLAIN_KEYS) delete changed[key];
        Object.assign(turn, changed);
      }),
    );
    return details;
  }

  // A small JSON area. While it is not valid the form cannot be sent: a change that is
  // on the screen must not be lost silently.
  jsonBox(label, value, isFine, take) {
    const isEmpty = isObject(value) && Object.keys(value).length === 0;
    const box = element("textarea", {
      className: "turn-editor__json",
      value: isEmpty ? "" : JSON.stringify(value, null, 2),
      rows: isEmpty ? 2 : 6,
      spellcheck: false,
      "aria-label": label,
    });
    const error = element("span", { className: "turn-editor__error", role: "alert" });
    box.addEventListener("input", () => {
      const parsed = box.value.trim() === "" ? {} : parse(box.value);
      const fine = parsed !== undefined && isFine(parsed) && keepsNumbers(box.value);
      box.setAttribute("aria-invalid", String(!fine));
      error.textContent = fine ? "" : this.words.badJson;
      if (fine) {
        take(parsed);
        this.store();
      }
    });
    return element("span", { className: "turn-editor__area" }, box, error);
  }

  firstInvalid() {
    return this.asTurns ? this.list.querySelector('[aria-invalid="true"]') : null;
  }
}

for (const textArea of document.querySelectorAll("[data-turn-editor]")) {
  const editor = new TurnEditor(textArea);
  textArea.form.addEventListener("submit", (event) => {
    const invalid = editor.firstInvalid();
    if (!invalid) return;
    event.preventDefault();
    invalid.closest("details")?.setAttribute("open", "");
    invalid.focus();
  });
}
