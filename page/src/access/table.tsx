// The picture in words, row by row.

import { useSurroundings } from "../context";
import { type Access, linesOf, stranger } from "./access";

export function AccessTable({ access, chosen }: { access: Access; chosen: string }) {
  const { words } = useSurroundings();
  const lines = linesOf(access).filter((line) => chosen === "" || line.who === chosen);
  const idle = access.workloads.filter((workload) => workload.grants.length === 0);
  return (
    <div class="table" id="access-table">
      <table>
        <caption class="unseen">{words.map.picture}</caption>
        <thead>
          <tr>
            <th scope="col">{words.map.workload}</th>
            <th scope="col">{words.map.runsAs}</th>
            <th scope="col">{words.map.may}</th>
            <th scope="col">{words.map.bucket}</th>
            <th scope="col">{words.map.prefix}</th>
          </tr>
        </thead>
        <tbody>
          {lines.map((line) => {
            const workload = access.workloads.find((candidate) => candidate.name === line.who);
            const bucket = access.buckets.find((candidate) => candidate.key === line.bucket);
            const isStranger = line.who === stranger && !workload;
            return (
              <tr key={`${line.who} ${line.bucket}/${line.prefix}`}>
                <th scope="row">{isStranger ? words.map.stranger : line.who}</th>
                <td>{isStranger ? words.map.everyone : [workload?.kind, workload?.runs_as].filter(Boolean).join(": ")}</td>
                <td>{line.verbs.map((verb) => words.map.verbs[verb] ?? verb).join(", ")}</td>
                <td>{bucket?.name ?? line.bucket}</td>
                <td>{line.prefix ? <code>{line.prefix}*</code> : words.map.wholeBucket}</td>
              </tr>
            );
          })}
          {idle
            .filter((workload) => chosen === "" || workload.name === chosen)
            .map((workload) => (
              <tr key={workload.name}>
                <th scope="row">{workload.name}</th>
                <td>{[workload.kind, workload.runs_as].filter(Boolean).join(": ")}</td>
                <td colSpan={3}>{words.map.nothing}</td>
              </tr>
            ))}
        </tbody>
      </table>
    </div>
  );
}
