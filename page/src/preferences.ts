// What a person chose, kept in this browser.

import type { Theme } from "./context";

const themes: Theme[] = ["auto", "light", "dark"];

// Storage may be closed to the page; then a choice lasts as long as the page.
function read(name: string): string | null {
  try {
    return localStorage.getItem(name);
  } catch {
    return null;
  }
}

function write(name: string, value: string): void {
  try {
    localStorage.setItem(name, value);
  } catch {
    // it lasts as long as the page
  }
}

export function readLanguage(): "en" | "ko" {
  const chosen = read("keyhole-language");
  if (chosen === "en" || chosen === "ko") return chosen;
  return navigator.language.toLowerCase().startsWith("ko") ? "ko" : "en";
}

export const writeLanguage = (language: "en" | "ko"): void => write("keyhole-language", language);

// Where to, of those uploads that there are.
export function readPlace(places: string[]): string {
  const chosen = read("keyhole-place");
  return places.find((place) => place === chosen) ?? places[0] ?? "";
}

export const writePlace = (place: string): void => write("keyhole-place", place);

export const readTheme = (): Theme => themes.find((theme) => theme === read("keyhole-theme")) ?? "auto";

export const writeTheme = (theme: Theme): void => write("keyhole-theme", theme);
