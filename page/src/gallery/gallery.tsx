// What is under the prefix, newest first.

import type { MutableRef } from "preact/hooks";
import { useEffect, useId, useImperativeHandle, useReducer, useRef, useState } from "preact/hooks";
import { Complaint } from "../complaint";
import { useSurroundings } from "../context";
import { Failure, type Item, type UploadRules, deleteImage, listImages } from "../service";
import "../styles/gallery.css";
import { noteGone, readGone } from "./gone";
import { TileView } from "./tile";
import { changeTiles } from "./tiles";

const undoMs = 6000;

export interface GalleryHandle {
  add: (item: Item, name: string) => void;
}

interface GalleryProps {
  upload: UploadRules;
  // Another number: whoever is there has signed in anew.
  session: number;
  handle: MutableRef<GalleryHandle | null>;
}

export function Gallery({ upload, session, handle }: GalleryProps) {
  const { words, announce } = useSurroundings();
  const [tiles, change] = useReducer(changeTiles, []);
  const [continuation, setContinuation] = useState<string | null>(null);
  const [failure, setFailure] = useState<{ failure: Failure; retry: () => void } | null>(null);
  const [isBusy, setBusy] = useState(true);
  const readAt = useRef(0);
  const list = useRef<HTMLUListElement>(null);
  const said = useRef(words);
  said.current = words;
  const title = useId();
  const leaving = useRef(new Map<string, number>());

  const load = async (from: string | null): Promise<void> => {
    setBusy(true);
    try {
      const page = await listImages(upload.name, from);
      const shown = list.current?.children.length ?? 0;
      readAt.current = performance.now();
      const gone = readGone();
      const items = page.items.filter((item) => !gone.has(item.key));
      change(from ? { kind: "older", items } : { kind: "listed", items });
      setContinuation(page.continuation ?? null);
      setFailure(null);
      // Whoever asked for more goes on from where it begins.
      if (from) requestAnimationFrame(() => list.current?.children[shown]?.querySelector("a")?.focus());
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      setFailure({ failure: error, retry: () => void load(from) });
    } finally {
      setBusy(false);
    }
  };

  useEffect(() => void load(null), [session]);
  useEffect(() => {
    const stopping = new AbortController();
    const { signal } = stopping;
    // Signed links end: the list is read anew before those shown have become useless.
    const refresh = (): void => {
      const age = performance.now() - readAt.current;
      if (!document.hidden && upload.ttl_s !== null && age > upload.ttl_s * 500) void load(null);
    };
    addEventListener("visibilitychange", refresh, { signal });
    // Whoever leaves has stopped thinking: what is marked as deleted is deleted now.
    const leave = (): void => {
      noteGone([...leaving.current.keys()]);
      [...leaving.current.keys()].forEach(deleteNow);
    };
    addEventListener("pagehide", leave, { signal });
    addEventListener("pageshow", (event) => event.persisted && void load(null), { signal });
    return () => {
      stopping.abort();
      leave();
    };
  }, []);

  useImperativeHandle(handle, () => ({
    add: (item, name) => change({ kind: "stored", item: { uploaded_at: new Date().toISOString(), name, ...item } }),
  }));

  const deleteNow = (key: string): void => {
    clearTimeout(leaving.current.get(key));
    leaving.current.delete(key);
    deleteImage(key, true).catch(() => {});
  };
  const remove = (key: string, name: string): void => {
    change({ kind: "leaving", key });
    announce(words.gallery.saidRemoved(name));
    leaving.current.set(
      key,
      setTimeout(() => void deleteLater(key, name), undoMs),
    );
  };
  const keep = (key: string, name: string): void => {
    clearTimeout(leaving.current.get(key));
    leaving.current.delete(key);
    change({ kind: "kept", key });
    announce(words.gallery.saidKept(name));
  };
  const deleteLater = async (key: string, name: string): Promise<void> => {
    leaving.current.delete(key);
    try {
      await deleteImage(key);
    } catch (error) {
      const why = error instanceof Failure && error.status ? error.say(said.current.problems) : said.current.unreachable;
      change({ kind: "complained", key, complaint: said.current.gallery.notRemoved(why) });
      announce(said.current.gallery.notRemoved(why));
      return;
    }
    passFocusOn(list.current);
    change({ kind: "gone", key });
    announce(said.current.gallery.saidGone(name));
  };

  const isEmpty = tiles.length === 0 && !failure && !isBusy && !continuation;
  return (
    <section class="gallery" aria-labelledby={title} aria-busy={isBusy}>
      <h2 id={title} tabIndex={-1}>
        {words.images}
        {tiles.length > 0 && (
          <span class="count small quiet">{words.gallery.count(tiles.length, Boolean(continuation))}</span>
        )}
      </h2>
      {failure && <Complaint title={words.gallery.failed} failure={failure.failure} onRetry={failure.retry} />}
      {isEmpty && (
        <div class="empty">
          <p class="empty-title">{words.gallery.emptyTitle}</p>
          <p class="quiet">{words.gallery.emptyHow}</p>
        </div>
      )}
      <ul class="tiles" ref={list}>
        {tiles.map((tile) => (
          <TileView
            key={tile.item.key}
            tile={tile}
            isPublic={upload.is_public}
            onRemove={remove}
            onKeep={keep}
            onComplain={(key, complaint) => change({ kind: "complained", key, complaint })}
          />
        ))}
      </ul>
      {continuation && (
        <button type="button" class="button older" disabled={isBusy} onClick={() => void load(continuation)}>
          {words.gallery.older}
        </button>
      )}
    </section>
  );
}

// A tile that goes away with the focus in it hands it to its neighbour.
function passFocusOn(list: HTMLUListElement | null): void {
  const tile = document.activeElement?.closest("li");
  if (!tile || !list?.contains(tile)) return;
  const neighbour = tile.nextElementSibling ?? tile.previousElementSibling;
  const heading = list.closest("section")?.querySelector<HTMLElement>("h2");
  const next = neighbour?.querySelector<HTMLElement>("a, button") ?? heading;
  next?.focus({ preventScroll: true });
}
