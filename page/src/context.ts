// What every part of the page needs: the words of the language, the colours, and a voice for screen readers.

import { createContext } from "preact";
import { useContext } from "preact/hooks";
import { type Showing, makeShowing } from "./showing";
import type { Words } from "./words";
import { english } from "./words.en";

export type Theme = "auto" | "light" | "dark";

export interface Surroundings {
  words: Words;
  showing: Showing;
  theme: Theme;
  announce: (words: string) => void;
}

const plain: Surroundings = { words: english, showing: makeShowing("en"), theme: "auto", announce: () => {} };

export const SurroundingsContext = createContext<Surroundings>(plain);

export const useSurroundings = (): Surroundings => useContext(SurroundingsContext);
