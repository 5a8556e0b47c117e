"""Between a codec and the network: framing of bytes, signing, error mapping, and the transport that drives a codec."""
