import { useHanzoLive } from "@hanzo/live";

export function ChatApp() {
  const { messages, isStreaming, sendMessage } = useHanzoLive({
    url: "ws://localhost:3001",
    model: "llama-3-8b",
  });

  return (
    <div>
      {messages.map((msg, i) => (
        <div key={i}>
          <strong>{msg.role}:</strong> {msg.content}
        </div>
      ))}

      {isStreaming && <div>AI is typing...</div>}

      <input
        aria-label="Message"
        onKeyDown={(e) => {
          if (e.key === "Enter") {
            // Mended: TypeScript does not know that the event's target is this field; its current target is.
            void sendMessage(e.currentTarget.value);
          }
        }}
      />
    </div>
  );
}
