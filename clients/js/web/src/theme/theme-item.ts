/** The themes as a part of a menu. */

import type { MenuItem } from "../ui/Menu";
import type { Theme } from "./theme";
import { useTheme } from "./use-theme";

const NAMES: Record<Theme, string> = { system: "As the system", light: "Light", dark: "Dark" };

export function useThemeItem(): MenuItem {
  const [chosen, choose] = useTheme();
  const themes = Object.entries(NAMES) as [Theme, string][];
  return {
    kind: "choices",
    label: "Theme",
    choices: themes.map(([theme, label]) => ({
      label,
      chosen: theme === chosen,
      onSelect: () => choose(theme),
    })),
  };
}
