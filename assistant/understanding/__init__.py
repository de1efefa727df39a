"""What we add to Rasa's graph."""
