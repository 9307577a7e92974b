// Why an upload did not succeed, in words for a person.

import { Failure, readProblem } from "../service";

const companion = "/v1/s3/";

// Uppy's S3 client tells a refusal by its status text, which HTTP/2 does not have. The service's own sentence is in the
// body, so the client's requests are read here first.
export function explainRefusals(): void {
  const plain = globalThis.fetch;
  globalThis.fetch = async (input, init) => {
    const response = await plain(input, init);
    if (response.ok || typeof input !== "string" || !input.startsWith(companion)) return response;
    throw readProblem(response.status, await response.text());
  };
}

// The bucket answers in XML; a network that is gone does not answer at all.
export function asFailure(error: unknown): Failure {
  if (error instanceof Failure) return error;
  const request = (error as { request?: XMLHttpRequest }).request;
  if (!request?.status) return new Failure(0, "");
  const code = /<Code>([^<]*)<\/Code>/.exec(request.responseText)?.[1] ?? "";
  const message = /<Message>([^<]*)<\/Message>/.exec(request.responseText)?.[1] ?? `HTTP ${request.status}`;
  // A signature that has ended is no refusal: trying again signs anew.
  const status = request.status === 403 ? 503 : request.status;
  return new Failure(status, message, code && `the bucket answered ${code}`);
}
