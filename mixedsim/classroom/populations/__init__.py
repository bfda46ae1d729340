"""The populations behind the graded exercises, one file an assignment; no chapter of the book uses them."""
