import type { Invitation, Invitations } from "@hanzo/live";
import { LiveError } from "@hanzo/live-client";
import { render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import axe from "axe-core";
import { expect, it, vi } from "vitest";
import { InviteDialog } from "../src";

const mailed: Invitation = {
  id: "i1",
  email: "grace@example.com",
  role: "viewer",
  max_uses: 1,
  uses: 0,
  mail: "failed",
  expires_at: new Date(Date.now() + 3 * 86_400_000 + 3_600_000).toISOString(),
};
const link: Invitation = { ...mailed, id: "i2", email: null, max_uses: 5, uses: 2, mail: null };

function open(fields: Partial<Invitations> = {}, isArchived = false) {
  const onClose = vi.fn();
  const invitations: Invitations = {
    invitations: [],
    error: null,
    add: () => Promise.reject(new LiveError("BAD_REQUEST", "No such address.", { field: "email" })),
    makeLink: () => Promise.resolve({ ...link, url: "https://live.example.com/join/x" }),
    revoke: () => Promise.resolve(),
    ...fields,
  };
  const view = render(<InviteDialog invitations={invitations} isArchived={isArchived} onClose={onClose} />);
  return { ...view, onClose };
}

const dialog = () => screen.getByRole("dialog", { name: "Invite people" });

it("brings in who has an account, and gives the link of who has none", async () => {
  const add = vi
    .fn<Invitations["add"]>()
    .mockResolvedValueOnce({ kind: "added", user: { id: "u", name: "Ada", avatar: null } })
    .mockResolvedValueOnce({ kind: "invited", invitation: { ...mailed, url: "https://live.example.com/join/y" } });
  open({ add });
  const address = screen.getByLabelText("Add by e-mail");
  await userEvent.type(address, "ada@example.com{Enter}");
  await waitFor(() => expect(dialog().textContent).toContain("Ada was added."));
  expect(add).toHaveBeenLastCalledWith("ada@example.com", "editor");
  await userEvent.selectOptions(screen.getByLabelText("Role"), "viewer");
  await userEvent.type(address, "grace@example.com{Enter}");
  expect(await screen.findByDisplayValue("https://live.example.com/join/y")).toBeTruthy();
  expect(add).toHaveBeenLastCalledWith("grace@example.com", "viewer");
});

it("says at the field what is wrong with an address", async () => {
  open();
  const address = screen.getByLabelText("Add by e-mail");
  await userEvent.type(address, "nobody@example.com{Enter}");
  await waitFor(() => expect(address.getAttribute("aria-invalid")).toBe("true"));
  expect(screen.getByRole("alert").textContent).toBe("No such address.");
  expect(address).toHaveProperty("value", "nobody@example.com");
});

it("makes a link", async () => {
  open();
  await userEvent.click(screen.getByText("Invite by a link"));
  await userEvent.click(screen.getByRole("button", { name: "Make a link" }));
  expect(await screen.findByDisplayValue("https://live.example.com/join/x")).toBeTruthy();
});

it("lists who was invited, takes one back, and says where that failed", async () => {
  const revoke = vi
    .fn<Invitations["revoke"]>()
    .mockRejectedValueOnce(new LiveError("FORBIDDEN", "Only owners may do this."));
  open({ invitations: [mailed, link], revoke });
  const [first, second] = screen.getAllByRole("listitem").map(({ textContent }) => textContent);
  expect(first).toContain("Viewer · the mail could not be sent · ends in 3 days");
  expect(second).toContain("By a link");
  expect(second).toContain("used 2 of 5 times");
  await userEvent.click(screen.getByRole("button", { name: "Revoke the invitation of grace@example.com" }));
  expect(revoke).toHaveBeenCalledWith("i1");
  expect((await screen.findByRole("alert")).textContent).toBe("Only owners may do this.");
});

it("invites nobody to an archived session", () => {
  open({ invitations: [link] }, true);
  expect(screen.queryByLabelText("Add by e-mail")).toBeNull();
  expect(screen.getByRole("button", { name: "Revoke the invitation by a link" })).toBeTruthy();
});

it("asks to be closed by Escape and by its button", async () => {
  const { onClose } = open();
  dialog().dispatchEvent(new Event("cancel"));
  await userEvent.click(screen.getByRole("button", { name: "Close" }));
  expect(onClose).toHaveBeenCalledTimes(2);
});

it("has nothing that a checker of accessibility objects to", async () => {
  const { container } = open({ invitations: [mailed, link] });
  // jsdom has no colours.
  const { violations } = await axe.run(container, {
    rules: { "color-contrast": { enabled: false }, region: { enabled: false } },
  });
  expect(violations.map(({ id }) => id)).toEqual([]);
});
