"""HDR and wide-gamut colours brought to sRGB, so that white stays white and skin stays skin.

What is brighter than HDR's reference white is cut off: stickers have no highlights. Sources: ITU-R BT.2100 (PQ and HLG
transfer), BT.2408 (reference white: 203 cd/m², 75 % HLG), BT.2087 (BT.2020 to BT.709), IEC 61966-2-1 (sRGB).
"""

from __future__ import annotations

import numpy as np
from av.video.reformatter import ColorPrimaries, ColorTrc
from numpy.typing import NDArray

from popcond.media.raster import Floats, Rgb

HDR = (ColorTrc.SMPTE2084, ColorTrc.ARIB_STD_B67)
_REFERENCE_WHITE = 203.0  # cd/m²
_TO_BT709: dict[int, tuple[tuple[float, float, float], ...]] = {
    ColorPrimaries.BT2020: ((1.6605, -0.5876, -0.0728), (-0.1246, 1.1329, -0.0083), (-0.0182, -0.1006, 1.1187)),
    ColorPrimaries.SMPTE432: ((1.2249, -0.2249, 0.0), (-0.0421, 1.0421, 0.0), (-0.0196, -0.0786, 1.0983)),
}


class Light:
    """How the code values of one movie become sRGB: a table, a matrix, a table."""

    def __init__(self, transfer: int, primaries: int) -> None:
        code = np.linspace(0.0, 1.0, 65_536)
        self._linear = _linear(code, transfer).astype(np.float32)
        self._matrix = np.array(_TO_BT709.get(primaries, np.eye(3)), np.float32).T
        self._encoded = np.rint(255.0 * _srgb_encoded(code)).astype(np.uint8)

    def to_srgb(self, rgb: NDArray[np.uint16]) -> Rgb:
        """(H, W, 3) of 16-bit code values as sRGB."""
        linear: Floats = self._linear[rgb] @ self._matrix
        return np.asarray(self._encoded[np.rint(np.clip(linear, 0.0, 1.0) * 65_535).astype(np.uint16)], np.uint8)


def needs_light(transfer: int, primaries: int) -> bool:
    """Whether a plain conversion would show wrong colours."""
    return transfer in HDR or primaries in _TO_BT709


def _linear(code: NDArray[np.float64], transfer: int) -> NDArray[np.float64]:
    """Linear light of code values 0..1, 1.0 being (reference) white."""
    if transfer == ColorTrc.SMPTE2084:
        return _pq(code) / _REFERENCE_WHITE
    if transfer == ColorTrc.ARIB_STD_B67:
        # The system gamma of 1.2 belongs to luminance; taking it a channel at a time is close enough for a sticker.
        return np.asarray((_hlg(code) / _hlg(np.array([0.75]))) ** 1.2, np.float64)
    return np.where(code <= 0.04045, code / 12.92, ((code + 0.055) / 1.055) ** 2.4)


def _pq(code: NDArray[np.float64]) -> NDArray[np.float64]:
    """cd/m² of PQ code values."""
    root = code ** (32 / 2523)
    return np.asarray(10_000 * (np.maximum(root - 0.8359375, 0) / (18.8515625 - 18.6875 * root)) ** (8192 / 1305))


def _hlg(code: NDArray[np.float64]) -> NDArray[np.float64]:
    """Scene light, 0..1, of HLG code values."""
    return np.where(code <= 0.5, code**2 / 3, (np.exp((code - 0.55991073) / 0.17883277) + 0.28466892) / 12)


def _srgb_encoded(linear: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)
