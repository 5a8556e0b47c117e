"""The one door to the network: HTTP clients and verified downloads."""
