"""What can be measured: reference samplers, and language models behind a vLLM server."""
