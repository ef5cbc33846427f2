"""Whether the data of a picture are whole: JPEG decoding that says so, and seams."""
