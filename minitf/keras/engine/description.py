"""Looking at models, and making configs and files of them."""

from collections.abc import Callable
from typing import Any


class Description:
    """Mixed into Model."""

    def summary(self, line_length: int | None = None, positions: Any = None, print_fn: Callable | None = None,
                expand_nested: bool = False, show_trainable: bool = False) -> None:  # fmt: skip
        """Prints the layers, their output shapes and parameter counts.

        Raises ValueError before the model is built.
        """
        from minitf.keras.utils.layer_utils import print_summary

        if not self.built:
            raise ValueError(
                "This model has not yet been built. Build the model first by calling `build()` or by calling "
                "the model on a batch of data."
            )
        print_summary(self, line_length, positions, print_fn, expand_nested, show_trainable)

    def get_config(self) -> dict[str, Any]:
        """The configs of the layers and how they are connected. Raises NotImplementedError if subclassed."""
        from minitf.keras.saving.functional import network_config

        if not self._is_graph_network:
            raise NotImplementedError(
                f"Model {type(self).__name__} is a subclassed model: override `get_config` to describe it."
            )
        return network_config(self)

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict | None = None) -> Any:
        """A model made from what `get_config` returned."""
        from minitf.keras.saving.functional import network_from_config

        if "layers" not in config:
            return cls(**config)
        return network_from_config(cls, config, custom_objects)

    def to_json(self, **kwargs: Any) -> str:
        """The architecture as JSON: `keras.models.model_from_json` makes it again."""
        from minitf.keras.saving.model_config import model_to_json

        return model_to_json(self, **kwargs)

    def to_yaml(self, **kwargs: Any) -> str:
        """Removed from Keras for its risk; raises RuntimeError."""
        raise RuntimeError(
            "Method `model.to_yaml()` has been removed due to security risk of arbitrary code execution. "
            "Please use `model.to_json()` instead."
        )

    def save(self, filepath: Any, overwrite: bool = True, include_optimizer: bool = True,
             save_format: str | None = None, **kwargs: Any) -> None:  # fmt: skip
        """Saves the whole model; see `keras.models.save_model`."""
        from minitf.keras.saving.save import save_model

        save_model(self, filepath, overwrite, include_optimizer, save_format, **kwargs)

    def save_weights(self, filepath: Any, overwrite: bool = True, save_format: str | None = None) -> None:
        """Saves the weights; see `load_weights`."""
        from minitf.keras.saving.save import save_weights

        save_weights(self, filepath, overwrite, save_format)

    def load_weights(self, filepath: Any, by_name: bool = False, skip_mismatch: bool = False) -> None:
        """Loads weights, in the order of the layers or `by_name` of the layer."""
        from minitf.keras.saving.save import load_weights

        load_weights(self, filepath, by_name, skip_mismatch)
