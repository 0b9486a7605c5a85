"""Side-by-side measurements of fastreg and its peers; see benchmarks/README.md."""
