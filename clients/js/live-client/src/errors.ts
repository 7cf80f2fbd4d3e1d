/**
 * One error class for everything that fails: `code` is the wire's in upper case.
 * Two are the client's own: `DISCONNECTED`, the connection ended before the server answered, and `NO_WEBSOCKET`, this
 * runtime has none and no package for it.
 */

import type { ErrorCode } from "./protocol.generated";

export type LiveErrorCode = Uppercase<ErrorCode> | "DISCONNECTED" | "NO_WEBSOCKET";

export interface LiveErrorDetails {
  /** The same request may succeed later. */
  retryable?: boolean;
  /** Seconds to wait before trying again, where the server says. */
  retryAfter?: number | null;
  /** The input at fault. */
  field?: string | null;
  /** The stream that failed. */
  stream?: string;
  /** The text that arrived before it failed. */
  text?: string;
  cause?: unknown;
}

/** Members that an `error` reply, an `error` event and a REST error have in common. */
export interface WireErrorBody {
  code: string;
  message?: string | null;
  retryable?: boolean | null;
  retry_after?: number | null;
  field?: string | null;
}

export class LiveError extends Error {
  override readonly name = "LiveError";
  readonly code: LiveErrorCode;
  readonly retryable: boolean;
  readonly retryAfter: number | null;
  readonly field: string | null;
  readonly stream: string | undefined;
  readonly text: string | undefined;

  constructor(code: LiveErrorCode, message: string, details: LiveErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.retryable = details.retryable ?? false;
    this.retryAfter = details.retryAfter ?? null;
    this.field = details.field ?? null;
    this.stream = details.stream;
    this.text = details.text;
  }

  /** The error that a wire object describes. */
  static fromWire(body: WireErrorBody, details: LiveErrorDetails = {}): LiveError {
    const message = body.message ?? `The server refused this: ${body.code}.`;
    return new LiveError(body.code.toUpperCase() as LiveErrorCode, message, {
      retryable: body.retryable ?? false,
      retryAfter: body.retry_after ?? null,
      field: body.field ?? null,
      ...details,
    });
  }

  /** Whatever was thrown, as a LiveError. */
  static from(reason: unknown): LiveError {
    if (reason instanceof LiveError) return reason;
    const message = reason instanceof Error ? reason.message : String(reason);
    return new LiveError("INTERNAL", message, { cause: reason });
  }
}
