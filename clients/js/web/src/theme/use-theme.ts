/** The theme that the reader chose, and a way to choose another. */

import { useSyncExternalStore } from "react";
import type { Theme } from "./theme";

export function useTheme(): [Theme, (theme: Theme) => void] {
  const { watch, chosen, choose } = window.liveTheme;
  return [useSyncExternalStore(watch, chosen), choose];
}
