// Reads JSON only to say where it is wrong, and where each item of its lists begins.
// The rules are the server's: no key twice, no number that would be rounded.

const SPACE = /[ \t\n\r]*/y;
const STRING = /"[^"\\\u0000-\u001f]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\u0000-\u001f]*)*"/y;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const WORD = /true|false|null/y;
const MAX_DEPTH = 64;

class Wrong extends Error {
  constructor(what, at) {
    super(what);
    this.at = at;
  }
}

class Reader {
  // `lists` are the keys that lead to them: "" to the outermost one.
  constructor(text, lists) {
    this.text = text;
    this.at = 0;
    this.path = "";
    this.items = new Map(lists.map((path) => [path, []])); // offsets of their items
  }

  take(pattern) {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text);
    if (found) this.at = pattern.lastIndex;
    return found?.[0];
  }

  next() {
    this.take(SPACE);
    return this.text[this.at];
  }

  value(depth) {
    if (depth > MAX_DEPTH) throw new Wrong("deep", this.at);
    const sign = this.next();
    if (sign === "{") return this.object(depth);
    if (sign === "[") return this.list(depth);
    const start = this.at;
    if (sign === '"') return this.string();
    const number = this.take(NUMBER);
    if (number === undefined && this.take(WORD) === undefined) throw new Wrong("value", start);
    if (number !== undefined && !isExact(number)) throw new Wrong("number", start);
    return undefined;
  }

  string() {
    const start = this.at;
    const found = this.take(STRING);
    if (found === undefined) throw new Wrong("string", start);
    return found;
  }

  list(depth) {
    this.at += 1;
    const items = this.items.get(this.path);
    if (this.next() === "]") return this.close();
    for (;;) {
      this.next();
      items?.push(this.at);
      this.below("[]", depth);
      if (this.comma("]")) return undefined;
    }
  }

  below(key, depth) {
    const { path } = this;
    this.path = path === "" ? key : `${path}.${key}`;
    this.value(depth + 1);
    this.path = path;
  }

  object(depth) {
    this.at += 1;
    const keys = new Set();
    if (this.next() === "}") return this.close();
    for (;;) {
      if (this.next() !== '"') throw new Wrong("key", this.at);
      const start = this.at;
      const key = JSON.parse(this.string());
      if (keys.has(key)) throw new Wrong("twice", start);
      keys.add(key);
      if (this.next() !== ":") throw new Wrong("colon", this.at);
      this.at += 1;
      this.below(key, depth);
      if (this.comma("}")) return undefined;
    }
  }

  // Past a comma, or past the end.
  comma(end) {
    const sign = this.next();
    if (sign !== "," && sign !== end) throw new Wrong("comma", this.at);
    this.at += 1;
    return sign === end;
  }

  close() {
    this.at += 1;
    return undefined;
  }
}

// JSON.parse rounds long numbers, and so would lose what the row's author wrote.
function isExact(number) {
  const digits = number.replace(/[-+.eE]/g, "").replace(/^0+/, "");
  return Number.isFinite(Number(number)) && (digits.length <= 15 || String(Number(number)) === number);
}

// {error: null or {what, line, column}, items: [{line, offset}]}
export function read(text, lists = [""]) {
  const reader = new Reader(text, lists);
  let error = null;
  try {
    reader.value(0);
    if (reader.next() !== undefined) throw new Wrong("end", reader.at);
  } catch (wrong) {
    if (!(wrong instanceof Wrong)) throw wrong;
    error = { what: wrong.message, ...place(text, wrong.at) };
  }
  const offsets = [...reader.items.values()].flat();
  return { error, items: offsets.map((offset) => ({ offset, ...place(text, offset) })) };
}

function place(text, at) {
  const before = text.slice(0, at);
  const line = before.split("\n").length;
  return { line, column: at - before.lastIndexOf("\n") };
}

export const isExactJSON = (text) => read(text).error === null;
