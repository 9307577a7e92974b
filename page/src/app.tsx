// The page as a whole: it learns the rules, asks who is there if it must, and shows one of its two places.

import { useCallback, useEffect, useMemo, useRef, useState } from "preact/hooks";
import { AccessPage } from "./access/access_page";
import { Complaint } from "./complaint";
import { type Surroundings, SurroundingsContext } from "./context";
import { Header } from "./header";
import { Images } from "./images";
import { readLanguage, readTheme } from "./preferences";
import { Failure, type Rules, readRules, signOut, signedOut } from "./service";
import { makeShowing } from "./showing";
import { SignIn } from "./sign_in";
import { english } from "./words.en";
import { korean } from "./words.ko";

type State = { kind: "loading" } | { kind: "signed-out" } | { kind: "failed"; failure: Failure } | { kind: "ready" };

export function App() {
  const [language, setLanguage] = useState(readLanguage);
  const [theme, setTheme] = useState(readTheme);
  const [said, setSaid] = useState("");
  const [state, setState] = useState<State>({ kind: "loading" });
  const [rules, setRules] = useState<Rules | null>(null);
  const [session, setSession] = useState(0);
  const [route, setRoute] = useState(location.pathname);
  const content = useRef<HTMLElement>(null);

  const announce = useCallback((words: string) => {
    // The same words twice in a row are only read again if the text changes in between.
    setSaid("");
    requestAnimationFrame(() => setSaid(words));
  }, []);
  const surroundings: Surroundings = useMemo(
    () => ({ words: language === "ko" ? korean : english, showing: makeShowing(language), theme, announce }),
    [language, theme, announce],
  );
  const { words } = surroundings;
  const isAccess = route === "/access";

  const load = async (): Promise<void> => {
    setState({ kind: "loading" });
    try {
      setRules(await readRules());
      setSession((before) => before + 1);
      setState({ kind: "ready" });
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      setState(error.status === 401 ? { kind: "signed-out" } : { kind: "failed", failure: error });
    }
  };
  const leave = async (): Promise<void> => {
    await signOut().catch(() => {});
    setRules(null);
    await load();
  };
  const go = (path: string): void => {
    history.pushState(null, "", path);
    setRoute(path);
    content.current?.focus();
    scrollTo(0, 0);
  };

  useEffect(() => {
    void load();
    const follow = (): void => setRoute(location.pathname);
    // What was begun stays, and goes on after signing in again.
    const ask = (): void => setState({ kind: "signed-out" });
    addEventListener("popstate", follow);
    addEventListener(signedOut, ask);
    return () => {
      removeEventListener("popstate", follow);
      removeEventListener(signedOut, ask);
    };
  }, []);
  useEffect(() => {
    document.documentElement.lang = language;
    if (theme === "auto") delete document.documentElement.dataset["theme"];
    else document.documentElement.dataset["theme"] = theme;
  }, [language, theme]);
  useEffect(() => {
    document.title = [isAccess ? words.access : "", rules?.app ?? words.images].filter(Boolean).join(" · ");
  }, [isAccess, rules, words]);

  return (
    <SurroundingsContext.Provider value={surroundings}>
      <Header
        rules={rules}
        route={route}
        onRoute={go}
        onLanguage={setLanguage}
        onTheme={setTheme}
        onSignOut={() => void leave()}
      />
      <main id="content" tabIndex={-1} ref={content} aria-busy={state.kind === "loading"}>
        {state.kind === "failed" && (
          <Complaint title={words.unreachable} failure={state.failure} onRetry={() => void load()} />
        )}
        {state.kind === "signed-out" && <SignIn onSignedIn={() => void load()} />}
        {rules && (
          <div hidden={state.kind !== "ready"} key={rules.caller?.name}>
            <div hidden={isAccess}>
              <Images rules={rules} session={session} isActive={!isAccess} />
            </div>
            {isAccess && <AccessPage session={session} />}
          </div>
        )}
      </main>
      <p class="unseen" role="status" aria-live="polite" id="announcer">
        {said}
      </p>
    </SurroundingsContext.Provider>
  );
}
