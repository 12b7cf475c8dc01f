"""How long a request that fails is tried again."""

import random
import time

import tenacity

from sampler_bench.models.engines.exchange import LostError, OverloadError

ATTEMPTS = 6  # at a request that is lost
FIRST_WAIT, LONGEST_WAIT = 0.5, 10.0  # seconds after one, at most; the wait doubles each time
PATIENCE_SECONDS = 3600.0  # with a server that puts a request off, saying for how long


class Patience:
    """With one request: what is lost and what is put off are counted apart, for a pause is no failure."""

    def __init__(self):
        self._lost, self._first_put_off = 0, 0.0
        self._was_put_off = False

    def bears(self, error: BaseException) -> bool:
        """Whether the request is tried again after an error, one more."""
        self._was_put_off = isinstance(error, OverloadError) and error.pause > 0
        if self._was_put_off:
            self._first_put_off = self._first_put_off or time.monotonic()
            return time.monotonic() - self._first_put_off < PATIENCE_SECONDS
        self._lost += 1
        return isinstance(error, LostError) and self._lost < ATTEMPTS

    def wait(self, _: tenacity.RetryCallState) -> float:
        """Seconds before it is tried again; none where the server has said when, for that is kept to."""
        if self._was_put_off:
            return 0.0
        return random.uniform(0, min(LONGEST_WAIT, FIRST_WAIT * 2 ** (self._lost - 1)))


def retrying() -> tenacity.AsyncRetrying:
    """Attempts at one request. The last error is raised as it is."""
    patience = Patience()
    return tenacity.AsyncRetrying(
        retry=tenacity.retry_if_exception(patience.bears), wait=patience.wait, reraise=True
    )
