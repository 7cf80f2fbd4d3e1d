"""Other protocols as projections of the same log: our SSE, and OpenAI's chat completions. None has a stream path of its own."""
