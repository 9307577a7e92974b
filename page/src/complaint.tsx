// Something that could not be read, why, and a way to try again.

import { useSurroundings } from "./context";
import type { Failure } from "./service";

interface ComplaintProps {
  title: string;
  failure: Failure;
  onRetry: () => void;
}

export function Complaint({ title, failure, onRetry }: ComplaintProps) {
  const { words } = useSurroundings();
  const why = failure.status === 0 ? `${words.unreachable} ${words.unreachableHint}` : failure.say(words.problems);
  return (
    <div class="complaint" role="alert">
      <p class="complaint-title">{title}</p>
      <p>{why}</p>
      <button type="button" class="button" onClick={onRetry}>
        {words.retry}
      </button>
    </div>
  );
}
