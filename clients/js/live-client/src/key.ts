/**
 * Idempotency keys: 128 random bits, also on pages without TLS, where `crypto.randomUUID` is missing, and on Node 18, which
 * has no global `crypto`. They have to differ, not to be secret.
 */

export function newKey(): string {
  const random = (globalThis as { crypto?: Crypto }).crypto;
  const bytes = new Uint8Array(16);
  if (random) random.getRandomValues(bytes);
  else for (let n = 0; n < bytes.length; n++) bytes[n] = Math.random() * 256;
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
