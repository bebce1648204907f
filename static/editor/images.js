// The parts of a turn's content: texts, and images that are shown.

import { button, element, fill, isObject, labelled } from "./dom.js";
import { jsonBox } from "./json-box.js";

// Pictures that cannot hold a script, and that providers take.
const SHOWN = /^data:image\/(?:png|jpeg|webp);base64,[A-Za-z0-9+/=]*$/;
const MAX_BYTES = 10 * 1024 * 1024;
const STARTS = [
  ["image/png", [0x89, 0x50, 0x4e, 0x47]],
  ["image/jpeg", [0xff, 0xd8, 0xff]],
  ["image/webp", [0x52, 0x49, 0x46, 0x46]],
];

export function partsOf(host, turn, index) {
  return turn.content.map((part, n) => {
    const remove = button("×", () => removePart(host, turn, index, n), {
      title: host.words.removePart,
      ariaLabel: host.words.removePart,
    });
    return element("div", { className: "turn-editor__part" }, partEditor(host, turn, part, n), remove);
  });
}

function removePart(host, turn, index, n) {
  turn.content.splice(n, 1);
  if (turn.content.length === 0) turn.content = "";
  host.redraw(index);
}

function partEditor(host, turn, part, n) {
  if (part?.type === "text" && typeof part.text === "string") return textPart(host, part);
  if (part?.type === "image_url" && typeof part.image_url?.url === "string") {
    return imagePart(host, part.image_url);
  }
  return jsonBox({
    label: host.words.part,
    value: part,
    empty: {},
    isFine: isObject,
    take: (parsed) => {
      turn.content[n] = parsed;
      host.store();
    },
    words: host.words,
  });
}

function textPart(host, part) {
  const box = element("textarea", {
    className: "turn-editor__content",
    value: part.text,
    rows: 3,
    "aria-label": host.words.content,
  });
  box.addEventListener("input", () => {
    part.text = box.value;
    host.store();
  });
  return box;
}

function imagePart(host, image) {
  const figure = element("figure", { className: "turn-editor__image" });
  const isData = image.url.startsWith("data:");
  const show = () => figure.replaceChildren(...pictureOf(host, image));
  show();
  if (isData) return figure;
  const box = element("input", { type: "url", value: image.url });
  box.addEventListener("input", () => {
    image.url = box.value;
    show();
    host.store();
  });
  return element("div", {}, labelled(host.words.imageAddress, box), figure);
}

// A picture from elsewhere is asked for only on a click: its server learns who looks.
function pictureOf(host, image) {
  const { words } = host;
  if (image.url.startsWith("data:")) {
    return SHOWN.test(image.url) ? [picture(image.url, words)] : [words.imageNotShown];
  }
  const address = URL.canParse(image.url) ? new URL(image.url) : null;
  if (!address || !["https:", "http:"].includes(address.protocol)) return [words.imageNoAddress];
  const load = button(fill(words.showImage, address.host), () => {
    load.replaceWith(picture(address.href, words));
  });
  return [load];
}

function picture(url, words) {
  const made = element("img", { alt: words.imageAlt, referrerPolicy: "no-referrer", src: url });
  made.addEventListener("error", () => made.replaceWith(words.imageBroken));
  return made;
}

export function imageButtons(host, turn, index) {
  const { words } = host;
  const file = element("input", {
    type: "file",
    accept: "image/png,image/jpeg,image/webp",
    className: "unseen",
    "aria-label": words.imageFile,
    tabIndex: -1,
  });
  file.addEventListener("change", () => addFile(host, turn, index, file));
  return [
    button(words.imageFile, () => file.click()),
    file,
    button(words.imageByAddress, () => addImage(host, turn, index, "https://")),
  ];
}

function addImage(host, turn, index, url) {
  const text = typeof turn.content === "string" ? turn.content : "";
  const parts = Array.isArray(turn.content) ? turn.content : text ? [{ type: "text", text }] : [];
  turn.content = [...parts, { type: "image_url", image_url: { url } }];
  host.redraw(index);
}

async function addFile(host, turn, index, input) {
  const file = input.files[0];
  input.value = "";
  if (!file) return;
  if (file.size > MAX_BYTES) return host.say(fill(host.words.imageTooBig, file.name));
  const bytes = new Uint8Array(await file.arrayBuffer());
  const type = typeOf(bytes);
  if (!type) return host.say(fill(host.words.imageWrongType, file.name));
  addImage(host, turn, index, `data:${type};base64,${base64(bytes)}`);
}

// What the file is by its first bytes, whatever its name says.
function typeOf(bytes) {
  const found = STARTS.find(([, start]) => start.every((byte, n) => bytes[n] === byte));
  if (found?.[0] !== "image/webp") return found?.[0];
  return String.fromCharCode(...bytes.subarray(8, 12)) === "WEBP" ? "image/webp" : undefined;
}

function base64(bytes) {
  const pieces = [];
  for (let at = 0; at < bytes.length; at += 0x8000) {
    pieces.push(String.fromCharCode(...bytes.subarray(at, at + 0x8000)));
  }
  return btoa(pieces.join(""));
}
