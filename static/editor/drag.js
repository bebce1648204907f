// Turns are dragged to another place by their handle: with a pointer, or by taking one
// up with Enter or Space, carrying it with the arrows, and putting it down again.

import { button } from "./dom.js";

const START = 4; // pixels: a hand trembles
const EDGE = 60; // pixels from the window's edge, where the page begins to roll
const SPEED = 14; // pixels a frame

// `editor` has list, turns, words, move(index, by), say(text).
export class Dragging {
  constructor(editor) {
    this.editor = editor;
    this.held = null; // {index, from} of the turn that the keyboard holds
    this.drag = null; // of the turn that the pointer drags
    editor.list.addEventListener("focusout", (event) => this.lose(event));
  }

  handle(index) {
    const { words } = this.editor;
    const made = button("⠿", () => this.click(index), {
      className: "turn-editor__button turn-editor__handle",
      title: words.dragHow,
      ariaLabel: `${words.drag} ${index + 1}`,
      ariaPressed: "false",
    });
    made.addEventListener("pointerdown", (event) => this.start(event, index));
    made.addEventListener("keydown", (event) => this.key(event, index));
    return made;
  }

  rows() {
    return [...this.editor.list.children];
  }

  // With the keyboard

  click(index) {
    if (this.hasDropped) return; // the click that ends a drag
    if (this.held) this.putDown(this.editor.words.dropped);
    else this.takeUp(index);
  }

  takeUp(index) {
    this.held = { index, from: index };
    this.markHeld();
    this.editor.say(this.editor.words.held);
  }

  putDown(text) {
    this.held = null;
    this.markHeld();
    this.editor.say(text);
  }

  key(event, index) {
    if (this.held?.index !== index || event.altKey) return;
    const by = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (!by && event.key !== "Escape") return;
    event.preventDefault();
    if (by) return this.carry(index + by);
    this.carry(this.held.from);
    this.putDown(this.editor.words.backAgain);
  }

  carry(to) {
    const { index, from } = this.held;
    if (to === index || to < 0 || to >= this.editor.turns.length) return;
    this.held = null; // drawing anew takes the focus away, which is no putting down
    this.editor.move(index, to - index);
    this.held = { index: to, from };
    this.markHeld();
    this.rows()[to].querySelector(".turn-editor__handle").focus();
  }

  lose(event) {
    if (this.held && !this.editor.list.contains(event.relatedTarget)) {
      this.putDown(this.editor.words.dropped);
    }
  }

  markHeld() {
    this.rows().forEach((row, index) => {
      const isHeld = this.held?.index === index;
      row.classList.toggle("turn-editor__turn--held", isHeld);
      row.querySelector(".turn-editor__handle")?.setAttribute("aria-pressed", String(isHeld));
    });
  }

  // With a pointer

  start(event, index) {
    if (event.button !== 0 || this.drag) return;
    const handle = event.currentTarget;
    const listening = new AbortController();
    const { signal } = listening;
    this.drag = { index, gap: index, startedAt: event.clientY, y: event.clientY, listening };
    handle.setPointerCapture(event.pointerId);
    handle.addEventListener("pointermove", (moved) => this.follow(moved), { signal });
    handle.addEventListener("pointerup", () => this.drop(), { signal });
    handle.addEventListener("pointercancel", () => this.stop(), { signal });
    document.addEventListener("keydown", (key) => key.key === "Escape" && this.stop(), { signal });
  }

  follow({ clientY }) {
    const { drag } = this;
    drag.y = clientY;
    if (!drag.isMoving && Math.abs(clientY - drag.startedAt) < START) return;
    if (!drag.isMoving) {
      drag.isMoving = true;
      this.roll(drag);
    }
    this.aim();
  }

  // The page rolls while the pointer is near its edge.
  roll(drag) {
    if (this.drag !== drag) return;
    const by = drag.y < EDGE ? -SPEED : drag.y > innerHeight - EDGE ? SPEED : 0;
    if (by) {
      scrollBy(0, by);
      this.aim();
    }
    requestAnimationFrame(() => this.roll(drag));
  }

  // The gap between two turns that the pointer is nearest to, as the turn behind it.
  aim() {
    const { drag } = this;
    const isAbove = (row) => {
      const { top, height } = row.getBoundingClientRect();
      return top + height / 2 < drag.y;
    };
    drag.gap = this.rows().filter(isAbove).length;
    this.markGap();
  }

  markGap() {
    const { index, gap, isMoving } = this.drag ?? {};
    const rows = this.rows();
    const isElsewhere = isMoving && gap !== index && gap !== index + 1;
    rows.forEach((row, n) => {
      row.classList.toggle("turn-editor__turn--dragged", Boolean(isMoving) && n === index);
      row.classList.toggle("turn-editor__turn--before", isElsewhere && n === gap);
      row.classList.toggle(
        "turn-editor__turn--behind",
        isElsewhere && gap === rows.length && n === rows.length - 1,
      );
    });
  }

  drop() {
    const { index, gap, isMoving } = this.drag;
    this.stop();
    if (!isMoving) return;
    this.hasDropped = true;
    setTimeout(() => (this.hasDropped = false));
    const to = gap > index ? gap - 1 : gap;
    if (to !== index) this.editor.move(index, to - index);
  }

  stop() {
    this.drag?.listening.abort();
    this.drag = null;
    this.markGap();
  }
}
