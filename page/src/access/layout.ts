// Where everything in the picture goes: who on the left, buckets and their prefixes on the right, lines in between.

import { type Access, type Line, linesOf, stranger } from "./access";

export interface Row {
  line: Line | null;
  prefix: string | null;
  y: number;
}

export interface Box {
  id: string;
  x: number;
  y: number;
  width: number;
  height: number;
  rows: Row[];
}

export interface Link {
  line: Line;
  path: string;
}

export interface Picture {
  width: number;
  height: number;
  left: Box[];
  right: Box[];
  links: Link[];
}

const headHeight = 48;
export const rowHeight = 30;
const gap = 18;
const margin = 2;

export function layOut(access: Access, width: number): Picture {
  const order = new Map(access.buckets.map((bucket, index) => [bucket.key, index]));
  // In the order of what they lead to, so that the lines of one do not cross.
  const lines = linesOf(access).sort(
    (a, b) => (order.get(a.bucket) ?? 0) - (order.get(b.bucket) ?? 0) || (a.prefix < b.prefix ? -1 : 1),
  );
  const inner = width - 2 * margin;
  const isNarrow = width < 560;
  const column = { left: isNarrow ? inner * 0.5 : Math.min(320, inner * 0.36), right: Math.min(320, inner * 0.38) };
  const who = [...access.workloads.map((workload) => workload.name), stranger];
  const left = stack(
    who.map((name) => ({
      id: name,
      rows: lines.filter((line) => line.who === name).map((line) => ({ line, prefix: null, y: 0 })),
    })),
    margin,
    column.left,
  );
  const right = stack(
    access.buckets.map((bucket) => ({
      id: bucket.key,
      rows: prefixesOf(bucket.key, lines).map((prefix) => ({ line: null, prefix, y: 0 })),
    })),
    width - margin - column.right,
    column.right,
  );
  const height = Math.max(bottomOf(left), bottomOf(right)) + margin;
  centre(left, height);
  centre(right, height);
  return { width, height, left, right, links: connect(left, right) };
}

function prefixesOf(bucket: string, lines: Line[]): string[] {
  const prefixes = lines.filter((line) => line.bucket === bucket).map((line) => line.prefix);
  return [...new Set(prefixes)].sort();
}

// Whoever may do nothing has one empty row, which says so.
function stack(contents: { id: string; rows: Row[] }[], x: number, width: number): Box[] {
  let y = margin;
  return contents.map(({ id, rows }) => {
    const shown = rows.length > 0 ? rows : [{ line: null, prefix: null, y: 0 }];
    const top = y;
    const height = headHeight + shown.length * rowHeight + 6;
    y += height + gap;
    const placed = shown.map((row, index) => ({ ...row, y: top + headHeight + index * rowHeight }));
    return { id, x, y: top, width, height, rows: placed };
  });
}

const bottomOf = (boxes: Box[]): number => Math.max(0, ...boxes.map((box) => box.y + box.height));

function centre(boxes: Box[], height: number): void {
  const shift = (height - bottomOf(boxes) - margin) / 2;
  if (shift <= 0) return;
  for (const box of boxes) {
    box.y += shift;
    for (const row of box.rows) row.y += shift;
  }
}

function connect(left: Box[], right: Box[]): Link[] {
  const links: Link[] = [];
  for (const box of left)
    for (const row of box.rows) {
      if (!row.line) continue;
      const { line } = row;
      const bucket = right.find((other) => other.id === line.bucket);
      const end = bucket?.rows.find((other) => other.prefix === line.prefix);
      if (!bucket || !end) continue;
      const from = { x: box.x + box.width, y: row.y + rowHeight / 2 };
      const to = { x: bucket.x, y: end.y + rowHeight / 2 };
      const bend = (to.x - from.x) / 2;
      const path = `M${from.x} ${from.y}C${from.x + bend} ${from.y} ${to.x - bend} ${to.y} ${to.x} ${to.y}`;
      links.push({ line, path });
    }
  return links;
}

export const fits = (text: string, width: number, letter = 7.4): boolean => text.length * letter <= width;

// SVG does not shorten text: the end of a name says more than its middle.
export function shorten(text: string, width: number, letter = 7.4): string {
  const most = Math.max(4, Math.floor(width / letter));
  if (text.length <= most) return text;
  const head = Math.ceil((most - 1) / 2);
  return `${text.slice(0, head)}…${text.slice(text.length - (most - 1 - head))}`;
}
