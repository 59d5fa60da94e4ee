"""From bytes to faces and readings. Each module says what it needs; nothing is loaded early."""
