// The top of every page: what this is, where one can go, and how it looks.

import { type Theme, useSurroundings } from "./context";
import type { Rules } from "./service";
import { writeLanguage, writeTheme } from "./preferences";

interface HeaderProps {
  rules: Rules | null;
  route: string;
  onRoute: (route: string) => void;
  onLanguage: (language: "en" | "ko") => void;
  onTheme: (theme: Theme) => void;
  onSignOut: () => void;
}

export function Header({ rules, route, onRoute, onLanguage, onTheme, onSignOut }: HeaderProps) {
  const { words, theme } = useSurroundings();
  // Another page in the same document: an upload under way goes on.
  const go = (event: MouseEvent, path: string): void => {
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.button) return;
    event.preventDefault();
    onRoute(path);
  };
  const link = (path: string, label: string) => (
    <a href={path} aria-current={route === path ? "page" : undefined} onClick={(event) => go(event, path)}>
      {label}
    </a>
  );
  return (
    <header>
      <a class="skip" href="#content">
        {words.skip}
      </a>
      <p class="app">
        <img src="/page/keyhole.svg" alt="" width="28" height="28" />
        {rules?.app ?? "Keyhole"}
      </p>
      {rules && (
        <nav aria-label={words.sections}>
          {link("/", words.images)}
          {link("/access", words.access)}
        </nav>
      )}
      <div class="settings">
        {rules?.caller && rules.caller.kind !== "anyone" && (
          <>
            <span class="small quiet">{words.signIn.as(rules.caller.name)}</span>
            <button type="button" class="button plain" onClick={onSignOut}>
              {words.signOut}
            </button>
          </>
        )}
        <label>
          <span class="unseen">{words.theme.label}</span>
          <select
            value={theme}
            onChange={(event) => {
              const chosen = event.currentTarget.value as Theme;
              writeTheme(chosen);
              onTheme(chosen);
            }}
          >
            <option value="auto">{words.theme.auto}</option>
            <option value="light">{words.theme.light}</option>
            <option value="dark">{words.theme.dark}</option>
          </select>
        </label>
        <button
          type="button"
          class="button plain"
          lang={words.otherLanguage}
          onClick={() => {
            writeLanguage(words.otherLanguage);
            onLanguage(words.otherLanguage);
          }}
        >
          {words.other}
        </button>
      </div>
    </header>
  );
}
