// The keyboard: save, go from turn to turn, move, insert, duplicate, remove.

export function listenToKeys(form, editors) {
  document.addEventListener("keydown", (event) => {
    const isCommand = event.ctrlKey || event.metaKey;
    if (isCommand && !event.altKey && event.key.toLowerCase() === "s") {
      press(event, form, event.shiftKey ? "_next" : "_continue");
    } else if (event.altKey && !isCommand) {
      onTurn(event, editors);
    }
  });
}

function press(event, form, name) {
  event.preventDefault();
  const submit = form.querySelector(`[name="${name}"]`) ?? form.querySelector('[name="_save"]');
  if (submit) form.requestSubmit(submit);
}

function onTurn(event, editors) {
  const row = document.activeElement?.closest(".turn-editor__turn");
  const editor = editors.find((each) => each.list.contains(row)) ?? editors[0];
  if (!editor?.asTurns) return;
  const index = row ? [...editor.list.children].indexOf(row) : -1;
  const act = action(event, editor, index);
  if (!act) return;
  event.preventDefault();
  act();
}

function action({ key, shiftKey }, editor, index) {
  const moves = { ArrowUp: -1, ArrowDown: 1 };
  const isMove = Object.hasOwn(moves, key);
  if (isMove && !shiftKey) return () => editor.focusTurn(Math.max(0, index + moves[key]));
  if (index < 0 || editor.isOutput) return null;
  if (isMove) return () => editor.move(index, moves[key]);
  if (key === "Enter") return () => editor.insertAt(index + 1);
  if (shiftKey && key.toLowerCase() === "d") return () => editor.duplicate(index);
  if (key === "Delete" && editor.turns.length > 1) return () => editor.remove(index);
  return null;
}
