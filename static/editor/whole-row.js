// The whole row as one JSON text, in the place of the fields that it stands for.
// The server translates both ways, so that it is read just as a line of a file.

import { button, element } from "./dom.js";
import { RawView } from "./raw-view.js";

const NAME = "whole_row";
const FIELDS = [
  "messages",
  "preferred_output",
  "non_preferred_output",
  "tools",
  "parallel_tool_calls",
  "functions",
  "extra",
];
// Where messages stand, in the order in which problems count them.
const LISTS = ["messages", "input.messages", "preferred_output", "non_preferred_output"];

export class WholeRow {
  // `ask(more)` posts the form's row to the server and gives its answer.
  constructor(form, editors, words) {
    Object.assign(this, { form, editors, words });
    this.rows = FIELDS.map((name) => form.querySelector(`.form-row.field-${name}`)).filter(Boolean);
    this.toggle = button(words.showJson, () => (this.isShown ? this.leave() : this.enter()));
    this.notice = element("p", { className: "turn-editor__error", role: "status" });
    const tools = element("p", { className: "turn-editor__tools" }, this.toggle);
    this.root = element("div", { className: "turn-editor whole-row" }, tools, this.notice);
    this.rows[0].before(this.root);
  }

  get isShown() {
    return Boolean(this.area);
  }

  // Only a text that was edited is sent in the place of the fields.
  get text() {
    return this.area?.name ? this.area.value : undefined;
  }

  async enter() {
    const invalid = this.editors.map((editor) => editor.firstInvalid()).find(Boolean);
    if (invalid) return invalid.focus(); // what is on the screen must not be lost
    const answer = await this.ask({ whole: "1" });
    if (!answer) return this.say(this.words.notChecked);
    if (answer.whole === undefined) return this.say(Object.values(answer.errors).flat().join(" "));
    this.show(answer.whole);
    this.area.focus();
  }

  // `isEdited`: it differs from what the fields hold.
  show(text, isEdited = false) {
    this.close();
    this.say("");
    this.area = element("textarea", {
      id: "id_whole_row",
      className: "turn-editor__json",
      rows: 28,
      spellcheck: false,
      "aria-label": this.words.wholeRow,
      value: text,
    });
    if (isEdited) this.area.name = NAME;
    this.area.addEventListener("input", () => (this.area.name = NAME));
    this.notice.before(this.area);
    this.raw = new RawView(this.area, this.words, LISTS);
    this.raw.setShown(true);
    this.hideFields(true);
  }

  async leave() {
    if (this.text !== undefined) {
      const answer = await this.ask({});
      if (!answer) return this.say(this.words.notChecked);
      if (!answer.fields) return this.say(Object.values(answer.errors).flat().join(" "));
      this.fill(answer.fields);
    }
    this.close();
    this.toggle.focus();
  }

  fill(fields) {
    for (const name of FIELDS) {
      const field = this.form.elements[name];
      if (field) field.value = fields[name];
      field?.dispatchEvent(new Event("input", { bubbles: true }));
    }
    for (const editor of this.editors) editor.showTurns();
  }

  close() {
    this.area?.remove();
    this.raw?.root.remove();
    this.area = this.raw = undefined;
    this.hideFields(false);
    this.say("");
  }

  hideFields(areHidden) {
    this.toggle.textContent = areHidden ? this.words.showTurns : this.words.showJson;
    for (const row of this.rows) {
      row.hidden = areHidden;
      const group = row.closest("fieldset");
      const isEmpty = [...group.querySelectorAll(".form-row")].every((each) => each.hidden);
      group.hidden = isEmpty;
    }
  }

  showProblems(problems) {
    this.raw?.showProblems(problems.map((each) => ({ ...each, index: (each.message ?? 0) - 1 })));
  }

  goTo(message) {
    this.raw?.goTo(message - 1);
  }

  say(text) {
    this.notice.textContent = text;
  }
}
