"""`keras.datasets`: small data sets, downloaded once into Keras's cache. Names only."""

from minitf.keras.datasets import boston_housing, cifar10, cifar100, fashion_mnist, imdb, mnist, reuters
