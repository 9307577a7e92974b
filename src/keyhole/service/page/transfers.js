// Uploads under way: a row for each file, a few at a time.

import { Failure, sendImage } from "./api.js";
import { announce, find, make } from "./dom.js";
import { sentence, showBytes, text } from "./text.js";

const atOnce = 3;
const doneShownMs = 4000;

export class Transfers {
  // Until the service has said what it takes, it judges alone.
  maxBytes = Infinity;
  #waiting = [];
  #running = 0;
  #onStored;

  constructor(onStored) {
    this.#onStored = onStored;
  }

  add(files) {
    for (const file of files) {
      const row = new Row(file, (again) => this.#enqueue(again));
      find("transfers").append(row.element);
      this.#enqueue(row);
    }
  }

  #enqueue(row) {
    if (row.file.size > this.maxBytes) {
      row.fail(new Failure(text.tooLarge(row.file.size, this.maxBytes), text.tooLargeHint, false));
      return;
    }
    row.wait();
    this.#waiting.push(row);
    this.#next();
  }

  async #next() {
    if (this.#running >= atOnce || !this.#waiting.length) return;
    const row = this.#waiting.shift();
    if (row.isGone) {
      this.#next();
      return;
    }
    this.#running += 1;
    try {
      const stored = await row.send();
      row.finish();
      this.#onStored(stored, row.name);
    } catch (failure) {
      row.fail(failure);
    } finally {
      this.#running -= 1;
      this.#next();
    }
  }
}

// In place of a picture, for what is none.
function extensionOf(name) {
  const extension = name.includes(".") ? name.split(".").pop().slice(0, 4).toUpperCase() : "";
  return make("span", { className: "preview extension", ariaHidden: "true" }, extension);
}

class Row {
  isGone = false;
  #state = make("span", { className: "state" });
  #why = make("p", { className: "why", hidden: true });
  #buttons = make("div", { className: "row-buttons" });
  #preview;
  #onRetry;

  constructor(file, onRetry) {
    this.file = file;
    this.name = file.name || text.pastedName;
    this.#onRetry = onRetry;
    this.bar = make("progress", { max: 1, value: 0, "aria-label": text.progressOf(this.name) });
    this.#preview = make("img", { className: "preview", alt: "", width: 48, height: 48 });
    this.#preview.addEventListener("error", () => this.#preview.replaceWith(extensionOf(this.name)));
    this.#preview.src = URL.createObjectURL(file);
    this.element = make(
      "li",
      { className: "transfer" },
      this.#preview,
      make(
        "div",
        { className: "row-body" },
        make(
          "p",
          { className: "row-line" },
          make("span", { className: "name", title: this.name }, this.name),
          make("span", { className: "small quiet" }, showBytes(file.size)),
          this.#state,
        ),
        this.bar,
        this.#why,
      ),
      this.#buttons,
    );
  }

  wait() {
    this.#show("waiting", text.waiting);
    this.bar.value = 0;
    this.#offer(this.#button(text.cancel, text.cancelOf(this.name), () => this.#leave()));
  }

  async send() {
    const sending = sendImage(this.file, (share) => {
      this.bar.value = share;
      this.#show("sending", share < 1 ? text.sent(share) : text.storing);
    });
    this.#show("sending", text.sent(0));
    this.#offer(this.#button(text.cancel, text.cancelOf(this.name), sending.cancel));
    return sending.done;
  }

  finish() {
    this.bar.value = 1;
    this.#show("done", text.done);
    this.#offer();
    announce(text.saidDone(this.name));
    setTimeout(() => this.#leave(), doneShownMs);
  }

  fail(failure) {
    this.#show("failed", text.failed);
    const hint = failure.hint ? ` ${sentence(failure.hint)}` : "";
    this.#why.textContent = failure.message + hint;
    this.#why.hidden = false;
    const dismiss = this.#button(text.dismiss, text.dismissOf(this.name), () => this.#leave());
    const retry = this.#button(text.retry, text.retryOf(this.name), () => this.#onRetry(this));
    this.#offer(...(failure.canRetry ? [retry, dismiss] : [dismiss]));
    announce(text.saidFailed(this.name, failure.message));
  }

  #show(state, words) {
    this.element.dataset.state = state;
    this.#state.textContent = words;
    if (state !== "failed") this.#why.hidden = true;
  }

  // A button that had the focus hands it on, so that the keyboard does not fall back to the top of the page.
  #offer(...buttons) {
    const hadFocus = this.#buttons.contains(document.activeElement);
    this.#buttons.replaceChildren(...buttons);
    if (hadFocus) (buttons[0] ?? find("picker")).focus();
  }

  #button(label, description, onclick) {
    return make("button", { type: "button", className: "button plain", "aria-label": description, onclick }, label);
  }

  #leave() {
    const hadFocus = this.element.contains(document.activeElement);
    this.isGone = true;
    URL.revokeObjectURL(this.#preview.src);
    this.element.remove();
    if (hadFocus) find("picker").focus();
  }
}
