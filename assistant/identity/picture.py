"""The QR code of a link, as a picture for a card."""

import segno

QUIET_ZONE = 4
"""White around the code, in its modules; scanners need it (ISO/IEC 18004)."""
CARD_RATIO = 4 / 3
"""Width to height of a picture on a card: the code stands in the middle, or cards would cut it."""


def qr_code(text: str) -> str:
    """SVG of a QR code that holds this text: black on white in whatever colours the page around it has."""
    code = segno.make_qr(text, error="m")
    modules = code.symbol_size(border=0)[0]
    height = modules + 2 * QUIET_ZONE
    width = height * CARD_RATIO
    left = (width - modules) / 2
    drawn = code.svg_inline(border=0)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{-left:.2f} {-QUIET_ZONE} {width:.2f} {height}" '
        f'shape-rendering="crispEdges"><rect x="{-left:.2f}" y="{-QUIET_ZONE}" width="{width:.2f}" height="{height}" '
        f'fill="#fff"/>{drawn}</svg>'
    )
