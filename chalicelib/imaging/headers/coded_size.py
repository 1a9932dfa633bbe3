"""The size that coded HEVC and AV1 pictures claim for themselves, which is what their decoders allocate."""

from chalicelib.imaging.headers.coded_units import leb128


class _Bits:
    """Bits from the left. Past the end they are zero."""

    def __init__(self, data: bytes) -> None:
        self._value = int.from_bytes(data, "big")
        self._left = len(data) * 8

    def take(self, count: int) -> int:
        self._left -= count
        shifted = self._value >> self._left if self._left >= 0 else self._value << -self._left
        return shifted & ((1 << count) - 1)

    def exp_golomb(self) -> int:
        zeros = 0
        while zeros < 32 and self._left > 0 and not self.take(1):
            zeros += 1
        return (1 << zeros) - 1 + self.take(zeros)


def hevc_pixels(configuration: bytes) -> int:
    """The largest picture that the parameter sets in an `hvcC` box describe; 0 where there are none."""
    largest, at = 0, 23
    for _ in range(configuration[22] if len(configuration) > 22 else 0):
        kind = configuration[at] & 0x3F if at < len(configuration) else 0
        count, at = int.from_bytes(configuration[at + 1 : at + 3], "big"), at + 3
        for _ in range(min(count, 64)):
            length = int.from_bytes(configuration[at : at + 2], "big")
            if kind == 33:
                largest = max(largest, _hevc_sequence_pixels(configuration[at + 2 : at + 2 + min(length, 256)]))
            at += 2 + length
    return largest


def _hevc_sequence_pixels(unit: bytes) -> int:
    bits = _Bits(unit[2:].replace(b"\0\0\3", b"\0\0"))
    bits.take(4)
    layers = bits.take(3)
    bits.take(1 + 88 + 8)
    present = [(bits.take(1), bits.take(1)) for _ in range(layers)]
    if layers:
        bits.take(2 * (8 - layers))
    for profile, level in present:
        bits.take(88 * profile + 8 * level)
    bits.exp_golomb()
    if bits.exp_golomb() == 3:
        bits.take(1)
    return bits.exp_golomb() * bits.exp_golomb()


def av1_pixels(units: bytes) -> int:
    """The size in the first sequence header among these AV1 units; 0 where there is none."""
    at = 0
    while at < len(units):
        head = units[at]
        at += 2 if head & 4 else 1
        size = len(units) - at
        if head & 2:
            size, at = leb128(units, at)
        if head >> 3 & 15 == 1:
            return _av1_sequence_pixels(units[at : at + min(size, 64)])
        at += size
    return 0


def _av1_sequence_pixels(header: bytes) -> int:
    bits = _Bits(header)
    bits.take(4)
    if bits.take(1):  # reduced_still_picture_header
        bits.take(5)
    else:
        _pass_operating_points(bits)
    width_bits, height_bits = bits.take(4) + 1, bits.take(4) + 1
    return (bits.take(width_bits) + 1) * (bits.take(height_bits) + 1)


def _pass_operating_points(bits: _Bits) -> None:
    decoder_model = delay_bits = 0
    if bits.take(1):  # timing_info_present
        bits.take(64)
        if bits.take(1):
            bits.exp_golomb()
        decoder_model = bits.take(1)
        if decoder_model:
            delay_bits = bits.take(5) + 1
            bits.take(42)
    initial_delays = bits.take(1)
    for _ in range(bits.take(5) + 1):
        bits.take(12)
        if bits.take(5) > 7:
            bits.take(1)
        if decoder_model and bits.take(1):
            bits.take(2 * delay_bits + 1)
        if initial_delays and bits.take(1):
            bits.take(4)
