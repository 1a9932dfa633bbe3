"""Pictures that look like something: hills under a sky, each seed another place at another hour."""

import colorsys
import math
import random

from PIL import Image, ImageDraw, ImageFilter

_HILLS = 5

Colour = tuple[int, int, int]


def scene(seed: int, width: int, height: int) -> Image.Image:
    """The same landscape for the same seed, whatever the size."""
    dice = random.Random(seed)  # noqa: S311 - pictures, no secrets
    hue, dusk = dice.choice((0.02, 0.08, 0.53, 0.57, 0.6, 0.94)) + dice.uniform(-0.02, 0.02), dice.uniform(0.45, 1.0)
    picture = Image.linear_gradient("L").resize((width, height))
    top, horizon = _colour(hue, 0.5, dusk), _colour(hue + dice.choice((0.06, 0.5)), 0.22, min(dusk + 0.25, 1.0))
    picture = Image.composite(Image.new("RGB", (width, height), horizon), Image.new("RGB", (width, height), top), picture)
    draw = ImageDraw.Draw(picture)
    _sun(draw, dice, width, height)
    picture = picture.filter(ImageFilter.GaussianBlur(width / 90))
    draw = ImageDraw.Draw(picture)
    land = dice.random()
    for layer in range(_HILLS):
        near = (layer + 1) / _HILLS
        colour = _colour(land + 0.04 * layer, 0.16 + 0.34 * near, dusk * (0.95 - 0.7 * near))
        draw.polygon([(0, height), *_ridge(dice, near, width, height), (width, height)], fill=colour)
    return picture


def _sun(draw: ImageDraw.ImageDraw, dice: random.Random, width: int, height: int) -> None:
    x, y = width * dice.uniform(0.15, 0.85), height * dice.uniform(0.1, 0.45)
    radius = min(width, height) * dice.uniform(0.05, 0.11)
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=_colour(0.12, 0.15, 1.0))


def _ridge(dice: random.Random, near: float, width: int, height: int) -> list[tuple[float, float]]:
    waves = [(dice.uniform(1, 9 - 5 * near), dice.uniform(0, 7), dice.uniform(0.01, 0.07)) for _ in range(4)]
    base = 0.42 + 0.46 * near
    steps = 160
    return [
        (
            width * step / steps,
            height * (base + sum(tall * math.sin(often * 6.3 * step / steps + at) for often, at, tall in waves)),
        )
        for step in range(steps + 1)
    ]


def _colour(hue: float, saturation: float, value: float) -> Colour:
    red, green, blue = colorsys.hsv_to_rgb(hue % 1, saturation, value)
    return round(red * 255), round(green * 255), round(blue * 255)
