"""What every way to work gives: a function over items, few of them at a time."""

from collections.abc import Callable, Generator, Iterable
from typing import Protocol, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


class Executor(Protocol):
    """Works items off: ``Here``, ``Processes``, ``Ray``, or a class of one's own."""

    def map(
        self, function: Callable[[Item], Result], items: Iterable[Item], waiting: int | None = None
    ) -> Generator[tuple[Item, Result], None, None]:
        """Each item with the function's result, as they are finished.

        Parameters
        ----------
        function : callable
            Of one item. It may run in another process, on a copy of the item.
        items : iterable
            Taken as there is room for them: it may be endless.
        waiting : int, optional
            How many may be on their way if they do little but wait; by default a few for each core.

        Returns
        -------
        generator of (item, result)
            Closed early, it takes no more items, and what is on its way is given up.

        Raises
        ------
        SamplerBenchError
            The first that the function raised, as any other exception of its; or that of the executor
            itself, if it lost what it was given. No item is taken after it.
        """
        ...
