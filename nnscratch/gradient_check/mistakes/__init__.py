"""The known mistakes: what a gradient would be by each of them, and what to say of it."""
