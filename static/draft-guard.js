// What the editor keeps unsaved in this browser belongs to its author. It is forgotten
// when somebody else is signed in here, and, after a question, when its author signs out.
// Where a session merely ends, it waits for the same person to come back.

(() => {
  const { user, question } = document.currentScript.dataset;
  const PREFIX = "finetune-site:draft:"; // as in editor/drafts.js

  function draftKeys() {
    try {
      return Object.keys(localStorage).filter((key) => key.startsWith(PREFIX));
    } catch {
      return []; // the browser allows no store, so nothing is kept
    }
  }

  function forget(keys) {
    for (const key of keys) localStorage.removeItem(key);
  }

  function signOut(event) {
    if (!event.target.matches("[data-sign-out]")) return;
    dispatchEvent(new Event("finetune-site:sign-out")); // an editor keeps its last keys
    const keys = draftKeys();
    if (keys.length === 0) return;
    if (!confirm(question.replace("{0}", keys.length))) {
      event.preventDefault();
      return;
    }
    forget(keys);
    // An editor that is open in another tab must not write its draft again.
    localStorage.setItem("finetune-site:signed-out", String(Date.now()));
  }

  if (!user) return;
  forget(draftKeys().filter((key) => !key.startsWith(`${PREFIX}${user}:`)));
  document.addEventListener("submit", signOut);
})();
