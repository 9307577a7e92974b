// One image: look at it, copy its link, download it, delete it and think better of it.

import { useEffect, useRef, useState } from "preact/hooks";
import { useSurroundings } from "../context";
import { Failure, type Item, signDownload, signLink } from "../service";
import { copyText } from "./copying";
import type { Words } from "../words";
import type { Tile } from "./tiles";

interface TileProps {
  tile: Tile;
  isPublic: boolean;
  onRemove: (key: string, name: string) => void;
  onKeep: (key: string, name: string) => void;
  onComplain: (key: string, complaint: string) => void;
}

export function TileView({ tile, isPublic, onRemove, onKeep, onComplain }: TileProps) {
  const { words, showing } = useSurroundings();
  const { item } = tile;
  const date = item.uploaded_at ? new Date(item.uploaded_at) : new Date();
  const name = item.name || words.gallery.unnamed(showing.moment(date));
  const undo = useRef<HTMLButtonElement>(null);
  const remove = useRef<HTMLButtonElement>(null);
  const wasLeaving = useRef(false);

  // The focus stays where the hand is: on Undo after Delete, on Delete after Undo.
  useEffect(() => {
    if (tile.isLeaving) undo.current?.focus({ preventScroll: true });
    else if (wasLeaving.current) remove.current?.focus({ preventScroll: true });
    wasLeaving.current = tile.isLeaving;
  }, [tile.isLeaving]);

  if (tile.isLeaving)
    return (
      <li class="tile leaving">
        <p class="removed">{words.gallery.removed}</p>
        <button
          type="button"
          class="button plain"
          ref={undo}
          aria-label={words.gallery.undoOf(name)}
          onClick={() => onKeep(item.key, name)}
        >
          {words.gallery.undo}
        </button>
      </li>
    );
  return (
    <li class={tile.isFresh ? "tile fresh" : "tile"}>
      <a class="frame" href={item.url} target="_blank" rel="noopener" aria-label={words.gallery.openOf(name)}>
        <Picture item={item} name={name} />
      </a>
      <p class="caption small quiet">
        <span class="name" title={name}>
          {item.name || <time dateTime={date.toISOString()}>{showing.day(date)}</time>}
        </span>
        <span title={showing.moment(date)}>{showing.bytes(item.bytes)}</span>
      </p>
      <div class="actions">
        <CopyButton item={item} name={name} isPublic={isPublic} complain={(why) => onComplain(item.key, why)} />
        <DownloadButton item={item} name={name} complain={(why) => onComplain(item.key, why)} />
        <button
          type="button"
          class="button plain remove"
          ref={remove}
          aria-label={words.gallery.removeOf(name)}
          onClick={() => onRemove(item.key, name)}
        >
          {words.gallery.remove}
        </button>
      </div>
      {tile.complaint && <p class="why small">{tile.complaint}</p>}
    </li>
  );
}

// The smallest thumbnail that fills the tile; the image itself where there is none, or where it is gone.
function Picture({ item, name }: { item: Item; name: string }) {
  const { words } = useSurroundings();
  const [failed, setFailed] = useState<string[]>([]);
  const [isLoaded, setLoaded] = useState(false);
  const thumbnails = Object.entries(item.thumbnails ?? {}).sort(([a], [b]) => Number(a) - Number(b));
  const smallest = thumbnails.find(([, url]) => !failed.includes(url))?.[1];
  const source = failed.length === 0 && smallest ? smallest : item.url;
  if (failed.includes(item.url)) return <span class="broken">{words.gallery.broken}</span>;
  const isThumbnail = source !== item.url;
  return (
    <img
      key={source}
      class={isLoaded ? "loaded" : ""}
      src={source}
      srcset={isThumbnail ? thumbnails.map(([size, url]) => `${url} ${size}w`).join(", ") : undefined}
      sizes={isThumbnail ? "(max-width: 30rem) 100vw, 16rem" : undefined}
      alt={name}
      loading="lazy"
      decoding="async"
      onLoad={() => setLoaded(true)}
      onError={() => setFailed((known) => [...known, source])}
    />
  );
}

interface ButtonProps {
  item: Item;
  name: string;
  complain: (why: string) => void;
}

function CopyButton({ item, name, isPublic, complain }: ButtonProps & { isPublic: boolean }) {
  const { words, showing, announce } = useSurroundings();
  const [isCopied, setCopied] = useState(false);
  const copy = async (): Promise<void> => {
    try {
      // A signed link is made when it is needed, so that it lives as long as it can.
      const link = isPublic ? { url: item.url, expires_at: null } : await signLink(item.key);
      if (!(await copyText(link.url))) throw new Failure(0, words.gallery.notCopied);
      announce(words.gallery.saidCopied(link.expires_at ? showing.time(new Date(link.expires_at)) : ""));
      setCopied(true);
      setTimeout(() => setCopied(false), 2000);
    } catch (error) {
      complain(wordsOf(error, words));
    }
  };
  return (
    <button type="button" class="button plain" aria-label={words.gallery.copyOf(name)} onClick={() => void copy()}>
      {isCopied ? words.gallery.copied : words.gallery.copy}
    </button>
  );
}

function DownloadButton({ item, name, complain }: ButtonProps) {
  const { words } = useSurroundings();
  const download = async (): Promise<void> => {
    try {
      const { url } = await signDownload(item.key, item.name ?? "");
      const link = document.createElement("a");
      link.href = url;
      link.rel = "noopener";
      link.download = item.name ?? "";
      link.click();
    } catch (error) {
      complain(wordsOf(error, words));
    }
  };
  return (
    <button
      type="button"
      class="button plain"
      aria-label={words.gallery.downloadOf(name)}
      onClick={() => void download()}
    >
      {words.gallery.download}
    </button>
  );
}

const wordsOf = (error: unknown, words: Words): string =>
  (error instanceof Failure && error.say(words.problems)) || words.unreachable;
