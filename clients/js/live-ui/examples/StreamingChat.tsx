import { useStreamingCompletion } from "@hanzo/live";

export function StreamingChat() {
  const {
    content, // Current accumulated content
    isStreaming, // Is actively streaming?
    tokensPerSecond, // Real-time speed metric
    stop, // Cancel stream
    start, // Mended: something has to ask
  } = useStreamingCompletion({
    model: "llama-3-8b",
    onToken: (token) => {
      // Called for each token
      console.warn("Token:", token);
    },
    onComplete: (fullText) => {
      // Called when stream ends
      console.warn("Complete:", fullText);
    },
  });

  return (
    <div>
      <div className="content">{content}</div>
      {isStreaming && (
        <div className="metrics">
          {tokensPerSecond.toFixed(1)} tokens/sec
          <button onClick={() => void stop()}>Stop</button>
        </div>
      )}
      <button onClick={() => void start("Tell me about rivers")}>Ask</button>
    </div>
  );
}
