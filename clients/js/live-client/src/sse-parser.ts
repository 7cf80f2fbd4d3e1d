/** Server-sent events out of the text of a response, as the HTML standard has them. Pure; knows no network. */

export interface ServerSentEvent {
  /** The last `id` so far: events without one do not change it. */
  id: string;
  type: string;
  data: string;
}

/** A server that sends a longer line is not ours. */
const MAX_LINE = 16 * 1024 * 1024;

export class SseParser {
  #rest = "";
  #id = "";
  #type = "";
  #data: string[] = [];

  /** The events that `text` completes. Throws where a line has no end. */
  push(text: string): ServerSentEvent[] {
    const lines = (this.#rest + text).split(/\r\n|\n|\r(?!$)/);
    this.#rest = lines.pop() ?? "";
    if (this.#rest.length > MAX_LINE) throw new Error("The server sent a line that is too long.");
    return lines.flatMap((line) => this.#line(line) ?? []);
  }

  #line(line: string): ServerSentEvent | null {
    if (line === "") return this.#dispatch();
    const colon = line.indexOf(":");
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (name === "id" && !value.includes("\0")) this.#id = value;
    else if (name === "event") this.#type = value;
    else if (name === "data") this.#data.push(value);
    return null;
  }

  #dispatch(): ServerSentEvent | null {
    const [id, type, data] = [this.#id, this.#type, this.#data];
    this.#type = "";
    this.#data = [];
    return data.length === 0 ? null : { id, type: type || "message", data: data.join("\n") };
  }
}
