// Files may be dropped or pasted anywhere on the page: one that misses the panel must not make the browser leave.

const hasFiles = (event: DragEvent): boolean => event.dataTransfer?.types.includes("Files") ?? false;

export function takeFilesAnywhere(
  panel: HTMLElement,
  add: (files: File[]) => void,
  showOver: (isOver: boolean) => void,
): () => void {
  const stopping = new AbortController();
  const { signal } = stopping;
  const isPanels = (event: Event): boolean => event.target instanceof Node && panel.contains(event.target);
  let depth = 0; // dragenter and dragleave also come from every element that is crossed
  const show = (crossed: number): void => {
    depth = Math.max(crossed, 0);
    showOver(depth > 0);
  };
  addEventListener("dragenter", (event) => hasFiles(event) && show(depth + 1), { signal });
  addEventListener("dragleave", (event) => hasFiles(event) && show(depth - 1), { signal });
  addEventListener("dragover", (event) => hasFiles(event) && event.preventDefault(), { signal });
  // First of all, because the panel keeps to itself what is dropped on it.
  addEventListener("drop", () => show(0), { signal, capture: true });
  addEventListener(
    "drop",
    (event) => {
      if (!hasFiles(event) || isPanels(event)) return;
      event.preventDefault();
      add([...event.dataTransfer!.files]);
    },
    { signal },
  );
  addEventListener(
    "paste",
    (event) => {
      const files = [...(event.clipboardData?.files ?? [])];
      if (files.length === 0 || panel.contains(document.activeElement)) return;
      event.preventDefault();
      add(files);
    },
    { signal },
  );
  return () => stopping.abort();
}
