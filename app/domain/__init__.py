"""Values that every room shares: documents, passages, citations, turn events, cancellation, errors."""
