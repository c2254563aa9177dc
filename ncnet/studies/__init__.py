"""One room a research question: its analysis, figures, claims, parameters and replays."""
