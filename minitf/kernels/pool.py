"""Two-dimensional pooling, maximum and average, with gradients.

Images are NHWC. Padding is explicit, ((top, bottom), (left, right)), and its cells take no part:
they are never the maximum and do not count in the average.

`max_pool` also returns which cell of its window each maximum came from, as the cell's number in
row-major order, one byte per value; the gradient needs nothing else. As in TensorFlow on CPUs, the
first of equal maxima is the one; NaN is never the maximum, but a NaN in a window's first cell takes
the gradient; and a window of NaN or -inf alone gives the lowest finite number.

The NumPy functions are the specification. The compiled ones take one window after another, its
cells in order, with the channels of a cell as the innermost, vectorised loop.

May import: NumPy and the kernels below this one.
"""

from __future__ import annotations

import numpy as np

from minitf.kernels.conv import NO_PADDING, Padding, Pair, output_length
from minitf.kernels.threads import chunk, flat, jit, num_threads, parallel_jit, prange, result

__all__ = ["avg_pool", "avg_pool_grad", "max_pool", "max_pool_gather", "max_pool_grad"]

SMALL = 20_000
"""With fewer values of output, NumPy is fast enough not to load a compiler for."""


# Public functions ----------------------------------------------------------------------------


def max_pool(
    x: np.ndarray,
    ksize: Pair,
    strides: Pair,
    padding: Padding = NO_PADDING,
    out: np.ndarray | None = None,
    argmax: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """The maximum over each window, and where it was.

    Args:
      x: images (N, H, W, C).
      ksize: height and width of a window.
      strides: step of the window along height and width.
      padding: cells around the image, each side's fewer than the window has.
      out: where to put the maxima, C-contiguous; made anew by default.
      argmax: where to put their places, of dtype `argmax_dtype(ksize)`.

    Returns:
      Two arrays (N, OH, OW, C): the maxima, and the number of the cell in its window, counted in
      row-major order over the whole window including what lies in the padding.
    """
    shape = _output_shape(x.shape, ksize, strides, padding)
    y = result(shape, x.dtype, out)
    places = result(shape, argmax_dtype(ksize), argmax)
    if _runs_on_numpy(y):
        y[...], places[...] = _max_pool_numpy(x, ksize, strides, padding)
    else:
        geometry = _geometry(x.shape, shape, ksize, strides, padding)
        _max_pool(flat(x), y.reshape(-1), places.reshape(-1), _lowest(x.dtype), geometry, num_threads())
    return y, places


def max_pool_grad(
    argmax: np.ndarray,
    dy: np.ndarray,
    x_shape: tuple[int, ...],
    ksize: Pair,
    strides: Pair,
    padding: Padding = NO_PADDING,
    out: np.ndarray | None = None,
) -> np.ndarray:
    """The gradient of the maxima with respect to images of `x_shape`: dy, sent to their places."""
    dx = result(tuple(x_shape), dy.dtype, out)
    if _runs_on_numpy(dy):
        dx[...] = _max_pool_grad_numpy(argmax, dy, x_shape, ksize, strides, padding)
    else:
        geometry = _geometry(x_shape, dy.shape, ksize, strides, padding)
        _max_pool_grad(flat(argmax), flat(dy), dx.reshape(-1), geometry, num_threads())
    return dx


def max_pool_gather(
    argmax: np.ndarray,
    x: np.ndarray,
    ksize: Pair,
    strides: Pair,
    padding: Padding = NO_PADDING,
    out: np.ndarray | None = None,
) -> np.ndarray:
    """What images x have at the places of maxima of other images; the transpose of the gradient."""
    y = result(argmax.shape, x.dtype, out)
    y[...] = 0
    for tap, seen, kept in _taps(x.shape, argmax.shape, ksize, strides, padding):
        y[kept] += np.where(argmax[kept] == tap, x[seen], 0)
    return y


def avg_pool(
    x: np.ndarray,
    ksize: Pair,
    strides: Pair,
    padding: Padding = NO_PADDING,
    out: np.ndarray | None = None,
) -> np.ndarray:
    """The mean over each window's cells that are inside the image; arguments as of `max_pool`."""
    y = result(_output_shape(x.shape, ksize, strides, padding), x.dtype, out)
    if _runs_on_numpy(y):
        y[...] = _avg_pool_numpy(x, ksize, strides, padding)
    else:
        geometry = _geometry(x.shape, y.shape, ksize, strides, padding)
        _avg_pool(flat(x), y.reshape(-1), geometry, num_threads())
    return y


def avg_pool_grad(
    dy: np.ndarray,
    x_shape: tuple[int, ...],
    ksize: Pair,
    strides: Pair,
    padding: Padding = NO_PADDING,
    out: np.ndarray | None = None,
) -> np.ndarray:
    """The gradient of the means with respect to images of `x_shape`: dy, spread over windows."""
    dx = result(tuple(x_shape), dy.dtype, out)
    if _runs_on_numpy(dy):
        dx[...] = _avg_pool_grad_numpy(dy, x_shape, ksize, strides, padding)
    else:
        geometry = _geometry(x_shape, dy.shape, ksize, strides, padding)
        _avg_pool_grad(flat(dy), dx.reshape(-1), geometry, num_threads())
    return dx


def argmax_dtype(ksize: Pair) -> type:
    """The smallest unsigned integer that can number a window's cells."""
    cells = ksize[0] * ksize[1]
    return np.uint8 if cells <= 256 else np.uint16 if cells <= 65536 else np.uint32


def _output_shape(x_shape, ksize, strides, padding):
    if any(max(sides) >= window for sides, window in zip(padding, ksize)):
        raise ValueError(f"padding {padding} must be smaller than the window size {tuple(ksize)}")
    rows, columns = (output_length(x_shape[1 + i], ksize[i], strides[i], padding[i]) for i in (0, 1))
    return x_shape[0], rows, columns, x_shape[3]


def _runs_on_numpy(y: np.ndarray) -> bool:
    return y.dtype.char not in "fd" or y.size < SMALL


def _lowest(dtype):
    kind = np.iinfo if np.issubdtype(dtype, np.integer) else np.finfo
    return dtype.type(kind(dtype).min)


# The specification ---------------------------------------------------------------------------


def _taps(x_shape, y_shape, ksize, strides, padding):
    """Each cell of a window: its number, where images have it, and which windows have it inside.

    Both places are slices of (N, H, W, C) arrays that select equally many cells.
    """
    for number in range(ksize[0] * ksize[1]):
        seen, kept = [slice(None)], [slice(None)]
        for axis, place in enumerate(divmod(number, ksize[1])):
            offset, step = place - padding[axis][0], strides[axis]
            first = max(0, -(offset // step))
            stop = min(y_shape[1 + axis], (x_shape[1 + axis] - 1 - offset) // step + 1)
            stop = max(first, stop)
            begin = first * step + offset
            end = begin + (stop - first - 1) * step + 1 if stop > first else begin
            seen.append(slice(begin, end, step))
            kept.append(slice(first, stop))
        yield number, tuple(seen), tuple(kept)


def _max_pool_numpy(x, ksize, strides, padding):
    shape = _output_shape(x.shape, ksize, strides, padding)
    y = np.full(shape, _lowest(x.dtype), x.dtype)
    places = np.zeros(shape, argmax_dtype(ksize))
    first_seen = np.zeros(shape, bool)
    settled = np.zeros(shape, bool)
    for tap, seen, kept in _taps(x.shape, shape, ksize, strides, padding):
        value, first = x[seen], ~first_seen[kept]
        better = value > y[kept]
        y[kept] = np.where(better, value, y[kept])
        places[kept] = np.where(first | (better & ~settled[kept]), tap, places[kept])
        settled[kept] |= first & (value != value)
        first_seen[kept] = True
    return y, places


def _max_pool_grad_numpy(argmax, dy, x_shape, ksize, strides, padding):
    dx = np.zeros(x_shape, dy.dtype)
    for tap, seen, kept in _taps(x_shape, dy.shape, ksize, strides, padding):
        dx[seen] += np.where(argmax[kept] == tap, dy[kept], 0)
    return dx


def _counts(x_shape, y_shape, ksize, strides, padding):
    """How many cells of each window are inside the image, (1, OH, OW, 1)."""
    counts = np.zeros((1, *y_shape[1:3], 1), np.int64)
    for _, _, kept in _taps(x_shape, y_shape, ksize, strides, padding):
        counts[kept] += 1
    return counts


def _avg_pool_numpy(x, ksize, strides, padding):
    shape = _output_shape(x.shape, ksize, strides, padding)
    wide = np.float32 if x.dtype == np.float16 else x.dtype
    y = np.zeros(shape, wide)
    for _, seen, kept in _taps(x.shape, shape, ksize, strides, padding):
        y[kept] += x[seen]
    return y / _counts(x.shape, shape, ksize, strides, padding).astype(wide)


def _avg_pool_grad_numpy(dy, x_shape, ksize, strides, padding):
    wide = np.float32 if dy.dtype == np.float16 else dy.dtype
    share = dy / _counts(x_shape, dy.shape, ksize, strides, padding).astype(wide)
    dx = np.zeros(x_shape, wide)
    for _, seen, kept in _taps(x_shape, dy.shape, ksize, strides, padding):
        dx[seen] += share[kept]
    return dx


# Compiled kernels ----------------------------------------------------------------------------


def _geometry(x_shape, y_shape, ksize, strides, padding) -> tuple[int, ...]:
    return (
        *map(int, x_shape), *y_shape[1:3], *map(int, ksize), *map(int, strides),
        int(padding[0][0]), int(padding[1][0]),
    )  # fmt: skip


@jit
def _window(row, column, geometry):
    """The part of the window at (row, column) inside the image: first and last cells, exclusive."""
    (_, height, width, _, _, _, k_rows, k_columns, s_rows, s_columns, top, left) = geometry
    y, x = row * s_rows - top, column * s_columns - left
    return (
        max(0, -y), min(k_rows, height - y), max(0, -x), min(k_columns, width - x),
        y * width + x,
    )  # fmt: skip


@jit
def _cell(number, window, geometry):
    """Cell `number` of the part of a window inside the image: its place and its offset in x.

    Numbers past the last cell mean the last, which changes no maximum.
    """
    top, bottom, left, right, corner = window
    width, channels, k_columns = geometry[2], geometry[3], geometry[7]
    number = min(number, (bottom - top) * (right - left) - 1)
    row, column = top + number // (right - left), left + number % (right - left)
    return row * k_columns + column, (corner + row * width + column) * channels


@jit
def _best_of_four(y, places, a, b, c, d, place_a, place_b, place_c, place_d):
    """Keep, channel by channel, the first of the greatest of y, a, b, c and d."""
    for i in range(y.size):
        best, place = y[i], places[i]
        place = place_a if a[i] > best else place
        best = a[i] if a[i] > best else best
        place = place_b if b[i] > best else place
        best = b[i] if b[i] > best else best
        place = place_c if c[i] > best else place
        best = c[i] if c[i] > best else best
        place = place_d if d[i] > best else place
        best = d[i] if d[i] > best else best
        y[i], places[i] = best, place


@jit
def _max_pool_part(x, y, places, lowest, geometry, parts, part):
    batch, height, width, channels, rows, columns = geometry[:6]
    narrow = places.dtype.type
    first, stop = chunk(batch * rows, parts, part)
    for index in range(first, stop):
        image = index // rows * height * width * channels
        for column in range(columns):
            window = _window(index % rows, column, geometry)
            top, bottom, left, right, _ = window
            y0 = (index * columns + column) * channels
            best, best_places = y[y0 : y0 + channels], places[y0 : y0 + channels]
            first_place, first_x = _cell(0, window, geometry)
            best[:] = lowest
            best_places[:] = first_place
            for cell in range(0, (bottom - top) * (right - left), 4):
                place_a, a = _cell(cell, window, geometry)
                place_b, b = _cell(cell + 1, window, geometry)
                place_c, c = _cell(cell + 2, window, geometry)
                place_d, d = _cell(cell + 3, window, geometry)
                _best_of_four(
                    best, best_places,
                    x[image + a : image + a + channels], x[image + b : image + b + channels],
                    x[image + c : image + c + channels], x[image + d : image + d + channels],
                    narrow(place_a), narrow(place_b), narrow(place_c), narrow(place_d),
                )  # fmt: skip
            values = x[image + first_x : image + first_x + channels]
            for i in range(channels):
                is_nan = values[i] != values[i]
                best_places[i] = narrow(first_place) if is_nan else best_places[i]


@parallel_jit
def _max_pool(x, y, places, lowest, geometry, parts):
    for part in prange(parts):
        _max_pool_part(x, y, places, lowest, geometry, parts, np.int64(part))


@jit
def _image_unit(index, splits, geometry):
    """Which image and channels unit `index` is about; a few images are cut by their channels."""
    first_channel, stop_channel = chunk(geometry[3], splits, index % splits)
    return index // splits, first_channel, stop_channel


@jit
def _clear(dx, image, covered_rows, covered_columns, first_channel, stop_channel, geometry):
    """Clear an image outside its top left `covered_rows` by `covered_columns` cells."""
    _, height, width, channels = geometry[:4]
    for row in range(height):
        first_column = covered_columns if row < covered_rows else 0
        x0 = (image * height + row) * width * channels
        if stop_channel - first_channel == channels:
            dx[x0 + first_column * channels : x0 + width * channels] = 0
        else:
            for column in range(first_column, width):
                cell = x0 + column * channels
                dx[cell + first_channel : cell + stop_channel] = 0


@jit
def _place_in_four(places, dy, a, b, c, d, place_a, place_b, place_c, place_d):
    """Set the cell that each place names to dy and the other three to zero."""
    for i in range(dy.size):
        place, value = places[i], dy[i]
        a[i] = value if place == place_a else 0
        b[i] = value if place == place_b else 0
        c[i] = value if place == place_c else 0
        d[i] = value if place == place_d else 0


@jit
def _add_where(places, place, dy, dx):
    for i in range(dy.size):
        dx[i] += dy[i] if places[i] == place else 0


@jit
def _max_pool_grad_part(places, dy, dx, geometry, parts, part):
    (batch, height, width, channels, rows, columns, k_rows, k_columns, s_rows, s_columns,
     top_padding, left_padding) = geometry  # fmt: skip
    narrow = places.dtype.type
    splits = -(-parts // batch)
    # Windows that tile the image write each cell once; what they leave out is cleared.
    tiled = k_rows == s_rows and k_columns == s_columns
    covered_rows = rows * s_rows - top_padding if tiled else 0
    covered_columns = columns * s_columns - left_padding if tiled else 0
    first_unit, stop_unit = chunk(batch * splits, parts, part)
    for unit in range(first_unit, stop_unit):
        image, first, stop = _image_unit(unit, splits, geometry)
        _clear(dx, image, covered_rows, covered_columns, first, stop, geometry)
        start = image * height * width * channels + first
        size = stop - first
        for row in range(rows):
            for column in range(columns):
                window = _window(row, column, geometry)
                top, bottom, left, right, _ = window
                y0 = ((image * rows + row) * columns + column) * channels + first
                slopes, from_places = dy[y0 : y0 + size], places[y0 : y0 + size]
                cells = (bottom - top) * (right - left)
                if tiled:
                    for cell in range(0, cells, 4):
                        place_a, a = _cell(cell, window, geometry)
                        place_b, b = _cell(cell + 1, window, geometry)
                        place_c, c = _cell(cell + 2, window, geometry)
                        place_d, d = _cell(cell + 3, window, geometry)
                        _place_in_four(
                            from_places, slopes,
                            dx[start + a : start + a + size], dx[start + b : start + b + size],
                            dx[start + c : start + c + size], dx[start + d : start + d + size],
                            narrow(place_a), narrow(place_b), narrow(place_c), narrow(place_d),
                        )  # fmt: skip
                else:
                    for cell in range(cells):
                        place, a = _cell(cell, window, geometry)
                        target = dx[start + a : start + a + size]
                        _add_where(from_places, narrow(place), slopes, target)


@parallel_jit
def _max_pool_grad(places, dy, dx, geometry, parts):
    for part in prange(parts):
        _max_pool_grad_part(places, dy, dx, geometry, parts, np.int64(part))


@jit
def _add(y, x):
    for i in range(y.size):
        y[i] += x[i]


@jit
def _add_scaled(y, x, scale):
    for i in range(y.size):
        y[i] += x[i] * scale


@jit
def _avg_pool_part(x, y, geometry, parts, part):
    batch, height, width, channels, rows, columns = geometry[:6]
    first, stop = chunk(batch * rows, parts, part)
    for index in range(first, stop):
        image = index // rows * height * width * channels
        for column in range(columns):
            window = _window(index % rows, column, geometry)
            top, bottom, left, right, _ = window
            y0 = (index * columns + column) * channels
            sums = y[y0 : y0 + channels]
            sums[:] = 0
            cells = (bottom - top) * (right - left)
            for cell in range(cells):
                _, a = _cell(cell, window, geometry)
                _add(sums, x[image + a : image + a + channels])
            count = y.dtype.type(cells)
            for c in range(channels):
                sums[c] /= count


@parallel_jit
def _avg_pool(x, y, geometry, parts):
    for part in prange(parts):
        _avg_pool_part(x, y, geometry, parts, np.int64(part))


@jit
def _avg_pool_grad_part(dy, dx, geometry, parts, part):
    batch, height, width, channels, rows, columns = geometry[:6]
    splits = -(-parts // batch)
    first_unit, stop_unit = chunk(batch * splits, parts, part)
    for unit in range(first_unit, stop_unit):
        image, first, stop = _image_unit(unit, splits, geometry)
        _clear(dx, image, 0, 0, first, stop, geometry)
        start = image * height * width * channels + first
        size = stop - first
        for row in range(rows):
            for column in range(columns):
                window = _window(row, column, geometry)
                top, bottom, left, right, _ = window
                y0 = ((image * rows + row) * columns + column) * channels + first
                cells = (bottom - top) * (right - left)
                share = dy.dtype.type(1) / dy.dtype.type(cells)
                for cell in range(cells):
                    _, a = _cell(cell, window, geometry)
                    _add_scaled(dx[start + a : start + a + size], dy[y0 : y0 + size], share)


@parallel_jit
def _avg_pool_grad(dy, dx, geometry, parts):
    for part in prange(parts):
        _avg_pool_grad_part(dy, dx, geometry, parts, np.int64(part))
