// Further keys of messages are kept in `extra`, by the number of the message:
// {"messages": {"2": {"id": 7}}}. They go where their turn goes.

import { isObject, parse, put } from "./dom.js";
import { isExactJSON } from "./json-text.js";

export class Notes {
  // `area` holds the JSON of `extra`; `key` says of which list of turns.
  constructor(area, key) {
    this.area = area;
    this.key = key;
    this.removed = new WeakMap(); // of turns that may come back
  }

  // `before` and `after` hold the same turns, but for one that came or went.
  follow(before, after) {
    const text = this.area?.value.trim() || "{}";
    const extra = isExactJSON(text) ? parse(text) : undefined;
    if (!this.area || !isObject(extra)) return; // whoever wrote that mends it first
    const notes = isObject(extra[this.key]) ? extra[this.key] : {};
    before.forEach((turn, index) => {
      const note = notes[index + 1];
      if (note !== undefined && !after.includes(turn)) this.removed.set(turn, note);
    });
    const moved = this.moved(notes, before, after);
    if (JSON.stringify(moved) !== JSON.stringify(notes)) this.write(extra, moved);
  }

  moved(notes, before, after) {
    const moved = {};
    after.forEach((turn, index) => {
      const at = before.indexOf(turn);
      const note = at < 0 ? this.removed.get(turn) : notes[at + 1];
      if (note !== undefined) moved[index + 1] = note;
    });
    for (const [number, note] of Object.entries(notes)) {
      const isOfNoTurn = !(Number(number) >= 1 && Number(number) <= before.length);
      if (isOfNoTurn && !Object.hasOwn(moved, number)) put(moved, number, note);
    }
    return moved;
  }

  write(extra, notes) {
    if (Object.keys(notes).length === 0) delete extra[this.key];
    else put(extra, this.key, notes);
    this.area.value = Object.keys(extra).length === 0 ? "" : JSON.stringify(extra, null, 2);
    this.area.dispatchEvent(new Event("input", { bubbles: true }));
  }
}
