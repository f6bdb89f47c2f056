"""The rim, outward: a result becomes a neutral View, and a View becomes text."""
