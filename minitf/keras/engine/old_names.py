"""Methods of models under the names that scripts for Keras 1 to 2.5 use."""

from typing import Any

import numpy as np

from minitf.keras.engine.data_adapter import as_batches, count_samples


class OldNames:
    """Mixed into Model."""

    def fit_generator(self, generator: Any, steps_per_epoch: int | None = None, epochs: int = 1,
                      verbose: Any = 1, callbacks: Any = None, validation_data: Any = None,
                      validation_steps: int | None = None, validation_freq: Any = 1,
                      class_weight: dict | None = None, max_queue_size: int = 10, workers: int = 1,
                      use_multiprocessing: bool = False, shuffle: bool = True, initial_epoch: int = 0,
                      **kwargs: Any) -> Any:  # fmt: skip
        """`fit` on a generator (old name); samples_per_epoch, nb_epoch, nb_val_samples are Keras 1's."""
        epochs = kwargs.pop("nb_epoch", epochs)
        validation_steps = kwargs.pop("nb_val_samples", validation_steps)
        samples = kwargs.pop("samples_per_epoch", None)
        if samples is not None:
            first = as_batches(generator, steps=1)
            steps_per_epoch = max(1, samples // count_samples(first.peek()))
        return self.fit(
            generator, steps_per_epoch=steps_per_epoch, epochs=epochs, verbose=verbose, callbacks=callbacks,
            validation_data=validation_data, validation_steps=validation_steps,
            validation_freq=validation_freq, class_weight=class_weight, shuffle=shuffle,
            initial_epoch=initial_epoch, **kwargs,
        )  # fmt: skip

    def evaluate_generator(self, generator: Any, steps: int | None = None, callbacks: Any = None,
                           max_queue_size: int = 10, workers: int = 1, use_multiprocessing: bool = False,
                           verbose: Any = 0) -> Any:  # fmt: skip
        """`evaluate` on a generator (old name)."""
        return self.evaluate(generator, steps=steps, callbacks=callbacks, verbose=verbose)

    def predict_generator(self, generator: Any, steps: int | None = None, callbacks: Any = None,
                          max_queue_size: int = 10, workers: int = 1, use_multiprocessing: bool = False,
                          verbose: Any = 0) -> Any:  # fmt: skip
        """`predict` on a generator (old name)."""
        return self.predict(generator, steps=steps, callbacks=callbacks, verbose=verbose)

    def predict_classes(self, x: Any, batch_size: int = 32, verbose: Any = 0) -> np.ndarray:
        """The most probable class of each sample (of a Sequential model, in Keras 2.0 to 2.5)."""
        probabilities = self.predict(x, batch_size=batch_size, verbose=verbose)
        if probabilities.shape[-1] > 1:
            return probabilities.argmax(axis=-1)
        return (probabilities > 0.5).astype("int32")

    def predict_proba(self, x: Any, batch_size: int = 32, verbose: Any = 0) -> np.ndarray:
        """`predict` (of a Sequential model, in Keras 2.0 to 2.5)."""
        return self.predict(x, batch_size=batch_size, verbose=verbose)
