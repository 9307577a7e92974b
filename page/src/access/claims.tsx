// Every claim, with what was decided on paper and what came of trying it.

import { useMemo, useState } from "preact/hooks";
import { useSurroundings } from "../context";
import { type Access, type AccessClaim, type AccessProof, isAbout, isBroken, isKnownToHold } from "./access";

type Shown = "all" | "can" | "cannot" | "broken";

export function Claims({ access, chosen }: { access: Access; chosen: string }) {
  const { words, showing } = useSurroundings();
  const [sought, setSought] = useState("");
  const [shown, setShown] = useState<Shown>("all");
  const claims = useMemo(
    () => access.claims.filter((claim) => isAbout(claim, chosen) && isShown(claim, shown) && contains(claim, sought)),
    [access, chosen, shown, sought],
  );
  const holding = access.claims.filter(isKnownToHold).length;
  const broken = access.claims.filter(isBroken).length;
  return (
    <section class="claims" aria-labelledby="claims-title">
      <h2 id="claims-title">{words.map.claims}</h2>
      <p>
        <strong class={broken ? "bad" : "good"}>{words.map.summary(holding, broken, access.claims.length)}</strong>{" "}
        <span class="quiet">
          {access.probed_at ? words.map.triedOn(showing.moment(new Date(access.probed_at))) : words.map.neverTried}
        </span>
      </p>
      <form class="filters" role="search" onSubmit={(event) => event.preventDefault()}>
        <label>
          {words.map.find}
          <input type="search" value={sought} onInput={(event) => setSought(event.currentTarget.value)} />
        </label>
        <label>
          {words.map.show}
          <select value={shown} onChange={(event) => setShown(event.currentTarget.value as Shown)}>
            <option value="all">{words.map.all}</option>
            <option value="can">{words.map.can}</option>
            <option value="cannot">{words.map.cannot}</option>
            <option value="broken">{words.map.broken}</option>
          </select>
        </label>
        <output class="small quiet">{words.map.matches(claims.length, access.claims.length)}</output>
      </form>
      {claims.length === 0 ? (
        <p class="quiet">{words.map.none}</p>
      ) : (
        <ul class="claim-list">
          {claims.map((claim) => (
            <ClaimView key={claim.id} claim={claim} />
          ))}
        </ul>
      )}
    </section>
  );
}

// What was proved in the other direction: that there is nothing beside what the claims say.
export function NothingMore({ access }: { access: Access }) {
  const { words } = useSurroundings();
  if (access.nothing_more.length === 0) return null;
  return (
    <section class="claims nothing-more" aria-labelledby="nothing-more-title">
      <h2 id="nothing-more-title">{words.map.nothingMore}</h2>
      <p class="quiet">{words.map.nothingMoreHow}</p>
      <ul class="claim-list">
        {access.nothing_more.map((proof) => (
          <li key={proof.id} class={proof.on_paper.holds === false ? "claim proof broken" : "claim proof"}>
            <details>
              <summary>
                <span class="sentence">{breakable(proof.sentence)}</span>
                <span class="verdicts">
                  <Verdict label={words.map.onPaper} verdict={paperOf(proof)} />
                </span>
              </summary>
              <dl>
                <Line term={words.map.why} text={proof.why} />
                <Line term={words.map.onPaper} text={proof.on_paper.reason} />
                <Line term={words.map.place} text={proof.place} isCode />
              </dl>
            </details>
          </li>
        ))}
      </ul>
    </section>
  );
}

function ClaimView({ claim }: { claim: AccessClaim }) {
  const { words } = useSurroundings();
  return (
    <li class={isBroken(claim) ? "claim broken" : "claim"}>
      <details>
        <summary>
          <span class={`expected ${claim.expected}`}>{words.map[claim.expected]}</span>
          <span class="sentence">{breakable(claim.sentence)}</span>
          <span class="verdicts">
            <Verdict label={words.map.onPaper} verdict={paperOf(claim)} />
            <Verdict label={words.map.tried} verdict={claim.probed?.verdict ?? "none"} />
          </span>
        </summary>
        <dl>
          <Line term={words.map.why} text={claim.why} />
          <Line term={words.map.request} text={`${claim.action} ${claim.resource}`} isCode />
          {claim.on_paper && <Line term={words.map.onPaper} text={claim.on_paper.reason} />}
          {claim.probed && <Line term={words.map.awsSaid} text={saidOf(claim.probed)} />}
          <Line term={words.map.place} text={claim.place ?? ""} isCode />
        </dl>
      </details>
    </li>
  );
}

function Line({ term, text, isCode = false }: { term: string; text: string; isCode?: boolean }) {
  if (!text) return null;
  return (
    <div>
      <dt>{term}</dt>
      <dd>{isCode ? <code>{breakable(text)}</code> : text}</dd>
    </div>
  );
}

type VerdictKind = "holds" | "fails" | "unknown" | "none";

const signs: Record<VerdictKind, string> = { holds: "✓", fails: "✗", unknown: "?", none: "–" };

function Verdict({ label, verdict }: { label: string; verdict: VerdictKind }) {
  const { words } = useSurroundings();
  return (
    <span class={`verdict ${verdict}`}>
      <span aria-hidden="true">{signs[verdict]}</span> {verdict === "none" ? words.map.notTried : label}
      {verdict !== "none" && <span class="unseen">: {words.map[verdict]}</span>}
    </span>
  );
}

function paperOf(claim: AccessClaim | AccessProof): VerdictKind {
  if (!claim.on_paper) return "none";
  if (claim.on_paper.holds === null) return "unknown";
  return claim.on_paper.holds ? "holds" : "fails";
}

const saidOf = (probed: NonNullable<AccessClaim["probed"]>): string =>
  [probed.got, probed.reason].filter(Boolean).join(": ");

function isShown(claim: AccessClaim, shown: Shown): boolean {
  if (shown === "all") return true;
  return shown === "broken" ? isBroken(claim) : claim.expected === shown;
}

function contains(claim: AccessClaim, sought: string): boolean {
  const text = `${claim.sentence} ${claim.why} ${claim.action} ${claim.resource}`.toLowerCase();
  return sought
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}

// Long ARNs break after their separators.
const breakable = (text: string) =>
  text.split(/(?<=[:/])/).flatMap((piece, index) => (index === 0 ? [piece] : [<wbr key={index} />, piece]));
