"""Models in the formats of other programs: HS3 and Combine's datacards."""
