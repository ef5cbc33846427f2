"""What becomes INT8 and in how many codes: training rounds as export does.

Symmetric, zero points 0: TensorRT takes no others, and sums need no correction.
"""

ACTIVATION = 127  # of the codes that are symmetric about 0; -128 is not used
# AVX2 without VNNI adds two products of an unsigned and a signed byte in 16 bits:
# 2 x 255 x 63 fits, 2 x 255 x 127 is cut off.  So sums are the same on every processor.
WEIGHT = 63
# What a plan enters and leaves by has 15 columns: no time to win, and in INT8 end points of nano
# moved half as far again.
NARROW = 64
# The second product of an MLP reads the widest range of all, from many columns to few.  In float
# it leaves a cosine of 0.9999 of nano's backbone in place of 0.9984, and 0.9996 of its encoder.
MANY_TO_FEW = 2


def becomes_int8(rows: int, columns: int) -> bool:
    """Whether the product with a constant matrix (rows, columns), inputs by outputs, does."""
    return min(rows, columns) >= NARROW and rows < MANY_TO_FEW * columns
