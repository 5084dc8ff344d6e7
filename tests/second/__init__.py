"""A second reading of every price document, in plain Python, to compare the program's with.

Only the standard library and openpyxl read here, row by row, and nothing of the project: what both readings say of a
document is what the document says. The modules of the markets know the formats; the tests alone know the program.
"""
