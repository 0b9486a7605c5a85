"""Compare fastreg with its peers on one problem: the same objective, grid and accuracy for all.

``python -m fastreg bench`` and the developers' ``benchmarks/run.py`` are made of these modules: `problem`
equalises the data, `peers` holds one adapter per solver, `measure` runs them, `accuracy` judges them, `table`
and `frontier` show the record of a comparison.
"""
