"""Pages of long tables in the admin panel, without counting them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.utils.functional import cached_property

if TYPE_CHECKING:
    Pages = Paginator[Any]  # generic in the stubs only
else:
    Pages = Paginator

# Nobody turns this many pages: filters and search find what is further back.
MAX_COUNTED = 5_000


class BoundedPaginator(Pages):
    """Counts no further than MAX_COUNTED rows, and shows no more. The database stops there too, however many there are."""

    template_name = "admin/pagination_bounded.html"

    @cached_property
    def count(self) -> int:
        rows = self.object_list
        assert isinstance(rows, QuerySet)
        return rows.order_by()[:MAX_COUNTED].count()

    @property
    def is_cut(self) -> bool:
        """Whether there may be more rows than are shown."""
        return self.count == MAX_COUNTED
