"""The machine learning itself: plain typed functions and scikit-learn estimators, no framework."""
