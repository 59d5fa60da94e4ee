"""For authors and tests: the contract of a source, and stand-ins for services over real sockets."""
