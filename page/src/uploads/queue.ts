// The queue of files of one `[uploads.…]`: Uppy, with this page's rules.

import Uppy, { type Body } from "@uppy/core";
import GoldenRetriever from "@uppy/golden-retriever";
import type { Failure, Item, Rules, UploadRules } from "../service";
import { asFailure } from "./failures";
import { type FileMeta, type Files, type QueuedFile, useTransport } from "./transport";

const doneShownMs = 2500;
const mebibyte = 1024 * 1024;
const waitsMs = [3000, 6000, 12_000, 24_000, 48_000];

export interface FileShown {
  id: string;
  name: string;
  size: number | null;
  type: string;
}

export interface QueueEvents {
  stored: (item: Item, name: string) => void;
  // `file` is still in the queue iff the failure is passing.
  failed: (file: FileShown, failure: Failure) => void;
  restricted: (file: FileShown, message: string) => void;
  moved: (id: string) => void;
  restored: () => void;
  checking: () => string;
}

export function makeQueue(rules: Rules, upload: UploadRules, events: QueueEvents, closed: AbortSignal): Files {
  const files: Files = new Uppy<FileMeta, Body>({
    // What one caller left unfinished is not shown to the next one at this browser.
    id: ["keyhole", rules.app, upload.name, rules.caller?.name ?? ""].join("-"),
    autoProceed: true,
    // What a person must know is on the page.
    logger: { debug: () => {}, warn: () => {}, error: (...what: unknown[]) => console.warn(...what) },
    restrictions: { allowedFileTypes: upload.content_types, maxFileSize: upload.max_bytes },
  });
  files.on("file-added", (file) => {
    files.setFileMeta(file.id, { idempotency: makeId(), to: upload.name });
  });
  useTransport(files, upload, events.checking, (file, item) => {
    events.moved(file.id);
    events.stored(item, file.name);
    setTimeout(() => files.getFile(file.id) && files.removeFile(file.id), doneShownMs);
  });
  files.on("restriction-failed", (file, error) => file && events.restricted(describe(file), error.message));
  files.on("file-removed", (file) => events.moved(file.id));
  files.on("upload-start", (started) => started.forEach((file) => events.moved(file.id)));
  files.on("restored", () => files.getFiles().length > 0 && events.restored());
  watchFailures(files, events, closed);
  // IndexedDB keeps what was chosen, so that a closed tab loses nothing.
  // The types do not name what the store behind them takes.
  const most: object = { maxFileSize: 512 * mebibyte, maxTotalSize: 1024 * mebibyte };
  files.use(GoldenRetriever, { indexedDB: most });
  return files;
}

// What was refused is told elsewhere: the queue goes on as if it had not been.
function drop(files: Files, id: string): void {
  if (files.getFile(id)) files.removeFile(id);
  if (!files.getFiles().some((file) => file.error)) files.setState({ error: null });
}

// `randomUUID` is there only over HTTPS and at localhost.
const makeId = (): string => Array.from(crypto.getRandomValues(new Uint32Array(4)), (n) => n.toString(36)).join("-");

const describe = (file: QueuedFile): FileShown => ({
  id: file.id,
  name: file.name,
  size: file.size,
  type: file.type,
});

// What is refused leaves the queue, and its reason stays on the page; what may pass is tried again.
function watchFailures(files: Files, events: QueueEvents, closed: AbortSignal): void {
  let attempts = 0;
  let timer = 0;
  const retry = (): void => {
    clearTimeout(timer);
    const hasFailed = files.getFiles().some((file) => file.error);
    if (hasFailed && navigator.onLine && !closed.aborted) void files.retryAll().catch(() => {});
  };
  const succeed = (): void => {
    attempts = 0;
  };
  files.on("upload-error", (file, error) => {
    if (!file) return;
    const failure = asFailure(error);
    if (failure.status === 404 && "s3Multipart" in file && file.s3Multipart) {
      // The bucket no longer has the parts: they go out anew.
      files.setFileState(file.id, { s3Multipart: undefined } as unknown as Partial<QueuedFile>);
      setTimeout(() => files.getFile(file.id) && void files.retryUpload(file.id).catch(() => {}));
      return;
    }
    events.failed(describe(file), failure);
    if (!failure.isPassing) {
      setTimeout(() => drop(files, file.id)); // after Uppy has finished with the event
    } else if (failure.status === 0 && attempts < waitsMs.length) {
      clearTimeout(timer);
      timer = setTimeout(retry, waitsMs[attempts]);
      attempts += 1;
    }
  });
  files.on("upload-success", succeed);
  files.on("s3-multipart:part-uploaded", succeed);
  files.on("cancel-all", () => clearTimeout(timer));
  addEventListener("online", retry, { signal: closed });
}
