"""The tags that load a bundle entry: `{% stylesheets "src/…" %}`, `{% scripts "src/…" %}`, `{% early_script "src/…" %}`."""

from __future__ import annotations

from django import template
from django.templatetags.static import static
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from hanzolive.bundle import BundleMissing, entry

register = template.Library()


@register.simple_tag
def stylesheets(name: str) -> SafeString:
    """The entry's styles. None where nothing was built: pages of words are readable without."""
    try:
        styles = entry(name).styles
    except BundleMissing:
        styles = ()
    return format_html_join("\n", '<link rel="stylesheet" href="{}">', ((static(path),) for path in styles))


@register.simple_tag
def scripts(name: str) -> SafeString:
    """The entry's module and what it imports. Raises BundleMissing."""
    found = entry(name)
    preloads = format_html_join(
        "\n", '<link rel="modulepreload" href="{}">', ((static(path),) for path in found.preloads)
    )
    modules = format_html_join(
        "\n", '<script type="module" src="{}"></script>', ((static(path),) for path in found.scripts)
    )
    return preloads + modules


@register.simple_tag
def early_script(name: str) -> SafeString:
    """The entry as a script that runs before the page is painted, which modules do not. None where nothing was built.

    Only for entries that import nothing.
    """
    try:
        found = entry(name).scripts
    except BundleMissing:
        found = ()
    return format_html_join("\n", '<script src="{}"></script>', ((static(path),) for path in found))
