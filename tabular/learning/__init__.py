"""Training of a model: imputation, features, selection, search, fitting, evaluation and the gate."""
