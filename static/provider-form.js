// The help below the fields of a provider follows the kind that is chosen.
document.addEventListener("change", ({ target }) => {
  if (!target.dataset.hints) return;
  const hints = JSON.parse(target.dataset.hints)[target.value] ?? {};
  for (const [name, text] of Object.entries(hints)) {
    const help = document.querySelector(`#id_${name}_helptext`);
    if (help) (help.querySelector("div") ?? help).textContent = text;
  }
});
