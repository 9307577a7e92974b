// Numbers, dates and types as people read them.

const units = ["B", "KiB", "MiB", "GiB", "TiB"];
const names: Record<string, string> = { "image/webp": "WebP", "image/svg+xml": "SVG" };

export interface Showing {
  bytes: (count: number) => string;
  day: (date: Date) => string;
  moment: (date: Date) => string;
  time: (date: Date) => string;
  types: (types: string[]) => string[];
}

export function makeShowing(language: string): Showing {
  const days = new Intl.DateTimeFormat(language, { dateStyle: "medium" });
  const moments = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" });
  const times = new Intl.DateTimeFormat(language, { timeStyle: "short" });
  return {
    bytes(count) {
      let size = count;
      let unit = 0;
      while (size >= 1024 && unit < units.length - 1) {
        size /= 1024;
        unit += 1;
      }
      return `${Number(size.toPrecision(3))} ${units[unit]}`;
    },
    day: (date) => days.format(date),
    moment: (date) => moments.format(date),
    time: (date) => times.format(date),
    types: (types) => types.map((type) => names[type] ?? type.replace("image/", "").toUpperCase()),
  };
}
