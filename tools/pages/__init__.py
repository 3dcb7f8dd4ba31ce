"""The pages of docs/ that are made from the templates, so that they cannot outlive them.

`make docs` writes them; tests/docs compares them with what it would write.
"""
