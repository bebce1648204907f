// What a form says and asks follows the kind, or the provider, that is chosen: its help
// texts, and which fields it lacks. A field that is lacking is disabled, so that nothing
// is sent for it, and the stylesheet hides its row.
function hint(texts) {
  for (const [name, text] of Object.entries(texts ?? {})) {
    const help = document.querySelector(`#id_${name}_helptext`);
    if (help) (help.querySelector("div") ?? help).textContent = text;
  }
}

function leaveOut(names, known) {
  for (const name of known) {
    const field = document.querySelector(`#id_${name}`);
    if (field) field.disabled = names.includes(name);
  }
}

function follow(choice) {
  const { hints, lacking } = choice.dataset;
  hint(JSON.parse(hints)[choice.value]);
  if (!lacking) return;
  const all = JSON.parse(lacking);
  leaveOut(all[choice.value] ?? [], new Set(Object.values(all).flat()));
}

document.addEventListener("change", ({ target }) => {
  if (target.dataset.hints) follow(target);
});

// A browser that comes back to a page restores the choice without a word.
window.addEventListener("pageshow", () => {
  document.querySelectorAll("[data-lacking]").forEach(follow);
});
