"""HistFactory's XML: the parts that reading and writing it are made of."""
