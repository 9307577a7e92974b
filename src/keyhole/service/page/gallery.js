// What is in the bucket, newest first: copy a link, delete with a while to think better of it.

import { deleteImage, listImages } from "./api.js";
import { announce, find, make } from "./dom.js";
import { showBytes, showDay, showMoment, text } from "./text.js";

const undoMs = 6000;

export class Gallery {
  #continuation = null;
  #tiles = new Map();
  #readAt = 0;

  constructor() {
    find("older").addEventListener("click", () => this.readMore());
    // Whoever leaves has stopped thinking: what is marked as deleted is deleted now.
    addEventListener("pagehide", () => this.#tiles.forEach((tile) => tile.deleteNow()));
    addEventListener("pageshow", (event) => event.persisted && this.read());
  }

  // Signed links end: read the list anew before those shown have become useless.
  refreshAfter(seconds) {
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden && performance.now() - this.#readAt > seconds * 500) this.read();
    });
  }

  async read() {
    await this.#load(null);
  }

  async readMore() {
    await this.#load(this.#continuation);
  }

  add(stored, name) {
    const known = this.#tiles.get(stored.key); // the list may have been quicker than the upload's own answer
    if (known?.isLeaving) return;
    known?.element.remove();
    const item = { ...stored, uploaded_at: new Date().toISOString() };
    const tile = this.#make(item, name);
    tile.element.classList.add("fresh");
    find("tiles").prepend(tile.element);
    this.#count();
  }

  async #load(continuation) {
    const section = find("gallery");
    const older = find("older");
    section.setAttribute("aria-busy", "true");
    const shown = [...this.#tiles.values()];
    older.disabled = true;
    try {
      const page = await listImages(continuation);
      this.#readAt = performance.now();
      if (!continuation) this.#clear(shown, page.items);
      const fresh = this.#insert(page.items);
      if (continuation) fresh[0]?.focus();
      this.#continuation = page.continuation;
      this.#complain(null);
    } catch (failure) {
      this.#complain(failure, continuation);
    } finally {
      older.disabled = false;
      section.setAttribute("aria-busy", "false");
      this.#count();
    }
  }

  // Take away what is no longer there; what was uploaded since the list was asked for, or waits for its undo, stays.
  #clear(shown, items) {
    const there = new Set(items.map((item) => item.key));
    for (const tile of shown.filter((candidate) => !there.has(candidate.key) && !candidate.isLeaving)) {
      this.#tiles.delete(tile.key);
      tile.element.remove();
    }
  }

  // Tiles that are there stay where they are, and keep their names and the focus; new ones go between them.
  #insert(items) {
    const fresh = [];
    let next = null;
    for (const item of items.toReversed()) {
      const known = this.#tiles.get(item.key);
      const tile = known ?? this.#make(item);
      if (known) known.update(item);
      else {
        find("tiles").insertBefore(tile.element, next);
        fresh.unshift(tile);
      }
      next = tile.element;
    }
    return fresh;
  }

  #make(item, name) {
    const tile = new Tile(item, name, () => {
      this.#tiles.delete(item.key);
      this.#count();
    });
    this.#tiles.set(item.key, tile);
    return tile;
  }

  #count() {
    const hasMore = Boolean(this.#continuation);
    const isBroken = !find("notice").hidden;
    find("older").hidden = !hasMore;
    find("empty").hidden = this.#tiles.size > 0 || hasMore || isBroken;
    find("count").textContent = this.#tiles.size ? text.count(this.#tiles.size, hasMore) : "";
  }

  #complain(failure, continuation) {
    const notice = find("notice");
    notice.hidden = !failure;
    if (!failure) return;
    const again = () => this.#load(continuation);
    notice.replaceChildren(
      make("p", { className: "notice-title" }, text.listFailed),
      make("p", {}, failure.words),
      make("button", { type: "button", className: "button", onclick: again }, text.retry),
    );
    announce(`${text.listFailed} ${failure.words}`);
  }
}

class Tile {
  #item;
  #onGone;
  #timer = null;

