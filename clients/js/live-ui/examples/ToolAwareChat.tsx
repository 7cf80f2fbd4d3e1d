import { useToolStream } from "@hanzo/live";
// Mended: the components come from somewhere.
import { CheckMark, Spinner } from "@hanzo/live-ui";

export function ToolAwareChat() {
  const {
    messages,
    toolCalls, // In-progress tool calls
    toolResults, // Completed tool results
    isExecuting, // Is executing tools?
    sendMessage, // Mended: something has to ask
  } = useToolStream({
    model: "gpt-4",
    tools: [
      {
        name: "search_web",
        description: "Search the web",
        parameters: { query: "string" },
        // Mended: run here what neither the server nor an MCP server has.
        execute: ({ query }) => `Found: ${String(query)}`,
      },
    ],
  });

  return (
    <div aria-busy={isExecuting}>
      {toolCalls.map((call, i) => (
        <div key={i} className="tool-call">
          <span className="tool-name">{call.name}</span>
          <span className="tool-args">{JSON.stringify(call.arguments)}</span>
          {call.status === "running" && <Spinner />}
          {call.status === "complete" && <CheckMark />}
        </div>
      ))}

      {toolResults.map((result, i) => (
        <div key={i} className="tool-result">
          {result.output}
        </div>
      ))}
      <p className="answer">{messages.at(-1)?.content}</p>
      <button onClick={() => void sendMessage("rivers")}>Ask</button>
    </div>
  );
}
