// The service's API. Every failure becomes a Failure that a person can read.

import { sentence } from "./sentences";

export interface UploadRules {
  name: string;
  content_types: string[];
  max_bytes: number;
  max_pixels: number;
  is_public: boolean;
  ttl_s: number | null;
  max_ttl_s: number;
  thumbnails: number[];
  signed_uploads: boolean;
  per_caller: boolean;
}

export interface CallerShown {
  name: string;
  kind: string;
}

export interface Rules {
  app: string;
  uploads: UploadRules[];
  caller: CallerShown | null;
}

export interface Item {
  key: string;
  url: string;
  content_type?: string;
  bytes: number;
  uploaded_at?: string;
  name?: string | null;
  width?: number | null;
  height?: number | null;
  thumbnails?: Record<string, string>;
}

export interface Listing {
  items: Item[];
  continuation?: string | null;
}

export interface Link {
  url: string;
  expires_at?: string | null;
  ttl_s?: number | null;
}

// What went wrong, in the service's own words; `status` is 0 where it could not be reached.
export class Failure extends Error {
  readonly status: number;
  readonly hint: string;
  readonly kind: string;

  constructor(status: number, message: string, hint = "", kind = "") {
    super(sentence(message));
    this.name = "Failure";
    this.status = status;
    this.hint = sentence(hint);
    this.kind = kind;
  }

  // What the service said; before it, in the reader's language, what that is about.
  say(kinds: Record<string, string>): string {
    return `${kinds[this.kind] ?? ""} ${this.message} ${this.hint}`.trim();
  }

  // Whether the same request may succeed later, as it is; after signing in, for one.
  get isPassing(): boolean {
    return [0, 401, 429].includes(this.status) || this.status >= 500;
  }
}

// What the window hears when the service no longer knows who is there.
export const signedOut = "keyhole-signed-out";

// A problem document (RFC 9457); a proxy in between answers in its own way, and then the status must do.
export function readProblem(status: number, body: string): Failure {
  let problem: { type?: unknown; detail?: unknown; title?: unknown; hint?: unknown } = {};
  try {
    problem = JSON.parse(body) ?? {};
  } catch {
    // not one of ours
  }
  if (status === 401) dispatchEvent(new Event(signedOut));
  const said = problem.detail ?? problem.title;
  const kind = asText(problem.type).split(":").pop()!;
  return new Failure(status, asText(said) || `HTTP ${status}`, asText(problem.hint), kind);
}

const asText = (value: unknown): string => (typeof value === "string" ? value : "");

async function ask<Answer>(method: string, path: string, options: RequestInit = {}): Promise<Answer> {
  let response: Response;
  let body: string;
  try {
    response = await fetch(path, { method, ...options });
    body = await response.text();
  } catch {
    throw new Failure(0, "");
  }
  if (!response.ok) throw readProblem(response.status, body);
  return (body ? JSON.parse(body) : null) as Answer;
}

const json = (value: unknown): RequestInit => ({
  body: JSON.stringify(value),
  headers: { "Content-Type": "application/json" },
});

const pathOf = (key: string): string => `/v1/uploads/${key.split("/").map(encodeURIComponent).join("/")}`;

export const readRules = (): Promise<Rules> => ask("GET", "/v1/rules");

export const signIn = (token: string): Promise<unknown> => ask("POST", "/v1/session", json({ token }));

export const signOut = (): Promise<unknown> => ask("DELETE", "/v1/session");

export const readAccess = <Answer>(): Promise<Answer> => ask("GET", "/v1/access");

export function listImages(to: string, continuation: string | null): Promise<Listing> {
  const query = new URLSearchParams({ to, limit: "24" });
  if (continuation) query.set("continuation", continuation);
  return ask("GET", `/v1/uploads?${query}`);
}

export const readImage = (key: string): Promise<Item> => ask("GET", `${pathOf(key)}/metadata`);

export const signLink = (key: string): Promise<Link> => ask("GET", `${pathOf(key)}/url`);

export const signDownload = (key: string, name: string): Promise<Link> =>
  ask("GET", `${pathOf(key)}/url?${new URLSearchParams({ download: "true", name })}`);

// `keepalive` lets the request outlive the page.
export const deleteImage = (key: string, keepalive = false): Promise<unknown> =>
  ask("DELETE", pathOf(key), { keepalive });

export const completeUpload = (id: string, to: string): Promise<Item> =>
  ask("POST", `/v1/signed-uploads/${encodeURIComponent(id)}/complete?${new URLSearchParams({ to })}`);
