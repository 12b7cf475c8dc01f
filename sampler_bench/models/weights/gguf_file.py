"""What stands in a GGUF file: metadata by key, and tensors by name."""

from pathlib import Path
from typing import Any

import numpy as np

from sampler_bench.errors import ModelError


class GgufFile:
    """A GGUF file, its tensors read as they are asked for.

    Attributes
    ----------
    metadata : dict
        Values by key, lists as lists.
    shapes : dict
        The tensors' shapes by name, the last axis the one that lies together.
    types : dict
        How they are stored, as in ``F32`` or ``Q4_K``.

    Raises
    ------
    ModelError
        If the file is damaged, or one of several parts.
    """

    def __init__(self, path: Path):
        from gguf import GGUFReader

        self.path = path
        try:
            reader = GGUFReader(path)
            self.metadata: dict[str, Any] = {
                name: field.contents()
                for name, field in reader.fields.items()
                if not name.startswith("GGUF.")
            }
        except Exception as error:  # whatever the reader runs into: it checks little
            raise ModelError(f"the file is damaged or no GGUF file ({error})") from error
        if self.metadata.get("split.count", 1) > 1:
            raise ModelError(
                "the file is one of several parts: join them with `llama-gguf-split --merge` of llama.cpp"
            )
        self._tensors = {tensor.name: tensor for tensor in reader.tensors}
        self.types = {name: tensor.tensor_type.name for name, tensor in self._tensors.items()}
        self.shapes = {
            name: tuple(int(size) for size in reversed(tensor.shape))
            for name, tensor in self._tensors.items()
        }

    def __getitem__(self, key: str) -> Any:
        """The metadata of a key. Raises ModelError if the file does not say."""
        if key not in self.metadata:
            raise ModelError(f"the file does not say what its {key} is")
        return self.metadata[key]

    def tensor(self, name: str) -> np.ndarray:
        """A tensor's values, dequantised; float32. Raises ModelError if that is not known how."""
        from gguf import dequantize

        tensor = self._tensors[name]
        try:
            return dequantize(tensor.data, tensor.tensor_type).reshape(self.shapes[name])
        except (NotImplementedError, ValueError) as error:
            raise ModelError(
                f"its tensor {name}, of type {self.types[name]}, cannot be read: {error}"
            ) from error
