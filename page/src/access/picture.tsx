// The access as a picture; the table below it says the same in words.

import { useEffect, useRef, useState } from "preact/hooks";
import { useSurroundings } from "../context";
import { type Access, stranger } from "./access";
import { type Box, fits, layOut, rowHeight, shorten } from "./layout";

interface PictureProps {
  access: Access;
  chosen: string;
  onChoose: (who: string) => void;
}

export function AccessPicture({ access, chosen, onChoose }: PictureProps) {
  const { words } = useSurroundings();
  const place = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(900);
  useEffect(() => {
    const observer = new ResizeObserver(([entry]) => setWidth(Math.max(300, Math.round(entry!.contentRect.width))));
    observer.observe(place.current!);
    return () => observer.disconnect();
  }, []);
  const picture = layOut(access, width);
  const isDim = (who: string): boolean => chosen !== "" && chosen !== who;
  const reached = new Set(picture.links.filter(({ line }) => !isDim(line.who)).map(({ line }) => line.bucket));
  return (
    <div class="picture" ref={place}>
      <svg
        width={picture.width}
        height={picture.height}
        viewBox={`0 0 ${picture.width} ${picture.height}`}
        role="img"
        aria-label={words.map.picture}
      >
        {picture.links.map(({ line, path }) => (
          <path
            key={`${line.who} ${line.bucket}/${line.prefix}`}
            d={path}
            class={`link ${line.who === stranger ? "strangers" : ""} ${isDim(line.who) ? "dim" : ""}`}
          />
        ))}
        {picture.left.map((box) => (
          <Who
            key={box.id}
            box={box}
            access={access}
            isDim={isDim(box.id)}
            onChoose={() => onChoose(chosen === box.id ? "" : box.id)}
          />
        ))}
        {picture.right.map((box) => (
          <Bucket key={box.id} box={box} access={access} isDim={chosen !== "" && !reached.has(box.id)} />
        ))}
      </svg>
    </div>
  );
}

function Who({ box, access, isDim, onChoose }: { box: Box; access: Access; isDim: boolean; onChoose: () => void }) {
  const { words } = useSurroundings();
  const workload = access.workloads.find((candidate) => candidate.name === box.id);
  const isStranger = box.id === stranger && !workload;
  const title = isStranger ? words.map.stranger : box.id;
  const note = isStranger ? words.map.everyone : (workload?.kind ?? "");
  return (
    <g class={`box who ${isStranger ? "strangers" : ""} ${isDim ? "dim" : ""}`} onClick={onChoose}>
      <title>{note ? `${title}: ${note}` : title}</title>
      <rect x={box.x} y={box.y} width={box.width} height={box.height} rx="10" />
      <Head box={box} title={title} note={note} />
      {box.rows.map((row) => (
        <text key={row.y} class={row.line ? "verbs" : "note"} x={box.x + box.width - 14} y={row.y + rowHeight / 2 + 4} text-anchor="end">
          {row.line
            ? row.line.verbs.map((verb) => words.map.verbs[verb] ?? verb).join(box.width < 220 ? " " : " · ")
            : words.map.nothing}
        </text>
      ))}
    </g>
  );
}

function Bucket({ box, access, isDim }: { box: Box; access: Access; isDim: boolean }) {
  const { words } = useSurroundings();
  const bucket = access.buckets.find((candidate) => candidate.key === box.id);
  const traits = [bucket?.encryption, bucket?.versioning && words.map.versioned];
  const note = traits.filter(Boolean).join(" · ");
  const name = bucket && fits(bucket.name, box.width - 28) ? bucket.name : box.id;
  return (
    <g class={`box bucket ${isDim ? "dim" : ""}`}>
      <title>{bucket?.name ?? box.id}</title>
      <rect x={box.x} y={box.y} width={box.width} height={box.height} rx="10" />
      <Head box={box} title={name} note={note} />
      {box.rows.map((row) => (
        <text key={row.y} class={row.prefix === null ? "note" : "prefix"} x={box.x + 14} y={row.y + rowHeight / 2 + 4}>
          {row.prefix === null
            ? words.map.nobody
            : shorten(row.prefix ? `${row.prefix}*` : words.map.wholeBucket, box.width - 28, 7.9)}
        </text>
      ))}
    </g>
  );
}

function Head({ box, title, note }: { box: Box; title: string; note: string }) {
  return (
    <>
      <text class="title" x={box.x + 14} y={box.y + 23}>
        {shorten(title, box.width - 28, 8)}
      </text>
      <text class="note" x={box.x + 14} y={box.y + 40}>
        {shorten(note, box.width - 28, 6)}
      </text>
    </>
  );
}
