"""From rows to a judged model: imputation, features, selection, search, fitting, evaluation and the gate."""
