"""Around the library: downloads of archives, plots."""
