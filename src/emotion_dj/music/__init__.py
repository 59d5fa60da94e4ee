"""From audio to features, affect and mood. Nothing is loaded early."""
