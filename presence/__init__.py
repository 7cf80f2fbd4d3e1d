"""Who is here now, and the shared draft. Knows nothing of streams: it is handed what tells its viewers."""
