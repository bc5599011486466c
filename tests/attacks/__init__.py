"""What students might hand in to get points otherwise than by being right.

`corpus` holds the files, `assignment` the little homework that they attack and its judge, `place`
a teacher's machine with secrets to be found, `study` runs all of them and prints the table.
"""
