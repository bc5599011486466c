"""Damaged and hostile files of every kind that is read: python -m tests.damaged_files [INPUTS].

Each is cut at every byte, has bits flipped, bytes replaced, pieces spliced in, sizes that lie, and
fields of JSON of other kinds; what is compressed is also damaged inside, and compressed again, so
that the checksums are right. Each must be read, or refused by a ValueError or OSError that a
terminal shows as it is. The table counts the outcomes, and tells the slowest answer in seconds of
the processor, and by how much the largest memory grew beyond that of the undamaged files.
"""
