"""Rasters as numpy arrays: their types, PNG in and out, and scaling that does not bleed colours.

Every array is uint8, row-major, origin at the top left, sRGB-encoded. Alpha is straight unless a name says
`premultiplied`.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from popcond.errors import UnreadablePicture

Rgb = NDArray[np.uint8]  # (H, W, 3)
Rgba = NDArray[np.uint8]  # (H, W, 4), straight alpha
Alpha = NDArray[np.uint8]  # (H, W), 0 is background
Floats = NDArray[np.float32]
Colour = tuple[int, int, int]  # red, green, blue, 0..255

_PNG_FAST = [cv2.IMWRITE_PNG_COMPRESSION, 1]


def png(raster: NDArray[np.uint8]) -> bytes:
    """PNG bytes of an L (H, W), RGB (H, W, 3) or RGBA (H, W, 4) raster, lossless and quickly made."""
    ok, data = cv2.imencode(".png", _swap_red_and_blue(raster), _PNG_FAST)
    if not ok:
        raise ValueError(f"cannot write a raster of shape {raster.shape} as PNG")
    return data.tobytes()


def from_png(data: bytes) -> NDArray[np.uint8]:
    """The L, RGB or RGBA raster of PNG bytes that we wrote ourselves. Strangers' files go through `picture`."""
    raster = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED) if data else None
    if raster is None:
        raise UnreadablePicture("A stored picture is damaged.", cure="Retry the emoji from its first stage.")
    return _swap_red_and_blue(np.asarray(raster, np.uint8))


def _swap_red_and_blue(raster: NDArray[np.uint8]) -> NDArray[np.uint8]:
    if raster.ndim == 2:
        return raster
    code: Any = cv2.COLOR_RGB2BGR if raster.shape[2] == 3 else cv2.COLOR_RGBA2BGRA
    return np.asarray(cv2.cvtColor(raster, code), np.uint8)


def premultiply(rgba: Rgba) -> Floats:
    """(H, W, 4) float32 in 0..255 with the colours multiplied by alpha."""
    floats = rgba.astype(np.float32)
    floats[..., :3] *= floats[..., 3:] / 255.0
    return floats


def unpremultiply(premultiplied: Floats) -> Rgba:
    """Back to straight uint8; fully transparent pixels become (0, 0, 0, 0)."""
    alpha = premultiplied[..., 3:]
    straight = premultiplied.copy()
    np.divide(straight[..., :3] * 255.0, alpha, out=straight[..., :3], where=alpha > 0.5)
    straight[alpha[..., 0] <= 0.5] = 0.0
    return np.clip(np.rint(straight), 0, 255).astype(np.uint8)


def resize(rgba: Rgba, width: int, height: int) -> Rgba:
    """Scaled to width × height in premultiplied space, so that no colour of an invisible pixel bleeds in."""
    shrinks = width < rgba.shape[1] or height < rgba.shape[0]
    how = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    return _from_products(np.asarray(cv2.resize(_products(rgba), (width, height), interpolation=how), np.uint16))


def _products(rgba: Rgba) -> NDArray[np.uint16]:
    """(H, W, 4) of colour × alpha and 255 × alpha: premultiplied without rounding, in half the room of floats."""
    products = np.empty(rgba.shape, np.uint16)
    np.multiply(rgba[..., :3], rgba[..., 3:], out=products[..., :3], dtype=np.uint16)
    np.multiply(rgba[..., 3], np.uint16(255), out=products[..., 3], dtype=np.uint16)
    return products


def _from_products(products: NDArray[np.uint16]) -> Rgba:
    alpha = products[..., 3:].astype(np.float32)
    straight = np.zeros(products.shape, np.float32)
    np.divide(products[..., :3] * np.float32(255.0), alpha, out=straight[..., :3], where=alpha >= 127.5)
    straight[..., 3:] = alpha / 255.0
    return np.clip(np.rint(straight), 0, 255).astype(np.uint8)


def flatten(rgba: Rgba, backdrop: Colour) -> Rgb:
    """(H, W, 3): the raster laid on a flat colour."""
    alpha = rgba[..., 3:].astype(np.float32) / 255.0
    mixed = rgba[..., :3] * alpha + np.asarray(backdrop, np.float32) * (1.0 - alpha)
    return np.asarray(np.rint(mixed), np.uint8)


def is_see_through(alpha: Alpha) -> bool:
    """Whether a picture really has transparent pixels: one in a thousand, so that stray ones do not count."""
    return int(np.count_nonzero(alpha < 128)) * 1000 >= alpha.size