  constructor(item, name, onGone) {
    this.#item = item;
    this.key = item.key;
    this.date = new Date(item.uploaded_at);
    this.name = name || text.imageOf(this.date);
    this.#onGone = onGone;
    this.element = make("li", { className: "tile" });
    this.#show();
  }

  get isLeaving() {
    return this.#timer !== null;
  }

  focus() {
    this.element.querySelector("a, button")?.focus();
  }

  // Take over a newly signed URL.
  update(item) {
    if (item.url === this.#item.url) return;
    this.#item = item;
    if (!this.isLeaving) this.#show();
  }

  // Delete without waiting any longer, if deletion is what has been asked for.
  deleteNow() {
    if (this.#timer === null) return;
    clearTimeout(this.#timer);
    this.#timer = null;
    deleteImage(this.#item.key, true).catch(() => {});
  }

  #show(complaint = "") {
    const image = make("img", { loading: "lazy", decoding: "async", alt: this.name });
    const link = make("a", { className: "frame", href: this.#item.url, target: "_blank", rel: "noopener" }, image);
    image.addEventListener("error", () => link.replaceChildren(make("span", { className: "broken" }, text.broken)));
    image.addEventListener("load", () => link.classList.add("loaded"));
    image.src = this.#item.url;
    const copy = this.#button(text.copy, text.copyOf(this.name), () => this.#copy(copy));
    const remove = this.#button(text.remove, text.removeOf(this.name), () => this.#remove());
    remove.classList.add("remove");
    this.element.classList.remove("leaving");
    this.element.replaceChildren(
      link,
      make(
        "p",
        { className: "caption small quiet" },
        make("time", { dateTime: this.date.toISOString(), title: showMoment(this.date) }, showDay(this.date)),
        make("span", {}, showBytes(this.#item.bytes)),
      ),
      make("div", { className: "actions" }, copy, remove),
    );
    if (complaint) this.element.append(make("p", { className: "why small" }, complaint));
  }

  #button(label, description, onclick) {
    return make("button", { type: "button", className: "button plain", "aria-label": description, onclick }, label);
  }

  async #copy(button) {
    if (!(await copyText(this.#item.url))) {
      announce(text.notCopied);
      this.#show(text.notCopied);
      return;
    }
    announce(text.saidCopied);
    button.textContent = text.copied;
    setTimeout(() => {
      button.textContent = text.copy;
    }, 2000);
  }

  #remove() {
    const undo = this.#button(text.undo, text.undoOf(this.name), () => this.#keep());
    this.element.classList.add("leaving");
    this.element.replaceChildren(make("p", { className: "removed" }, text.removed), undo);
    undo.focus({ preventScroll: true });
    announce(text.saidRemoved(this.name));
    this.#timer = setTimeout(() => this.#delete(), undoMs);
  }

  #keep() {
    clearTimeout(this.#timer);
    this.#timer = null;
    this.#show();
    this.element.querySelector(".remove").focus({ preventScroll: true });
    announce(text.saidKept(this.name));
  }

  async #delete() {
    this.#timer = null;
    try {
      await deleteImage(this.#item.key);
    } catch (failure) {
      this.#show(failure.words);
      announce(failure.words);
      return;
    }
    const neighbour = this.element.nextElementSibling ?? this.element.previousElementSibling;
    const hadFocus = this.element.contains(document.activeElement);
    this.element.remove();
    if (hadFocus) (neighbour?.querySelector("a, button") ?? find("gallery")).focus({ preventScroll: true });
    announce(text.saidGone(this.name));
    this.#onGone();
  }
}

// The clipboard is only there on https and localhost; the older way works elsewhere.
async function copyText(words) {
  try {
    await navigator.clipboard.writeText(words);
    return true;
  } catch {
    const field = make("textarea", { value: words, className: "unseen" });
    const before = document.activeElement;
    document.body.append(field);
    field.select();
    const worked = document.execCommand("copy");
    field.remove();
    before?.focus();
    return worked;
  }
}
