import { afterEach, describe, expect, it, vi } from "vitest";
import { newKey } from "../src/key";

describe("a key", () => {
  afterEach(() => vi.unstubAllGlobals());

  it.each(["with crypto", "without it, as on Node 18"])("is 32 hexadecimal digits and never the same: %s", (how) => {
    if (how !== "with crypto") vi.stubGlobal("crypto", undefined);
    const keys = Array.from({ length: 1000 }, newKey);
    expect(new Set(keys).size).toBe(1000);
    for (const key of keys) expect(key).toMatch(/^[0-9a-f]{32}$/);
  });
});
