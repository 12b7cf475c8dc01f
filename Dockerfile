# The reference samplers, the truth and the scores on any machine, and models behind a URL:
#
#     docker build --tag sampler-bench .
#     docker run --rm --read-only --tmpfs /tmp --volume "$PWD/results:/work/results" sampler-bench \
#         run quick --model oracle --model uniform-digits
#
# Models are served elsewhere (--base-url), by vLLM's own image, say. /work is what a run writes to.
FROM python:3.12-slim AS build
WORKDIR /source
COPY pyproject.toml README.md LICENSE ./
COPY sampler_bench sampler_bench
COPY tasks tasks
RUN python -m venv /opt/sampler-bench && /opt/sampler-bench/bin/pip install --no-cache-dir .

FROM python:3.12-slim
COPY --from=build /opt/sampler-bench /opt/sampler-bench
# Kernels are compiled once, here: the root is read-only when it runs. HOME is where caches go.
RUN useradd --create-home --uid 1000 sampler && mkdir --parents /work/results && chown --recursive sampler /work
USER sampler
ENV PATH=/opt/sampler-bench/bin:$PATH
WORKDIR /work
RUN sampler-bench run quick --model oracle --model uniform-digits --out /tmp/warm && rm -r /tmp/warm
ENTRYPOINT ["sampler-bench"]
CMD ["--help"]
