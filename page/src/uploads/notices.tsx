// Files that were not uploaded, each with the reason.

import { useId } from "preact/hooks";
import { useSurroundings } from "../context";

export interface Notice {
  id: string;
  name: string;
  why: string;
  canRetry: boolean;
}

interface NoticesProps {
  notices: Notice[];
  onDismiss: (id: string) => void;
  onRetry: (id: string) => void;
}

export function Notices({ notices, onDismiss, onRetry }: NoticesProps) {
  const { words } = useSurroundings();
  const title = useId();
  if (notices.length === 0) return null;
  return (
    <section class="notices" aria-labelledby={title}>
      <h2 id={title}>{words.uploads.refused}</h2>
      <ul>
        {notices.map((notice) => (
          <li key={notice.id}>
            <p>
              <strong class="name">{notice.name}</strong>
              <span class="why">{notice.why}</span>
            </p>
            {notice.canRetry && (
              <button type="button" class="button plain" onClick={() => onRetry(notice.id)}>
                {words.retry}
              </button>
            )}
            <button
              type="button"
              class="button plain"
              aria-label={words.uploads.dismissOf(notice.name)}
              onClick={() => onDismiss(notice.id)}
            >
              {words.uploads.dismiss}
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}
