"""Where sampler_bench is at home in other harnesses; each of these modules needs the harness installed."""
