import { useStreamingProgress } from "@hanzo/live";
// Mended: the component comes from somewhere.
import { ProgressBar } from "@hanzo/live-ui";

export function ProgressiveChat() {
  const {
    progress, // 0-100 completion percentage
    estimatedTime, // ETA in seconds
    tokensGenerated, // Tokens so far
    totalTokens, // Expected total
    start, // Mended: something has to ask
  } = useStreamingProgress({
    model: "llama-3-70b",
    maxTokens: 1000,
  });

  return (
    <div>
      <ProgressBar value={progress} max={100} />
      <div className="stats">
        <span>
          {tokensGenerated} / {totalTokens} tokens
        </span>
        <span>ETA: {estimatedTime}s</span>
      </div>
      <button onClick={() => void start("Tell me about rivers")}>Ask</button>
    </div>
  );
}
