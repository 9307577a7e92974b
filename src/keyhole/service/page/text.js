// Every word that a person reads on the page.

const units = ["bytes", "KiB", "MiB", "GiB"];
const days = new Intl.DateTimeFormat("en", { dateStyle: "medium" });
const moments = new Intl.DateTimeFormat("en", { dateStyle: "medium", timeStyle: "short" });
const formats = { "image/webp": "WebP" };
const list = new Intl.ListFormat("en", { type: "disjunction" });

export function showBytes(count) {
  let size = count;
  let unit = 0;
  while (size >= 1024 && unit < units.length - 1) {
    size /= 1024;
    unit += 1;
  }
  return `${Number(size.toPrecision(3))} ${units[unit]}`;
}

export const showDay = (date) => days.format(date);
export const showMoment = (date) => moments.format(date);

const showType = (type) => formats[type] ?? type.replace("image/", "").toUpperCase();
const showTypes = (types) => list.format(types.map(showType));

function showDuration(seconds) {
  if (seconds < 120) return `${seconds} seconds`;
  return seconds < 7200 ? `${Math.round(seconds / 60)} minutes` : `${Math.round(seconds / 3600)} hours`;
}

// The service speaks in lower case without a final period; on a page it is a sentence.
export function sentence(words) {
  const trimmed = words.trim();
  if (!trimmed) return "";
  return trimmed[0].toUpperCase() + trimmed.slice(1) + (/[.!?]$/.test(trimmed) ? "" : ".");
}

export const text = {
  skip: "Skip to the images",
  dropTitle: "Drop images here",
  dropHow: "or paste them, or choose them from this device",
  dropNow: "Let go to upload",
  choose: "Choose images",
  transfers: "Uploads",
  gallery: "Images",
  emptyTitle: "Nothing here yet",
  emptyHow: "The first image you upload appears here, with a link to share.",
  older: "Show older images",
  copy: "Copy link",
  copied: "Copied",
  remove: "Delete",
  undo: "Undo",
  removed: "Deleted",
  retry: "Try again",
  dismiss: "Dismiss",
  cancel: "Cancel",
  waiting: "Waiting",
  storing: "Storing",
  done: "Uploaded",
  failed: "Not uploaded",
  stopped: "Cancelled",
  broken: "This image cannot be shown",
  listFailed: "The images cannot be listed.",
  unreachable: "the service cannot be reached",
  unreachableHint: "check the connection, then try again",
  pastedName: "Pasted image",
  publicAudience: "Public: everyone who has an image’s link can see it",
  privateAudience: (seconds) => `Private: a link works for ${showDuration(seconds)}`,
  limits: (types, bytes) => `${showTypes(types)}, up to ${showBytes(bytes)} each`,
  count: (shown, hasMore) => (hasMore ? `the newest ${shown}` : `${shown}`),
  imageOf: (date) => `Image uploaded ${showMoment(date)}`,
  sent: (share) => `${Math.floor(share * 100)} %`,
  tooLarge: (bytes, max) => `the file has ${showBytes(bytes)}, and ${showBytes(max)} is the most`,
  tooLargeHint: "make it smaller, then try again",
  progressOf: (name) => `Upload of ${name}`,
  copyOf: (name) => `Copy link: ${name}`,
  removeOf: (name) => `Delete: ${name}`,
  undoOf: (name) => `Undo: keep ${name}`,
  retryOf: (name) => `Try again: ${name}`,
  dismissOf: (name) => `Dismiss: ${name}`,
  cancelOf: (name) => `Cancel: ${name}`,
  saidDone: (name) => `${name} is uploaded.`,
  saidFailed: (name, why) => `${name} is not uploaded. ${why}`,
  saidRemoved: (name) => `${name} will be deleted. Undo is the next button.`,
  saidGone: (name) => `${name} is deleted.`,
  saidKept: (name) => `${name} is kept.`,
  saidCopied: "The link is copied.",
  notCopied: "The browser does not let this page copy. Open the image, and copy its address.",
};
