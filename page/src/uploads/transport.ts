// How files travel: straight to the bucket where the rules say so, else through the service.

import AwsS3 from "@uppy/aws-s3";
import type { Body, Meta, Uppy, UppyFile } from "@uppy/core";
import XHRUpload from "@uppy/xhr-upload";
import { type Item, type UploadRules, completeUpload, readImage, readProblem } from "../service";
import { asFailure } from "./failures";

export interface FileMeta extends Meta {
  idempotency: string;
  to: string;
}

export type Files = Uppy<FileMeta, Body>;
export type QueuedFile = UppyFile<FileMeta, Body>;

const quarantine = "incoming/";
const singleRequestBytes = 8 * 1024 * 1024;
const partBytes = 5 * 1024 * 1024;

export function useTransport(files: Files, rules: UploadRules, checking: () => string, stored: Stored): void {
  if (rules.signed_uploads) sendToBucket(files, rules, checking, stored);
  else sendToService(files, rules, stored);
}

export type Stored = (file: QueuedFile, item: Item) => void;

function sendToService(files: Files, rules: UploadRules, stored: Stored): void {
  files.use(XHRUpload<FileMeta, Body>, {
    endpoint: `/v1/uploads?${new URLSearchParams({ to: rules.name })}`,
    fieldName: "file",
    allowedMetaFields: [],
    limit: 3,
    headers: (file) => ({ "Idempotency-Key": file.meta.idempotency }),
    // The key makes a repetition harmless; what was refused stays refused.
    shouldRetry: (request) => request.status === 0 || request.status >= 502,
    onAfterResponse: (request) => {
      if (request.status >= 400) throw readProblem(request.status, request.responseText);
    },
  });
  files.on("upload-success", (file, response) => {
    if (file) stored(file, response.body as unknown as Item);
  });
}

function sendToBucket(files: Files, rules: UploadRules, checking: () => string, stored: Stored): void {
  files.use(AwsS3<FileMeta, Body>, {
    companionEndpoint: "/v1",
    allowedMetaFields: ["to"],
    limit: 3,
    shouldUseMultipart: (file) => (file.size ?? 0) > singleRequestBytes,
    getChunkSize: () => partBytes,
  });
  // What came in one request waits in quarantine until the service has checked it; what came in parts was checked when
  // its parts were put together.
  files.addPostProcessor(async (ids) => {
    await Promise.all(ids.map((id) => admit(files, files.getFile(id), rules, checking(), stored)));
  });
}

async function admit(
  files: Files,
  file: QueuedFile | undefined,
  rules: UploadRules,
  message: string,
  stored: Stored,
): Promise<void> {
  const key = file?.response?.body?.["key"];
  if (!file || file.error || typeof key !== "string") return;
  files.emit("postprocess-progress", file, { mode: "indeterminate", message });
  try {
    const waits = key.startsWith(quarantine);
    const url = file.response?.uploadURL ?? "";
    const item = waits
      ? await completeUpload(key.split("/").pop()!, rules.name)
      : await readImage(key).catch(() => ({ key, url, bytes: file.size ?? 0 })); // it is there, whatever is known of it
    stored(file, item);
  } catch (error) {
    files.emit("upload-error", file, asFailure(error));
  } finally {
    const left = files.getFile(file.id);
    if (left) files.emit("postprocess-complete", left);
  }
}
