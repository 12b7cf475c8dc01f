"""How long a request that fails is tried again."""

import time

import tenacity

from sampler_bench.models.engines.exchange import LostError, OverloadError

ATTEMPTS = 6  # at a request that is lost
PATIENCE_SECONDS = 3600.0  # with a server that puts a request off, saying for how long


class Patience(tenacity.stop.stop_base):
    """With one request: what is lost and what is put off are counted apart, for a pause is no failure."""

    def __init__(self):
        self._lost, self._first_put_off = 0, 0.0

    def __call__(self, retry_state: tenacity.RetryCallState) -> bool:
        """Whether it has come to an end."""
        error = retry_state.outcome and retry_state.outcome.exception()
        if isinstance(error, OverloadError) and error.pause:
            self._first_put_off = self._first_put_off or time.monotonic()
            return time.monotonic() - self._first_put_off >= PATIENCE_SECONDS
        self._lost += 1
        return self._lost >= ATTEMPTS


def retrying() -> tenacity.AsyncRetrying:
    """Attempts at one request, with growing pauses between them. The last error is raised as it is."""
    return tenacity.AsyncRetrying(
        retry=tenacity.retry_if_exception_type(LostError),
        stop=Patience(),
        wait=tenacity.wait_random_exponential(multiplier=0.5, max=10),
        reraise=True,
    )
