"""The terminal app. It knows the daemon only by `popcond.wire` and `popcond.client`."""
