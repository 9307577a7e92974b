// What the app may do, as `GET /v1/access` tells it.

export interface AccessGrant {
  bucket: string;
  prefix: string;
  verbs: string[];
}

export interface AccessWorkload {
  name: string;
  kind: string;
  runs_as: string;
  grants: AccessGrant[];
}

export interface AccessBucket {
  key: string;
  name: string;
  public_prefixes: string[];
  encryption: string;
  versioning: boolean;
}

export interface AccessClaim {
  id: string;
  who: string;
  sentence: string;
  action: string;
  resource: string;
  expected: "can" | "cannot";
  why: string;
  place?: string;
  on_paper: { holds: boolean | null; reason: string } | null;
  probed: { verdict: "holds" | "fails" | "unknown"; got: string; reason: string } | null;
}

// That nothing was granted which the file does not ask for.
export interface AccessProof {
  id: string;
  sentence: string;
  why: string;
  place: string;
  on_paper: { holds: boolean | null; reason: string };
}

export interface Access {
  app: string;
  environment: string;
  account: string;
  workloads: AccessWorkload[];
  buckets: AccessBucket[];
  claims: AccessClaim[];
  nothing_more: AccessProof[];
  probed_at: string | null;
}

// Whoever has no credentials, in claims.
export const stranger = "anonymous";

export const isBroken = (claim: AccessClaim): boolean =>
  claim.on_paper?.holds === false || claim.probed?.verdict === "fails";

// What nobody has decided and nobody has tried does not hold by itself.
export const isKnownToHold = (claim: AccessClaim): boolean =>
  !isBroken(claim) && (claim.on_paper?.holds === true || claim.probed?.verdict === "holds");

// A workload's claims are also those about who launches it.
export const isAbout = (claim: AccessClaim, who: string): boolean =>
  who === "" || claim.who === who || claim.who.startsWith(`${who}.`);

export interface Line {
  who: string;
  bucket: string;
  prefix: string;
  verbs: string[];
}

// Every line of the picture, strangers' too.
export function linesOf(access: Access): Line[] {
  const granted = access.workloads.flatMap((workload) =>
    workload.grants.map(({ bucket, prefix, verbs }) => ({ who: workload.name, bucket, prefix, verbs })),
  );
  const open = access.buckets.flatMap(({ key, public_prefixes }) =>
    public_prefixes.map((prefix) => ({ who: stranger, bucket: key, prefix, verbs: ["read"] })),
  );
  return [...granted, ...open];
}
