"""The REST views that start, read and stop streams, and OpenAI's two addresses."""
