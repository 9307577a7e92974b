// What was deleted as the page was left: the next page may ask for the list before the deletion has arrived.

const place = "keyhole-gone";
const arrivesMs = 15_000;

export function noteGone(keys: string[]): void {
  if (keys.length === 0) return;
  const until = Date.now() + arrivesMs;
  try {
    sessionStorage.setItem(place, JSON.stringify({ keys: [...readGone(), ...keys], until }));
  } catch {
    // then the list shows them until it is read again
  }
}

export function readGone(): Set<string> {
  try {
    const { keys, until } = JSON.parse(sessionStorage.getItem(place) ?? "{}");
    return new Set(Date.now() < until ? (keys as string[]) : []);
  } catch {
    return new Set();
  }
}
