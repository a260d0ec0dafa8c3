"""`TensorBoard`: logs, weights and the model's text as TensorBoard shows them, written by tensorboardX."""

import os
import time
import warnings
from typing import Any

import numpy as np

from minitf.keras.callbacks.base import Callback

_OF_KERAS_1 = ("write_grads", "embeddings_layer_names", "embeddings_data", "batch_size")


class TensorBoard(Callback):
    """Writes the logs into `log_dir`/train and `log_dir`/validation, for `tensorboard --logdir`.

    Each epoch gives `epoch_loss` and so on; with `update_freq` 'batch' or a number of batches, training
    batches give `batch_loss` too. Every `histogram_freq` epochs (0: never) the weights are written as
    histograms, and with `write_images` as pictures. `write_graph` writes the model's JSON as a text.

    Raises ImportError without tensorboardX (the extra `tensorboard`), when training starts.
    """

    def __init__(
        self,
        log_dir: Any = "logs",
        histogram_freq: int = 0,
        write_graph: bool = True,
        write_images: bool = False,
        write_steps_per_second: bool = False,
        update_freq: Any = "epoch",
        profile_batch: Any = 0,
        embeddings_freq: int = 0,
        embeddings_metadata: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__()
        unknown = set(kwargs) - set(_OF_KERAS_1)
        if unknown:
            raise ValueError(
                f"Unrecognized arguments in `TensorBoard` Callback: {unknown}. Supported kwargs are: "
                f"{set(_OF_KERAS_1)}"
            )
        for name in sorted(kwargs):
            if kwargs[name]:
                warnings.warn(f"TensorBoard: `{name}` of Keras 1 has no effect.", stacklevel=2)
        for name, value in (
            ("profile_batch", profile_batch),
            ("embeddings_freq", embeddings_freq),
            ("embeddings_metadata", embeddings_metadata),
        ):
            if value:
                raise NotImplementedError(f"TensorBoard: {name} is not supported")
        self.log_dir = os.fspath(log_dir)
        self.histogram_freq, self.write_graph, self.write_images = histogram_freq, write_graph, write_images
        self.write_steps_per_second = write_steps_per_second
        self.update_freq = 1 if update_freq == "batch" else update_freq
        self._writers: dict[str, Any] = {}
        self._train_batches = 0
        self._epoch_begin = (0.0, 0)  # time, number of training batches until then

    def _writer(self, part: str) -> Any:
        if part not in self._writers:
            try:
                from tensorboardX import SummaryWriter
            except ImportError:
                raise ImportError(
                    "The TensorBoard callback needs tensorboardX: pip install 'minitf[tensorboard]'"
                ) from None
            self._writers[part] = SummaryWriter(os.path.join(self.log_dir, part))
        return self._writers[part]

    def on_train_begin(self, logs: Any = None) -> None:
        """Opens the files."""
        writer = self._writer("train")
        if self.write_graph and getattr(self.model, "_is_graph_network", False):
            writer.add_text("keras", f"    {self.model.to_json()}", 0)

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Notes the time."""
        self._epoch_begin = (time.time(), self._train_batches)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Writes a batch's logs, if it is the turn of one."""
        if self.update_freq != "epoch" and self._train_batches % self.update_freq == 0:
            for name, value in (logs or {}).items():
                self._writer("train").add_scalar(f"batch_{name}", value, self._train_batches)
        self._train_batches += 1

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Writes an epoch's logs, and weights if it is their turn."""
        for name, value in (logs or {}).items():
            part = "validation" if name.startswith("val_") else "train"
            self._writer(part).add_scalar(f"epoch_{name.removeprefix('val_')}", value, epoch)
        if self.write_steps_per_second:
            begin, batches = self._epoch_begin
            rate = (self._train_batches - batches) / max(time.time() - begin, 1e-9)
            self._writer("train").add_scalar("epoch_steps_per_second", rate, epoch)
        if self.histogram_freq and epoch % self.histogram_freq == 0:
            self._write_weights(epoch)
        for writer in self._writers.values():
            writer.flush()

    def _write_weights(self, epoch: int) -> None:
        writer = self._writer("train")
        for weight in self.model.weights:
            name, value = weight.name.replace(":", "_"), weight.numpy()
            writer.add_histogram(name, value, epoch)
            if self.write_images and value.ndim in (1, 2):
                wide = np.atleast_2d(value) if value.ndim == 1 or len(value) <= len(value.T) else value.T
                writer.add_image(f"{name}/image", np.clip(wide, 0, 1), epoch, dataformats="HW")

    def on_train_end(self, logs: Any = None) -> None:
        """Closes the files."""
        for writer in self._writers.values():
            writer.close()
        self._writers = {}
