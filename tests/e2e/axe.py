"""axe-core in the browser: what is wrong with a page for those who do not see it, or see it differently."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from playwright.sync_api import Page

SOURCE = Path(__file__).parents[2] / "clients" / "js" / "node_modules" / "axe-core" / "axe.min.js"
# Colours are measured when they have come to rest.
AT_REST = "() => Promise.all(document.getAnimations().map((animation) => animation.finished.catch(() => undefined)))"
RUN = """async () => {
    const { violations } = await axe.run(document, { resultTypes: ['violations'] });
    return violations
        .filter(({ impact }) => impact === 'serious' || impact === 'critical')
        .flatMap(({ id, help, nodes }) =>
            nodes.map(({ html, failureSummary }) => `${id}: ${help}\\n${html.slice(0, 300)}\\n${failureSummary}`));
}"""


@cache
def source() -> str:
    return SOURCE.read_text("utf-8")


def problems(page: Page) -> list[str]:
    """What axe finds serious or critical on the page as it is now."""
    if not page.evaluate("() => 'axe' in window"):
        # By the debugger's protocol: the pages' own policy allows no script but the server's.
        page.evaluate(source())
    page.evaluate(AT_REST)
    found: list[str] = page.evaluate(RUN)
    return found
