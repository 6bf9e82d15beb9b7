"""The command line, from words to files."""
