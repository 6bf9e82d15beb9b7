"""The hostile outside: everything that a stranger on this machine, or a page in its browser, may try."""
