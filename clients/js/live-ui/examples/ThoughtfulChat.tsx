import { useThoughtStream } from "@hanzo/live";

export function ThoughtfulChat() {
  const {
    thoughts, // Array of thinking steps
    answer, // Final answer
    isThinking, // Is currently thinking?
    start, // Mended: something has to ask
  } = useThoughtStream({
    model: "qwen-2-7b",
    showThoughts: true,
  });

  return (
    <div>
      {thoughts.map((thought, i) => (
        <div key={i} className="thought">
          <span className="step">Step {i + 1}:</span> {thought}
        </div>
      ))}

      {isThinking && <div className="loader">Thinking...</div>}

      {answer && (
        <div className="answer">
          <strong>Answer:</strong> {answer}
        </div>
      )}
      <button onClick={() => void start("Why do rivers bend?")}>Ask</button>
    </div>
  );
}
