import type { ToolCallState } from "@hanzo/live-client";
import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import axe from "axe-core";
import { describe, expect, it, vi } from "vitest";
import {
  Avatar,
  CheckMark,
  ErrorMessage,
  ProgressBar,
  Spinner,
  StreamingIndicator,
  Thoughts,
  ToolCall,
  TypingIndicator,
} from "../src";

const call: ToolCallState = {
  call: "c1",
  tool: "search_web",
  args: { query: "rivers" },
  args_text: "",
  status: "complete",
  user: null,
  result: { found: 2 },
  error: null,
  duration_ms: 12,
};

describe("ProgressBar", () => {
  it("says how far it is", () => {
    render(<ProgressBar value={40} max={200} label="Upload" />);
    expect(screen.getByRole("progressbar", { name: "Upload" })).toMatchObject({ value: 40, max: 200 });
  });

  it.each([[{}], [{ value: null }], [{ value: NaN }], [{ value: 40, indeterminate: true }]])(
    "says that it cannot tell with %o",
    (props) => {
      render(<ProgressBar {...props} />);
      expect(screen.getByRole("progressbar").hasAttribute("value")).toBe(false);
    },
  );
});

describe("ErrorMessage", () => {
  it("offers to try again only where that is possible", async () => {
    const onRetry = vi.fn();
    const { rerender } = render(<ErrorMessage error={{ message: "It failed." }} onRetry={onRetry} />);
    expect(screen.getByRole("alert").textContent).toContain("It failed.");
    await userEvent.click(screen.getByRole("button", { name: "Retry" }));
    expect(onRetry).toHaveBeenCalledOnce();
    rerender(<ErrorMessage error={{ message: "It failed." }} />);
    expect(screen.queryByRole("button")).toBeNull();
  });
});

describe("Thoughts", () => {
  it("are open while the model thinks, and stay as the reader chose", async () => {
    const { rerender } = render(<Thoughts thoughts={["One."]} isThinking />);
    expect(screen.getByRole("listitem").textContent).toBe("One.");
    rerender(<Thoughts thoughts={["One."]} thoughtMs={3000} />);
    expect(screen.queryByRole("listitem")).toBeNull();
    await userEvent.click(screen.getByRole("button", { name: "Thought for 3 s" }));
    rerender(<Thoughts thoughts={["One.", "Two."]} thoughtMs={3000} />);
    expect(screen.getAllByRole("listitem")).toHaveLength(2);
  });
});

describe("Avatar", () => {
  it("is a picture, else initials", () => {
    const { container, rerender } = render(<Avatar src="/ada.png" name="Ada Lovelace" />);
    expect(container.querySelector("img")?.getAttribute("src")).toBe("/ada.png");
    rerender(<Avatar src={null} name="Ada Lovelace" />);
    expect(container.querySelector("[data-initials]")?.getAttribute("data-initials")).toBe("AL");
  });
});

it("has nothing that a checker of accessibility objects to", async () => {
  const { container } = render(
    <main>
      <h1>Components</h1>
      <Thoughts thoughts={["One."]} isThinking />
      <ToolCall call={call} />
      <ToolCall call={{ ...call, call: "c2", status: "awaiting_approval" }} decide={() => Promise.resolve()} />
      <ProgressBar value={40} />
      <ProgressBar indeterminate />
      <ErrorMessage error={{ message: "It failed." }} onRetry={() => undefined} />
      <Spinner />
      <CheckMark />
      <StreamingIndicator />
      <TypingIndicator />
    </main>,
  );
  // jsdom has no colours.
  const { violations } = await axe.run(container, { rules: { "color-contrast": { enabled: false } } });
  expect(violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)])).toEqual([]);
});
