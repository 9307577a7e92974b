// Who has a token shows it once; the service answers with a cookie that no script can read.

import { useEffect, useRef, useState } from "preact/hooks";
import { useSurroundings } from "./context";
import { Failure, signIn } from "./service";

export function SignIn({ onSignedIn }: { onSignedIn: () => void }) {
  const { words } = useSurroundings();
  const field = useRef<HTMLInputElement>(null);
  const [why, setWhy] = useState("");
  const [isBusy, setBusy] = useState(false);
  useEffect(() => field.current?.focus(), []);

  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    setWhy("");
    try {
      await signIn(field.current!.value.trim());
      onSignedIn();
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      setWhy(error.status === 0 ? words.unreachable : `${words.problems[error.kind] ?? ""} ${error.message}`.trim());
      field.current?.select();
    } finally {
      setBusy(false);
    }
  };

  return (
    <form class="sign-in" onSubmit={(event) => void submit(event)} aria-labelledby="sign-in-title">
      <h1 id="sign-in-title">{words.signIn.title}</h1>
      <p class="quiet" id="sign-in-how">
        {words.signIn.how}
      </p>
      <label>
        {words.signIn.label}
        <input
          ref={field}
          type="password"
          autocomplete="current-password"
          required
          spellcheck={false}
          aria-describedby="sign-in-how sign-in-why"
          aria-invalid={Boolean(why)}
        />
      </label>
      <p class="why" id="sign-in-why" role="alert">
        {why}
      </p>
      <button type="submit" class="button act" disabled={isBusy}>
        {isBusy ? words.signIn.busy : words.signIn.button}
      </button>
    </form>
  );
}
