import { AIChat, StreamingText } from "@hanzo/ui";
import { HanzoLiveProvider } from "@hanzo/live";

export function App() {
  return (
    <HanzoLiveProvider url="ws://localhost:3001" model="llama-3-8b">
      {/* AIChat automatically uses Hanzo Live for streaming */}
      <AIChat streaming showThoughts enableTools />

      {/* Or use individual streaming components */}
      <StreamingText source="hanzo-live" onToken={(token) => console.warn(token)} />
    </HanzoLiveProvider>
  );
}
