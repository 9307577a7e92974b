// Where files are chosen, dropped and pasted, and what became of those that were not taken.

import Dashboard from "@uppy/dashboard";
import "@uppy/core/css/style.min.css";
import "@uppy/dashboard/css/style.min.css";
import "../styles/uploads.css";
import { useEffect, useRef, useState } from "preact/hooks";
import type { OptionalPluralizeLocale } from "@uppy/core/utils";
import { type Surroundings, useSurroundings } from "../context";
import type { Item, Rules, UploadRules } from "../service";
import type { Words } from "../words";
import { type FileShown, makeQueue } from "./queue";
import { type Notice, Notices } from "./notices";
import { takeFilesAnywhere } from "./page_drops";
import type { Files } from "./transport";

interface PanelProps {
  rules: Rules;
  upload: UploadRules;
  isActive: boolean;
  onStored: (item: Item, name: string) => void;
}

export function UploadPanel({ rules, upload, isActive, onStored }: PanelProps) {
  const surroundings = useSurroundings();
  const { words, showing, theme } = surroundings;
  const place = useRef<HTMLDivElement>(null);
  const queue = useRef<Files | null>(null);
  const [notices, setNotices] = useState<Notice[]>([]);
  const [isOver, setOver] = useState(false);
  // What the queue's events use is what holds when they happen, not when it was made.
  const now = useRef({ surroundings, onStored });
  now.current = { surroundings, onStored };

  useEffect(() => {
    const closing = new AbortController();
    const note = (notice: Notice): void => {
      setNotices((known) => [...known.filter((other) => other.id !== notice.id), notice]);
      now.current.surroundings.announce(now.current.surroundings.words.uploads.saidRefused(notice.name, notice.why));
    };
    const files = makeQueue(
      rules,
      upload,
      {
        stored: (item, name) => {
          now.current.surroundings.announce(now.current.surroundings.words.uploads.saidDone(name));
          now.current.onStored(item, name);
        },
        failed: (file, failure) => {
          const { words: said } = now.current.surroundings;
          const why = failure.status === 0 ? said.uploads.continues : failure.say(said.problems);
          note({ id: file.id, name: file.name, why, canRetry: failure.isPassing });
        },
        restricted: (file, message) => {
          const why = explain(file, upload, now.current.surroundings) ?? message;
          note({ id: file.id, name: file.name, why, canRetry: false });
        },
        moved: (id) => setNotices((known) => known.filter((notice) => notice.id !== id || !notice.canRetry)),
        restored: () => now.current.surroundings.announce(now.current.surroundings.words.uploads.restored),
        checking: () => now.current.surroundings.words.uploads.checking,
      },
      closing.signal,
    );
    files.use(Dashboard, {
      target: place.current!,
      inline: true,
      width: "100%",
      height: 340,
      theme,
      thumbnailWidth: 200,
      singleFileFullScreen: false,
      proudlyDisplayPoweredByUppy: false,
      disableInformer: true,
      doneButtonHandler: null,
    });
    queue.current = files;
    void offerCamera(files, upload);
    return () => {
      closing.abort();
      files.destroy();
    };
  }, []);

  useEffect(() => {
    let isCurrent = true;
    void localeOf(words).then((locale) => isCurrent && queue.current?.setOptions({ locale }));
    return () => {
      isCurrent = false;
    };
  }, [words]);

  useEffect(() => {
    queue.current?.getPlugin<Dashboard<any, any>>("Dashboard")?.setOptions({ theme });
  }, [theme]);

  useEffect(() => {
    if (!isActive) return undefined;
    const add = (chosen: File[]): void => queue.current?.getPlugin<Dashboard<any, any>>("Dashboard")?.addFiles(chosen);
    return takeFilesAnywhere(place.current!, add, setOver);
  }, [isActive]);

  const dismiss = (id: string): void => {
    setNotices((known) => known.filter((notice) => notice.id !== id));
    if (queue.current?.getFile(id)) queue.current.removeFile(id);
    place.current?.querySelector("button")?.focus();
  };
  const retry = (id: string): void => void queue.current?.retryUpload(id).catch(() => {});

  return (
    <div>
      <div class={isOver ? "drop over" : "drop"}>
        <div ref={place} />
        {isOver && <p class="drop-now">{words.uploads.dropHere}</p>}
      </div>
      <p class="small quiet limits">
        {words.limits(showing.types(upload.content_types), showing.bytes(upload.max_bytes))}
        {" · "}
        {upload.ttl_s === null ? words.isPublic : words.isPrivate(upload.ttl_s)}
      </p>
      <Notices notices={notices} onDismiss={dismiss} onRetry={retry} />
    </div>
  );
}

function explain(file: FileShown, upload: UploadRules, { words, showing }: Surroundings): string | null {
  const { wrongType, tooLarge } = words.uploads;
  if (file.size !== null && file.size > upload.max_bytes)
    return tooLarge(showing.bytes(file.size), showing.bytes(upload.max_bytes));
  return upload.content_types.includes(file.type) ? null : wrongType(showing.types(upload.content_types));
}

async function localeOf(words: Words): Promise<OptionalPluralizeLocale> {
  if (words.language === "en") return { strings: words.dashboard };
  const { default: base } = await import("@uppy/locales/lib/ko_KR.js");
  return { ...base, strings: { ...base.strings, ...words.dashboard } };
}

async function offerCamera(files: Files, upload: UploadRules): Promise<void> {
  const devices = (await navigator.mediaDevices?.enumerateDevices().catch(() => [])) ?? [];
  if (!devices.some((device) => device.kind === "videoinput")) return;
  const { addCamera } = await import("./camera");
  if (files.getPlugin("Dashboard")) addCamera(files, upload.content_types);
}
