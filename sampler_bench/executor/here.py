"""Work done in this process, one item after another."""

from collections.abc import Callable, Generator, Iterable

from sampler_bench.executor.executor import Item, Result


class Here:
    """Works each item off as its result is asked for."""

    def map(
        self,
        function: Callable[[Item], Result],
        items: Iterable[Item],
        waiting: int | None = None,  # noqa: ARG002  one at a time, whatever it does
    ) -> Generator[tuple[Item, Result], None, None]:
        """As ``Executor.map``; results come in the order of the items."""
        for item in items:
            yield item, function(item)
