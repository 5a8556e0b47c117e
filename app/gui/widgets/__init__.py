"""Widgets: they emit signals and paint models, nothing else."""
