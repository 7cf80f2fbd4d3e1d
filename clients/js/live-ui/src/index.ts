/** The public face of `@hanzo/live-ui`. Its look is in `@hanzo/live-ui/styles.css`. */

export { AIChat, type AIChatProps } from "./chat/AIChat";
export { StreamingText, type StreamingTextProps } from "./answer/StreamingText";
export { Markdown } from "./markdown/Markdown";
export { Thoughts, type ThoughtsProps } from "./answer/Thoughts";
export {
  ToolCall,
  ToolCalls,
  type DecideTool,
  type ToolCallProps,
  type ToolCallsProps,
} from "./answer/ToolCalls";
export { ProgressBar, type ProgressBarProps } from "./ui/ProgressBar";
export { ErrorMessage, type ErrorMessageProps } from "./ui/ErrorMessage";
export { CheckMark, Spinner, StreamingIndicator, TypingIndicator } from "./ui/signs";
export { Avatar, type AvatarProps } from "./ui/Avatar";
export { PresenceBar } from "./presence/PresenceBar";
export { TypingLine } from "./presence/TypingLine";
export { Cursors, type CursorsProps } from "./cursors/Cursors";
export { SharedComposer, type SharedComposerProps } from "./draft/SharedComposer";
export { InviteDialog, type InviteDialogProps } from "./invite/InviteDialog";
export { InvitePeople, type InvitePeopleProps } from "./invite/InvitePeople";
export { ROLES } from "./invite/roles";
export { Dialog, FIRST } from "./ui/Dialog";
export { Field } from "./ui/Field";
export { clockTime, dayNumber, dayText, fullTime, relativeTime } from "./ui/relative-time";
export { useNow } from "./ui/use-now";
export { CopyButton } from "./ui/CopyButton";
export { copyText } from "./ui/copy-text";
export { useGrowing } from "./ui/use-growing";
export { useStickToEnd, type StickToEnd } from "./ui/use-stick-to-end";
export * from "./ui/icons";
