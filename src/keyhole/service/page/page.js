// The page: what it shows comes from the service, what people drop, paste or choose goes to it.

import { readRules } from "./api.js";
import { find, make } from "./dom.js";
import { Gallery } from "./gallery.js";
import { text } from "./text.js";
import { Transfers } from "./transfers.js";

for (const element of document.querySelectorAll("[data-text]")) element.textContent = text[element.dataset.text];

function showRules(rules) {
  document.title = rules.app;
  find("app-name").textContent = rules.app;
  find("audience").textContent = rules.is_public ? text.publicAudience : text.privateAudience(rules.ttl_s);
  find("limits").textContent = text.limits(rules.content_types, rules.max_bytes);
  find("picker").accept = rules.content_types.join(",");
}

function takeFiles(transfers) {
  const picker = find("picker");
  picker.addEventListener("change", () => {
    transfers.add([...picker.files]);
    picker.value = ""; // so that the same file can be chosen again
  });
  document.addEventListener("paste", (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (!files.length) return;
    event.preventDefault();
    transfers.add(files);
  });
  takeDrops(transfers);
}

// Files may be dropped anywhere: a near miss must not make the browser leave the page.
function takeDrops(transfers) {
  let depth = 0; // dragenter and dragleave also come from every element that is crossed
  const title = find("drop-title");
  const hasFiles = (event) => event.dataTransfer?.types.includes("Files");
  const show = (isOver) => {
    find("drop").classList.toggle("over", isOver);
    title.textContent = isOver ? text.dropNow : text.dropTitle;
  };
  addEventListener("dragenter", (event) => {
    if (!hasFiles(event)) return;
    depth += 1;
    show(true);
  });
  addEventListener("dragleave", (event) => {
    if (!hasFiles(event)) return;
    depth = Math.max(depth - 1, 0);
    if (!depth) show(false);
  });
  addEventListener("dragover", (event) => {
    if (hasFiles(event)) event.preventDefault();
  });
  addEventListener("drop", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    depth = 0;
    show(false);
    transfers.add([...event.dataTransfer.files]);
  });
}

async function start(gallery, transfers) {
  let rules;
  try {
    rules = await readRules();
  } catch (failure) {
    const again = () => location.reload();
    find("notice").replaceChildren(
      make("p", { className: "notice-title" }, failure.words),
      make("button", { type: "button", className: "button", onclick: again }, text.retry),
    );
    find("notice").hidden = false;
    return;
  }
  showRules(rules);
  transfers.maxBytes = rules.max_bytes;
  if (!rules.is_public) gallery.refreshAfter(rules.ttl_s);
  await gallery.read();
}

const gallery = new Gallery();
const transfers = new Transfers((stored, name) => gallery.add(stored, name));
takeFiles(transfers); // before anything is known: a file dropped early must not make the browser leave
start(gallery, transfers);
