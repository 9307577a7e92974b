// The service's API: every failure becomes a Failure that a person can read.

import { sentence, text } from "./text.js";

export class Failure extends Error {
  constructor(detail, hint, canRetry) {
    super(sentence(detail));
    this.hint = sentence(hint ?? "");
    this.canRetry = canRetry;
  }

  get words() {
    return `${this.message} ${this.hint}`.trim();
  }
}

const unreachable = () => new Failure(text.unreachable, text.unreachableHint, true);

function failureOf(status, body) {
  let problem = {};
  try {
    problem = JSON.parse(body);
  } catch {
    // A proxy in between answers in its own way; the status must do.
  }
  return new Failure(problem.detail ?? `HTTP ${status}`, problem.hint, status >= 500 || status === 429);
}

async function ask(method, path, options = {}) {
  let response;
  try {
    response = await fetch(path, { method, ...options });
  } catch {
    throw unreachable();
  }
  const body = await response.text();
  if (!response.ok) throw failureOf(response.status, body);
  return body ? JSON.parse(body) : null;
}

export const readRules = () => ask("GET", "/v1/rules");

export function listImages(continuation) {
  const query = continuation ? `?${new URLSearchParams({ continuation })}` : "";
  return ask("GET", `/v1/uploads${query}`);
}

// `keepalive` lets the request outlive the page.
export function deleteImage(key, keepalive = false) {
  const path = key.split("/").map(encodeURIComponent).join("/");
  return ask("DELETE", `/v1/uploads/${path}`, { keepalive });
}

// fetch does not tell how much of a body has been sent; XMLHttpRequest does.
export function sendImage(file, onProgress) {
  const request = new XMLHttpRequest();
  const done = new Promise((resolve, reject) => {
    request.upload.addEventListener("progress", (event) => {
      if (event.lengthComputable) onProgress(event.loaded / event.total);
    });
    request.addEventListener("load", () => {
      if (request.status === 201) resolve(JSON.parse(request.responseText));
      else reject(failureOf(request.status, request.responseText));
    });
    request.addEventListener("error", () => reject(unreachable()));
    request.addEventListener("abort", () => reject(new Failure(text.stopped, "", true)));
    const form = new FormData();
    form.append("file", file, file.name);
    request.open("POST", "/v1/uploads");
    request.send(form);
  });
  return { done, cancel: () => request.abort() };
}
