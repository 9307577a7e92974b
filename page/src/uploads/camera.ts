// Pictures from the camera: loaded only where there is one.

import Webcam from "@uppy/webcam";
import "@uppy/webcam/css/style.min.css";
import type { Files } from "./transport";

export function addCamera(files: Files, types: string[]): void {
  const type = types.includes("image/jpeg") ? "image/jpeg" : (types[0] ?? null);
  files.use(Webcam, { modes: ["picture"], preferredImageMimeType: type, showVideoSourceDropdown: true });
}
