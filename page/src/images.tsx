// The first place: upload images, and see those that are there.

import { useRef, useState } from "preact/hooks";
import { useSurroundings } from "./context";
import { Gallery, type GalleryHandle } from "./gallery/gallery";
import { readPlace, writePlace } from "./preferences";
import type { Rules, UploadRules } from "./service";
import { UploadPanel } from "./uploads/panel";

interface ImagesProps {
  rules: Rules;
  session: number;
  isActive: boolean;
}

export function Images({ rules, session, isActive }: ImagesProps) {
  const { words } = useSurroundings();
  const [chosen, setChosen] = useState(() => readPlace(rules.uploads.map((upload) => upload.name)));
  // One that was visited stays: what was dropped there goes on, while another one is looked at.
  const [visited, setVisited] = useState([chosen]);
  const choose = (name: string): void => {
    setVisited((known) => (known.includes(name) ? known : [...known, name]));
    writePlace(name);
    setChosen(name);
  };
  return (
    <>
      <h1>{words.uploads.heading}</h1>
      {rules.uploads.length === 0 && <p class="quiet">{words.uploads.nowhere}</p>}
      {rules.uploads.length > 1 && (
        <label class="where">
          {words.uploads.where}
          <select value={chosen} onChange={(event) => choose(event.currentTarget.value)}>
            {rules.uploads.map((upload) => (
              <option key={upload.name} value={upload.name}>
                {upload.name}
              </option>
            ))}
          </select>
        </label>
      )}
      {rules.uploads
        .filter((upload) => visited.includes(upload.name))
        .map((upload) => (
          <Place
            key={upload.name}
            rules={rules}
            upload={upload}
            session={session}
            isShown={upload.name === chosen}
            isActive={isActive}
          />
        ))}
    </>
  );
}

interface PlaceProps {
  rules: Rules;
  upload: UploadRules;
  session: number;
  isShown: boolean;
  isActive: boolean;
}

function Place({ rules, upload, session, isShown, isActive }: PlaceProps) {
  const gallery = useRef<GalleryHandle>(null);
  return (
    <div hidden={!isShown}>
      <UploadPanel
        rules={rules}
        upload={upload}
        isActive={isActive && isShown}
        onStored={(item, name) => gallery.current?.add(item, name)}
      />
      <Gallery upload={upload} session={session} handle={gallery} />
    </div>
  );
}
