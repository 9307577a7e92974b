// The second place: what the app may do, why, and that it is so.

import { useEffect, useState } from "preact/hooks";
import { Complaint } from "../complaint";
import { useSurroundings } from "../context";
import { Failure, readAccess } from "../service";
import "../styles/access.css";
import { type Access, stranger } from "./access";
import { Claims, NothingMore } from "./claims";
import { AccessPicture } from "./picture";
import { AccessTable } from "./table";

export function AccessPage({ session }: { session: number }) {
  const { words } = useSurroundings();
  const [access, setAccess] = useState<Access | null>(null);
  const [failure, setFailure] = useState<Failure | null>(null);
  const [chosen, setChosen] = useState("");
  const load = async (): Promise<void> => {
    setFailure(null);
    try {
      setAccess(await readAccess<Access>());
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      setFailure(error);
    }
  };
  useEffect(() => void load(), [session]);

  if (failure) return <Complaint title={words.map.failed} failure={failure} onRetry={() => void load()} />;
  if (!access)
    return (
      <p class="quiet" role="status">
        {words.loading}…
      </p>
    );
  const who = ["", ...access.workloads.map((workload) => workload.name), stranger];
  const nameOf = (name: string): string => {
    if (name === "") return words.map.all;
    return name === stranger ? words.map.stranger : name;
  };
  return (
    <>
      <h1>{words.map.title(access.app)}</h1>
      <p class="lead quiet">{words.map.lead}</p>
      <p class="small quiet">{words.map.where(access.environment, access.account)}</p>
      <section aria-labelledby="picture-title">
        <h2 id="picture-title">{words.map.picture}</h2>
        <p class="small quiet" id="picture-how">
          {words.map.pictureHow}
        </p>
        <div class="chips" role="group" aria-label={words.map.workload} aria-describedby="picture-how">
          {who.map((name) => (
            <button
              key={name}
              type="button"
              class="chip"
              aria-pressed={chosen === name}
              onClick={() => setChosen(name)}
            >
              {nameOf(name)}
            </button>
          ))}
        </div>
        <AccessPicture access={access} chosen={chosen} onChoose={setChosen} />
        <details class="as-table">
          <summary>{words.map.asTable}</summary>
          <AccessTable access={access} chosen={chosen} />
        </details>
      </section>
      <Claims access={access} chosen={chosen} />
      <NothingMore access={access} />
    </>
  );
}
