"""Which units were done."""

from collections.abc import Iterable

import numpy as np

ID = "S24"  # a unit's id: 24 hexadecimal digits


class Done:
    """The ids of units, in 24 bytes each."""

    def __init__(self, ids: Iterable[str]):
        self._ids = np.sort(np.array(list(ids), ID))

    def __len__(self) -> int:
        return len(self._ids)

    def __contains__(self, unit_id: str) -> bool:
        place = np.searchsorted(self._ids, unit_id.encode())
        return bool(place < len(self._ids) and self._ids[place] == unit_id.encode())
