// What the gallery holds: images newest first, some of them on their way out.

import type { Item } from "../service";

export interface Tile {
  item: Item;
  isFresh: boolean;
  isLeaving: boolean;
  complaint: string;
}

export type Change =
  | { kind: "listed"; items: Item[] }
  | { kind: "older"; items: Item[] }
  | { kind: "stored"; item: Item }
  | { kind: "leaving" | "kept" | "gone"; key: string }
  | { kind: "complained"; key: string; complaint: string };

const fresh = (item: Item, isFresh = false): Tile => ({ item, isFresh, isLeaving: false, complaint: "" });

export function changeTiles(tiles: Tile[], change: Change): Tile[] {
  switch (change.kind) {
    case "listed":
      return relist(tiles, change.items);
    case "older": {
      const known = new Set(tiles.map((tile) => tile.item.key));
      return [...tiles, ...change.items.filter((item) => !known.has(item.key)).map((item) => fresh(item))];
    }
    case "stored": {
      const known = tiles.find((tile) => tile.item.key === change.item.key); // the list may have been quicker
      if (known?.isLeaving) return tiles;
      return [fresh(change.item, true), ...tiles.filter((tile) => tile !== known)];
    }
    case "gone":
      return tiles.filter((tile) => tile.item.key !== change.key);
    default:
      return tiles.map((tile) => (tile.item.key === change.key ? alter(tile, change) : tile));
  }
}

function alter(tile: Tile, change: Change): Tile {
  if (change.kind === "complained") return { ...tile, isLeaving: false, complaint: change.complaint };
  return { ...tile, isLeaving: change.kind === "leaving", complaint: "" };
}

// Take over newly signed URLs; what was uploaded since the list was asked for, or waits for its undo, stays.
function relist(tiles: Tile[], items: Item[]): Tile[] {
  const known = new Map(tiles.map((tile) => [tile.item.key, tile]));
  const listed = new Set(items.map((item) => item.key));
  const staying = tiles.filter((tile) => !listed.has(tile.item.key) && (tile.isFresh || tile.isLeaving));
  const there = items.map((item) => {
    const tile = known.get(item.key);
    return tile ? { ...tile, item: { ...tile.item, ...item, name: item.name ?? tile.item.name ?? null } } : fresh(item);
  });
  return [...staying, ...there];
}
