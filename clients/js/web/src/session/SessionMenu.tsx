/** The menu of a session's page: its settings, what one may do with it as a whole, its transcript, and the theme. */

import type { LiveError, Role, SessionInfo } from "@hanzo/live-client";
import { Dialog, More } from "@hanzo/live-ui";
import { useState, type ReactElement } from "react";
import type { ModelInfo } from "../api/resources";
import type { PageConfig } from "../config";
import { useSessionCommands, type SessionChange } from "../dialogs/use-session-commands";
import { useThemeItem } from "../theme/theme-item";
import { Menu, type MenuItem } from "../ui/Menu";
import { SettingsDialog } from "./SettingsDialog";

interface SessionMenuProps {
  session: SessionInfo;
  role: Role;
  models: readonly ModelInfo[];
  config: PageConfig;
}

export function SessionMenu({ session, role, models, config }: SessionMenuProps): ReactElement {
  const [settingsOpen, setSettingsOpen] = useState(false);
  const [error, setError] = useState<LiveError | null>(null);
  const onDone = (change: SessionChange) => {
    if (change === "deleted" || change === "left") location.assign(config.urls.home);
  };
  const { items, dialog } = useSessionCommands({ ...session, role }, config.user.id, onDone, setError);
  const theme = useThemeItem();
  const settings: MenuItem = {
    kind: "action",
    label: role === "owner" ? "Settings" : "About this session",
    onSelect: () => setSettingsOpen(true),
  };
  const transcript = `/v1/sessions/${session.id}/transcript?format=`;
  const last = items.findIndex(({ kind }) => kind === "line");
  return (
    <>
      <Menu
        label="Session menu"
        items={[
          settings,
          ...items.slice(0, last),
          { kind: "line" },
          { kind: "link", label: "Transcript as a page", href: `${transcript}html`, download: true },
          { kind: "link", label: "Transcript as Markdown", href: `${transcript}markdown`, download: true },
          { kind: "line" },
          theme,
          ...items.slice(last),
        ]}
      >
        <More />
      </Menu>
      {dialog}
      {settingsOpen && (
        <SettingsDialog
          session={session}
          models={models}
          canManage={role === "owner"}
          onClose={() => setSettingsOpen(false)}
        />
      )}
      {error && (
        <Dialog title="That did not work" onClose={() => setError(null)}>
          <p>{error.message}</p>
        </Dialog>
      )}
    </>
  );
}
