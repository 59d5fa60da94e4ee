"""Stand-ins for services, over real sockets, for our tests and for those of other sources."""
