// The keys of the review queue. What a key does stands on the page: the button or link
// whose data-key names it. Everything is delegated, so a new row needs no new listener.

"use strict";

(() => {
  const isWriting = (target) =>
    target instanceof Element && target.closest("input, textarea, select, [contenteditable]");

  // With a Korean keyboard the key A types ㅁ; its place on the board still says "KeyA".
  const letterOf = (event) =>
    /^[a-z?]$/i.test(event.key)
      ? event.key.toLowerCase()
      : (/^Key([A-Z])$/.exec(event.code)?.[1] ?? "").toLowerCase();

  const isBusy = () => document.querySelector("#review.htmx-request, #review .htmx-request");

  // A new row is shown a moment before htmx knows its buttons.
  const isSettling = () => document.querySelector("#review.htmx-added");

  const meantBy = (letter) => document.querySelector(`[data-key~="${letter}"]`);

  const pressWhatIsMeantBy = (letter) => {
    const element = meantBy(letter);
    if (element) {
      press(element);
    }
  };

  const press = (element) => {
    const box = element.closest("[data-write]");
    if (box) {
      box.open = true;
      box.querySelector("textarea").focus();
    } else {
      element.click();
    }
  };

  document.addEventListener("keydown", (event) => {
    if (isWriting(event.target)) {
      const form = event.target.closest("form");
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && form) {
        event.preventDefault();
        form.requestSubmit();
      } else if (event.key === "Escape") {
        const box = event.target.closest("[data-write]");
        if (box) {
          box.open = false;
          box.querySelector("summary").focus();
        }
      }
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) {
      return;
    }
    const letter = letterOf(event);
    if (!letter || !meantBy(letter) || isBusy()) {
      return;
    }
    event.preventDefault();
    if (isSettling()) {
      document.addEventListener("htmx:afterSettle", () => pressWhatIsMeantBy(letter), {
        once: true,
      });
    } else {
      pressWhatIsMeantBy(letter);
    }
  });

  // Opening a box to write in puts the caret there, with the mouse as with the keys.
  document.addEventListener(
    "toggle",
    (event) => {
      if (event.target instanceof HTMLDetailsElement && event.target.matches("[data-write][open]")) {
        event.target.querySelector("textarea").focus();
      }
    },
    true,
  );
})();
