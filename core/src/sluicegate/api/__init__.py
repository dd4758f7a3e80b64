"""Our kinds, and a slim view of everyone else's: models, validation, hashes, CRD schemas. No I/O, no clock."""
