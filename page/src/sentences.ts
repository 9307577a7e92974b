// The service speaks in lower case without a final period; on a page it is a sentence.

export function sentence(words: string): string {
  const trimmed = words.trim();
  if (!trimmed) return "";
  return trimmed[0]!.toUpperCase() + trimmed.slice(1) + (/[.!?。…]$/.test(trimmed) ? "" : ".");
}
