"""What of a chat a model is given with the next question: one seam, five ways to choose."""
